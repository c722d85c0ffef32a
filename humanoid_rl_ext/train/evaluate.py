"""How good a policy is: whole episodes of its best actions."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.errors import BadInputError

if TYPE_CHECKING:
    import torch

    from humanoid_rl_ext.env.make import Env
    from humanoid_rl_ext.env.transition import Transition
    from humanoid_rl_ext.learn.learner import Learner

NOT_A_METRIC = ("episodes", "return", "length", "success_rate")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Means over a number of whole episodes."""

    episodes: int
    mean_return: float
    std_return: float
    mean_episode_length: float
    success_rate: float
    metrics: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The figures as plain data."""
        return asdict(self)


class EpisodeCount:
    """Counts episodes until there are enough.

    Each environment plays the same number of episodes (to within one), settled beforehand. Counting the first that
    finish instead would count short episodes more often than long ones. (Where an extra episode ends in the same step
    as a counted one, ``metrics`` takes the mean of both for the counted one: environments report them together.)
    """

    def __init__(self, num_envs: int, episodes: int) -> None:
        """Raises BadInputError when no episode is asked for."""
        if episodes < 1:
            raise BadInputError(f"{episodes} episodes cannot be evaluated; at least 1")
        self.episodes = episodes
        self._left = [episodes // num_envs + (index < episodes % num_envs) for index in range(num_envs)]
        self._returns: list[float] = []
        self._lengths: list[int] = []
        self._successes = 0
        self._sums: dict[str, float] = {}

    @property
    def counted(self) -> int:
        """Episodes counted so far."""
        return len(self._returns)

    @property
    def complete(self) -> bool:
        """Whether all episodes have been counted."""
        return self.counted == self.episodes

    def add(self, ended: list[tuple[int, float, int, bool]], metrics: Callable[[], dict[str, float]]) -> None:
        """Takes in the episodes that ended in one step; ``metrics`` hands out (and forgets) their means."""
        if not ended:
            return
        counted = 0
        for index, total, length, success in ended:
            if self._left[index]:
                self._left[index] -= 1
                counted += 1
                self._returns.append(total)
                self._lengths.append(length)
                self._successes += success
        for name, value in metrics().items():
            if counted and name not in NOT_A_METRIC:
                self._sums[name] = self._sums.get(name, 0.0) + value * counted

    def result(self) -> Evaluation:
        """The means, once complete."""
        count = self.episodes
        mean = sum(self._returns) / count
        return Evaluation(
            episodes=count,
            mean_return=mean,
            std_return=math.sqrt(sum((value - mean) ** 2 for value in self._returns) / count),
            mean_episode_length=sum(self._lengths) / count,
            success_rate=self._successes / count,
            metrics={name: total / count for name, total in self._sums.items()},
        )


def evaluation(
    env: Env, learner: Learner, episodes: int, step: Callable[[torch.Tensor], Transition] | None = None
) -> Generator[int, None, Evaluation]:
    """Plays ``episodes`` episodes without exploration, from fresh resets; the environment's training state is lost.

    Yields the number of episodes counted after every environment step (``step``, the environment's own when None).
    """
    count, step = EpisodeCount(env.spec.num_envs, episodes), step or env.step
    obs = env.reset()
    env.episode_metrics()  # forget what was under way
    while not count.complete:
        obs = step(learner.act_deterministic(obs)).obs
        count.add(env.finished(), env.episode_metrics)
        yield count.counted
    return count.result()


def evaluate_policy(env: Env, learner: Learner, episodes: int) -> Evaluation:
    """``evaluation`` played to its end."""
    playing = evaluation(env, learner, episodes)
    while True:
        try:
            next(playing)
        except StopIteration as stop:
            return stop.value
