"""How fast a run goes and when it will be done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from humanoid_rl_ext.train.session import Session

WINDOW_S = 10.0


class Rates:
    """Steps per second over the last few seconds, and the time left at that rate."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._marks = [(time.perf_counter(), session.env_steps)]

    def now(self) -> tuple[float, float]:
        """(steps per second, seconds left); the time left is infinite while nothing moves."""
        self._marks.append((time.perf_counter(), self._session.env_steps))
        while len(self._marks) > 2 and self._marks[-1][0] - self._marks[1][0] > WINDOW_S:
            self._marks.pop(0)
        (then, before), (now, steps) = self._marks[0], self._marks[-1]
        rate = (steps - before) / max(now - then, 1e-9)
        left = self._session.config.run.env_steps - steps
        return rate, max(left, 0) / rate if rate > 0 else float("inf")
