"""Stand-in for ``omni.physics.core``: the stage's physics, loaded, stepped and freed."""

from __future__ import annotations

import math
import traceback
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import carb
import carb.settings
import omni.kit.app
import omni.physx
import omni.timeline
import omni.usd
from standin.physics import LoadedStage

_SUBSCRIPTIONS_ARE_FIXED = "subscriptions cannot be changed in a physics step callback"


@dataclass(frozen=True, slots=True)
class PhysicsStepContext:
    """Which simulation a step callback is about."""

    scene_path: str
    simulation_id: int


class StepSubscription:
    """A subscription to physics steps, which ends with the last reference to it."""

    def __init__(self, simulation: IPhysicsSimulation, key: int) -> None:
        self._simulation = weakref.ref(simulation)
        self._key = key

    def __del__(self) -> None:
        simulation = self._simulation()
        if simulation is not None:
            if simulation._in_callback:
                carb.log_error(_SUBSCRIPTIONS_ARE_FIXED)
            simulation._subscriptions.pop(self._key, None)


class IPhysicsSimulation:
    """Steps the physics of the open stage."""

    def __init__(self) -> None:
        self._loaded: LoadedStage | None = None
        self._subscriptions: dict[int, tuple[int, bool, Callable[[float, Any], None]]] = {}
        self._next = 0
        self._in_callback = False
        self._remainder = 0.0
        self._rendered: dict[str, list[float]] = {}

    def get_attached_stage(self) -> int:
        """The id of the open stage, 0 without one."""
        return max(omni.usd.get_context().get_stage_id(), 0)

    def simulate(self, elapsed_step: float, current_time: float, /) -> None:
        """One step of ``elapsed_step`` seconds.

        Raises:
            RuntimeError: inside a step callback, or without a loaded stage.
        """
        if self._in_callback:
            raise RuntimeError("physics cannot be stepped in a physics step callback")
        if self._loaded is None:
            raise RuntimeError("physics is not loaded: the timeline is stopped")
        if self._engine() == "newton" and not omni.timeline.get_timeline_interface().is_playing():
            return
        self._call(True, elapsed_step)
        self._loaded.step(elapsed_step)
        if carb.settings.get_settings().get_as_bool("/physics/updateToUsd"):
            self._loaded.write_poses()
        self._call(False, elapsed_step)

    def subscribe_physics_on_step_events(
        self, *, pre_step: bool, order: int, on_update: Callable[[float, Any], None]
    ) -> StepSubscription:
        """Calls ``on_update(dt, context)`` before or after each step for as long as the handle lives."""
        self._check_subscriptions_may_change()
        self._next += 1
        self._subscriptions[self._next] = (order, pre_step, on_update)
        return StepSubscription(self, self._next)

    def _engine(self) -> str:
        from isaacsim.core.simulation_manager import SimulationManager

        return SimulationManager.get_active_physics_engine()

    def _check_subscriptions_may_change(self) -> None:
        if self._in_callback:
            raise RuntimeError(_SUBSCRIPTIONS_ARE_FIXED)

    def _call(self, pre_step: bool, dt: float) -> None:
        due = sorted((order, key) for key, (order, before, _) in self._subscriptions.items() if before == pre_step)
        self._in_callback = True
        try:
            for _, key in due:
                try:
                    self._subscriptions[key][2](dt, PhysicsStepContext("", 0))
                except Exception:
                    carb.log_error(traceback.format_exc())
        finally:
            self._in_callback = False

    def _free(self) -> None:
        if self._loaded is not None:
            self._loaded.free()
            self._loaded = None
        self._remainder = 0.0
        self._rendered = {}

    def _require_loaded(self) -> LoadedStage:
        if self._loaded is None or not self._loaded.shared.valid:
            raise Exception("the simulation view is not valid: physics was stopped or what it looked at is gone")
        return self._loaded

    def _render(self) -> None:
        if self._loaded is not None:
            self._rendered = self._loaded.link_poses()


class IPhysicsStageUpdate:
    """Loads physics from the open stage."""

    def __init__(self, simulation: IPhysicsSimulation) -> None:
        self._simulation = simulation

    def force_load_physics_from_usd(self) -> None:
        """Loads everything composed on the open stage."""
        context = omni.usd.get_context()
        check = omni.physx.get_physx_replicator_interface()._checks.get(context.get_stage_id())
        if check is not None:
            check()
        self._simulation._free()
        self._simulation._loaded = LoadedStage(context.get_stage())

    def reset_simulation(self) -> None:
        """Frees physics; the authored poses stand again."""
        self._simulation._free()

    def _update(self, elapsed: float) -> None:
        """The steps that are due in a frame, while the timeline plays and the player may simulate."""
        settings = carb.settings.get_settings()
        simulation = self._simulation
        if (
            simulation._loaded is None
            or not omni.timeline.get_timeline_interface().is_playing()
            or not settings.get_as_bool("/app/player/playSimulations")
        ):
            return
        from isaacsim.core.simulation_manager import SimulationManager

        rate = round(1.0 / SimulationManager.get_physics_dt())
        due = (elapsed + simulation._remainder) * rate
        steps = math.floor(due + 1e-9)
        simulation._remainder = (due - steps) / rate
        most = rate / (settings.get_as_float("/persistent/simulation/minFrameRate") or 30.0)
        for _ in range(min(steps, math.floor(most))):
            SimulationManager._simulate()
        simulation._render()


_SIMULATION = IPhysicsSimulation()
_STAGE_UPDATE = IPhysicsStageUpdate(_SIMULATION)
omni.kit.app.get_app()._stage_updates.append(_STAGE_UPDATE._update)


def get_physics_simulation_interface() -> IPhysicsSimulation:
    """What steps physics."""
    return _SIMULATION


def get_physics_stage_update_interface() -> IPhysicsStageUpdate:
    """What loads physics."""
    return _STAGE_UPDATE
