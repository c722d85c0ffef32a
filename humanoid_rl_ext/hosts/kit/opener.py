"""Opens runs and players in Isaac Sim: on the application's thread, piece by piece, one piece per update."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.ui.background import Background
from humanoid_rl_ext.ui.opening import WATCHED, Failed

if TYPE_CHECKING:
    from humanoid_rl_ext.robot.description import RobotDescription
    from humanoid_rl_ext.sim.engine import SceneSettings
    from humanoid_rl_ext.sim.kit import KitEngine, KitPhysics
    from humanoid_rl_ext.train.player import Player, PlayPlan
    from humanoid_rl_ext.train.session import Session
    from humanoid_rl_ext.train.start import RunPlan

Ask = Callable[[str, str, str], Callable[[], bool | None]]
"""Asks the user: title, text, what 'yes' is called. What comes back tells the answer, None until there is one."""


class KitOpener:
    """Implements ``ui.opening.Opener``; ``advance`` has to be called once per update of the application."""

    engines = ("kit",)

    def __init__(self, background: Background, ask: Ask) -> None:
        self._background, self._ask = background, ask
        self._work: Generator[None, None, Any] | None = None
        self._ready: Callable[[Any], None] = lambda work: None
        self._failed: Failed = lambda error: None
        self._physics: list[KitPhysics] = []

    @property
    def physics(self) -> KitPhysics | None:
        """The physics at work, if any."""
        return next((physics for physics in self._physics if physics.alive), None)

    @property
    def busy(self) -> bool:
        """Whether something is being opened, or has left something to be put back."""
        return self._work is not None or bool(self._physics)

    def session(self, plan: RunPlan, ready: Callable[[Session], None], failed: Failed) -> None:
        """Opens a run; see ``Opener``."""
        self._begin(self._open_session(plan), ready, failed)

    def player(self, plan: Callable[[], PlayPlan], on: str, ready: Callable[[Player], None], failed: Failed) -> None:
        """Opens a player; see ``Opener``."""
        self._begin(self._open_player(plan, on), ready, failed)

    def cancel(self) -> None:
        """Gives up what is being opened."""
        if self._work is not None:
            work, self._work = self._work, None
            work.close()
            self._close_physics()

    def advance(self) -> None:
        """Does the next piece, and puts back what finished work has left once the timeline has stopped."""
        if self._work is not None:
            try:
                next(self._work)
            except StopIteration as end:
                self._work = None
                self._ready(end.value)
            except Exception as error:
                self._work = None
                self._close_physics()
                self._failed(error)
        for physics in [physics for physics in self._physics if physics.can_clear]:
            physics.clear()
            self._physics.remove(physics)

    def close(self) -> None:
        """Gives up what is being opened and puts everything back at once."""
        self.cancel()
        self._close_physics()
        for physics in self._physics:
            physics.clear()
        self._physics.clear()

    def _begin(self, work: Generator[None, None, Any], ready: Callable[[Any], None], failed: Failed) -> None:
        self.cancel()
        self._work, self._ready, self._failed = work, ready, failed

    def _close_physics(self) -> None:
        for physics in self._physics:
            physics.close()

    def _open_session(self, plan: RunPlan) -> Generator[None, None, Session]:
        if isinstance(plan.task, str):
            raise BadInputError(f"{plan.task} brings its own physics; train it outside Isaac Sim: ./hrl train")
        task, run = plan.task, plan.config.run
        yield from self._packages()
        yield from self._learning()
        from humanoid_rl_ext.env.make import scene_settings, task_robot
        from humanoid_rl_ext.train.start import open_session, resolve_device

        robot = yield from self._in_background(lambda: task_robot(task))
        settings = scene_settings(task, run.num_envs + WATCHED, resolve_device(run.device))
        engine = yield from self._scene(robot, settings)
        config = plan.config.model_copy(update={"run": run.model_copy(update={"engine": "kit"})})
        return open_session(replace(plan, config=config), reserved=WATCHED, engine=engine)

    def _open_player(self, make_plan: Callable[[], PlayPlan], on: str) -> Generator[None, None, Player]:
        yield from self._packages()
        yield from self._learning()
        from humanoid_rl_ext.env.make import scene_settings, task_robot
        from humanoid_rl_ext.sim.kit import KitRobot
        from humanoid_rl_ext.train.player import open_player
        from humanoid_rl_ext.train.start import resolve_device

        plan = yield from self._in_background(make_plan)
        robot = yield from self._in_background(lambda: task_robot(plan.task))
        settings = scene_settings(plan.task, 1, resolve_device(plan.device))
        if on:
            from humanoid_rl_ext.hosts.kit.playing import open_stage_player

            standing = KitRobot(on, robot, settings)
            self._physics.append(standing)
            yield from standing.open()
            return open_stage_player(plan, standing)
        engine = yield from self._scene(robot, settings)
        return open_player(plan, engine=engine)

    def _scene(self, robot: RobotDescription, settings: SceneSettings) -> Generator[None, None, KitEngine]:
        """The engine of a scene of our own on the stage."""
        from humanoid_rl_ext.sim.kit import KitEngine, KitScene

        physics = KitScene(robot, settings)
        self._physics.append(physics)
        yield from physics.open()
        return KitEngine(physics)

    def _packages(self) -> Generator[None]:
        """Asks and installs what is missing."""
        from humanoid_rl_ext.hosts.kit.packages import PackageError, check_torch, install, missing

        check_torch()
        needed = missing()
        if not needed:
            return
        names = ", ".join(package.requirement for package in needed)
        answer = self._ask(
            "A Python package is missing",
            f"Training stores checkpoints with {names}, which Isaac Sim does not bring. Install it now from the Python "
            "Package Index into Isaac Sim's own environment?",
            "Install",
        )
        while (agreed := answer()) is None:
            yield
        if not agreed:
            raise PackageError(f"{names} was not installed; nothing was started")
        yield  # the question goes away before the application holds still
        install(needed)

    def _learning(self) -> Generator[None]:
        """Loads what takes seconds to import, while the application goes on."""
        from humanoid_rl_ext.train.start import load_libraries

        yield from self._in_background(load_libraries)

    def _in_background[Result](self, job: Callable[[], Result]) -> Generator[None, None, Result]:
        results: list[Result] = []
        errors: list[Exception] = []
        self._background.run(job, results.append, errors.append)
        while not (results or errors):
            yield
        if errors:
            raise errors[0]
        return results[0]
