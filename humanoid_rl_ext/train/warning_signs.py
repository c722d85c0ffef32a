"""What the figures of a run say is going wrong, each told once, in one line with what helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sign:
    """A figure that stays at or above a bound for so many iterations in a row, and what is said then."""

    figure: str
    bound: float
    iterations: int
    said: str


SIGNS = (
    Sign(
        "train/saturation",
        0.999,
        20,
        "the policy is stuck, all its actions at their bounds for 20 iterations; "
        "start again with a lower learner.actor_learning_rate",
    ),
    Sign(
        "episode/non_finite",
        1,
        1,
        "physics gave a state that is not finite, and that robot was reset; where it happens often "
        "(non_finite in metrics.jsonl), a shorter sim.dt or softer drives help",
    ),
)


class WarningSigns:
    """Watches the metrics of one run."""

    def __init__(self) -> None:
        self._seen: Counter[Sign] = Counter()

    def take_in(self, metrics: Mapping[str, float]) -> Iterator[str]:
        """What the metrics of one more iteration give cause to say for the first time."""
        for sign in SIGNS:
            if self._seen[sign] < sign.iterations:
                self._seen[sign] = self._seen[sign] + 1 if metrics.get(sign.figure, 0.0) >= sign.bound else 0
                if self._seen[sign] == sign.iterations:
                    yield sign.said
