"""Making runs and players ready, which takes seconds: where and how that waits is the host's affair."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from humanoid_rl_ext.sim.engines import ENGINES
from humanoid_rl_ext.ui.background import Background

if TYPE_CHECKING:
    from humanoid_rl_ext.train.player import Player, PlayPlan
    from humanoid_rl_ext.train.session import Session
    from humanoid_rl_ext.train.start import RunPlan

WATCHED = 1
"""Environments of a run that are kept out of learning, for the policy that is watched, driven or evaluated."""

Failed = Callable[[Exception], None]


class Opener(Protocol):
    """Opens one thing at a time; exactly one of the two callbacks is called later, unless it is cancelled."""

    @property
    def engines(self) -> tuple[str, ...]:
        """Names of the engines that a run can be opened on."""

    def session(self, plan: RunPlan, ready: Callable[[Session], None], failed: Failed) -> None:
        """Opens a run, with ``WATCHED`` environments reserved."""

    def player(self, plan: Callable[[], PlayPlan], on: str, ready: Callable[[Player], None], failed: Failed) -> None:
        """Opens a player in a scene of its own, or ``on`` the robot of that prim path on the host's stage.

        ``plan`` takes a while and may raise HumanoidRLError.
        """

    def cancel(self) -> None:
        """Gives up what is being opened; no callback is called any more."""


class BackgroundOpener:
    """Opens on the worker thread, for engines that may be built there."""

    engines = tuple(ENGINES)

    def __init__(self, background: Background) -> None:
        self._background = background
        self._current = 0

    def session(self, plan: RunPlan, ready: Callable[[Session], None], failed: Failed) -> None:
        """Opens a run; see ``Opener``."""

        def build() -> Session:
            from humanoid_rl_ext.train.start import open_session

            return open_session(plan, reserved=WATCHED)

        self._run(build, ready, failed)

    def player(self, plan: Callable[[], PlayPlan], on: str, ready: Callable[[Player], None], failed: Failed) -> None:
        """Opens a player in a scene of its own: there is no stage here that a robot could stand on."""

        def build() -> Player:
            from humanoid_rl_ext.train.player import open_player

            return open_player(plan())

        self._run(build, ready, failed)

    def cancel(self) -> None:
        """Gives up what is being opened; it is closed as soon as it is there."""
        self._current += 1

    def _run[Work: Session | Player](
        self, build: Callable[[], Work], ready: Callable[[Work], None], failed: Failed
    ) -> None:
        self._current += 1
        mine = self._current

        def done(work: Work) -> None:
            if mine == self._current:
                ready(work)
            else:
                work.close()

        def not_done(error: Exception) -> None:
            if mine == self._current:
                failed(error)

        self._background.run(build, done, not_done)
