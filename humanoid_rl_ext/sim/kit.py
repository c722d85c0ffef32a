"""Isaac Sim's own physics behind the engine protocol, through ``omni.physics.tensors``.

A scene comes up over several updates of the application, as physics does there: a host calls ``next`` on ``open()``
once per update until it ends. What was verified without Isaac Sim, and how, is in docs/isaac-sim.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import carb.settings
import omni.physics.tensors
import omni.timeline
import omni.usd
import torch
from isaacsim.core.cloner import Cloner
from isaacsim.core.simulation_manager import SimulationManager

from humanoid_rl_ext.errors import DeviceError, EngineError
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim import scene
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.grid import square_grid, start_origins
from humanoid_rl_ext.sim.on_stage import ENVIRONMENTS, StageLayer, articulation_root
from humanoid_rl_ext.sim.physx import Binding, PhysxEngine
from humanoid_rl_ext.sim.tensor_views import ArrayBinding, ContactBinding, Rows, WrenchBinding

PLAY_SIMULATIONS = "/app/player/playSimulations"
TOUCHED_SETTINGS = (
    PLAY_SIMULATIONS,
    "/physics/cudaDevice",
    "/physics/suppressReadback",
    "/physics/updateToUsd",
    "/physics/updateParticlesToUsd",
    "/physics/updateVelocitiesToUsd",
    "/physics/updateForceSensorsToUsd",
)
"""What starting, or SimulationManager on our behalf, changes; all of it is put back."""
NOT_ON_NEWTON = frozenset({"static_friction", "dynamic_friction", "restitution", "joint_friction", "drive_type"})
PATIENCE = 600
"""Updates of the application that physics may take to start or stop."""


class KitPhysics:
    """Physics of the running application, started for us and stopped with us. Implements ``physx.PhysxBackend``."""

    def __init__(self) -> None:
        self.robot_paths: Sequence[str] = ()
        self.layer: StageLayer | None = None
        self._settings = carb.settings.get_settings()
        self._timeline = omni.timeline.get_timeline_interface()
        self._before: dict[str, Any] = {}
        self._fabric_before = False
        self._simulation: Any = None
        self._view: Any = None
        self._dt = 0.0
        self._rows: Rows | None = None
        self._closed = False

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        ordinal = self._simulation.device_ordinal
        return torch.device("cpu") if ordinal < 0 else torch.device("cuda", ordinal)

    @property
    def engine_name(self) -> str:
        """``physx`` or ``newton``, whichever the application runs."""
        return str(SimulationManager.get_active_physics_engine())

    @property
    def alive(self) -> bool:
        """Whether physics still runs for us: stopping the timeline or closing the stage ends it."""
        return self._simulation is not None and bool(self._simulation.is_valid)

    def bind(self, array: str) -> Binding:
        """A binding of one array of the articulations; see ``PhysxBackend.bind``."""
        if array == "LINK_WRENCH":
            return WrenchBinding(self._view, self._mapped_rows(), self.device)
        return ArrayBinding(self._view, array, self._mapped_rows(), self.device)

    def bind_contacts(self, body_paths: Sequence[str]) -> ContactBinding:
        """A sensor on each body of each robot; see ``PhysxBackend.bind_contacts``."""
        robots = [f"{ENVIRONMENTS}/env_*{_IN_ENVIRONMENT}"] if len(self.robot_paths) > 1 else list(self.robot_paths)
        patterns = [f"{robot}/{body}".rstrip("/") for robot in robots for body in body_paths]
        return ContactBinding(self._simulation.create_rigid_contact_view(patterns), self._dt)

    def step(self, substeps: int, dt: float) -> None:
        """Advances physics."""
        SimulationManager.step(steps=substeps)

    def update_kinematics(self) -> None:
        """Makes body poses follow root and joints that were just written, on a GPU."""
        self._simulation.update_articulations_kinematic()

    def show(self) -> None:
        """Hands the robots' poses to the renderer; call it once per update of the application."""
        if not self.alive:
            return
        if self.engine_name == "physx":
            import omni.physxfabric

            omni.physxfabric.get_physx_fabric_interface().update(SimulationManager.get_simulation_time(), self._dt)
        else:
            import isaacsim.physics.newton

            isaacsim.physics.newton.acquire_stage().update_fabric()

    def close(self) -> None:
        """Ends physics for us and stops the timeline; ``clear`` must follow. Twice is fine."""
        if not self._closed:
            self._closed = True
            self._simulation = self._view = self._rows = None
            self._timeline.stop()

    @property
    def can_clear(self) -> bool:
        """Whether physics was closed and has let go of the stage."""
        return self._closed and bool(self._timeline.is_stopped())

    def clear(self) -> None:
        """Takes everything off the stage again and puts all settings back; twice is fine."""
        if self.layer is not None:
            self.layer.drop()
            self.layer = None
        before, self._before = self._before, {}
        if not before:
            return
        if SimulationManager.is_fabric_enabled() != self._fabric_before:
            SimulationManager.enable_fabric(self._fabric_before)
        for path, value in before.items():
            if value is None:
                self._settings.destroy_item(path)
            else:
                self._settings.set(path, value)

    def _start(self, dt: float) -> Iterator[None]:
        """Plays the timeline until physics is there, once per update of the application."""
        self._dt = dt
        self._timeline.play()
        yield from _until(
            lambda: SimulationManager.get_physics_simulation_view() is not None,
            "Isaac Sim did not start the simulation; its console says why",
        )
        assert self.layer is not None
        self._simulation = omni.physics.tensors.create_simulation_view(
            "torch", stage_id=self.layer.stage_id, backend=self.engine_name
        )
        self._simulation.set_subspace_roots("/")

    def _view_robots(self, pattern: str) -> None:
        self._view = self._simulation.create_articulation_view(pattern)
        if self._view is None or self._view.count == 0:
            raise EngineError(f"physics found no articulation at {pattern}")

    def _mapped_rows(self) -> Rows:
        if self._rows is None:
            self._rows = Rows(self._view.prim_paths, self.robot_paths, self.device)
        return self._rows

    def _remember(self) -> None:
        self._before = {path: self._settings.get(path) for path in TOUCHED_SETTINGS}
        self._fabric_before = SimulationManager.is_fabric_enabled()


class KitScene(KitPhysics):
    """N copies of one robot in a scene of their own on the open stage."""

    def __init__(self, description: RobotDescription, settings: SceneSettings) -> None:
        super().__init__()
        _refuse_teams(settings)
        self.description, self.settings = description, settings
        self.env_origins = start_origins(settings)
        self._apart = square_grid(settings.num_envs, settings.spacing)
        self._replicated = False

    def open(self) -> Iterator[None]:
        """Builds the scene and starts physics; takes an update of the application for each item.

        Raises:
            EngineError: when the stage cannot be trained on, or physics does not start.
            DeviceError: when physics runs on another device than was asked for.
        """
        stage = _open_stage()
        yield from _stopped(self._timeline)
        settings, cloner, self.layer = self.settings, Cloner(stage), StageLayer(stage)
        self.layer.add_scene(scene.compose(self.description, settings))
        cloner.disable_change_listener()
        try:
            environments = self.layer.copy_environment(self._apart - self._apart[0])
        finally:
            cloner.enable_change_listener()
        self.robot_paths = [f"{path}{_IN_ENVIRONMENT}" for path in environments]
        yield
        self._remember()
        with self.layer.editing():
            SimulationManager.setup_simulation(device=settings.device)
            _set_dt(settings.dt)
            if self.engine_name == "physx" and len(environments) > 1:
                cloner.replicate_physics(
                    environments[0],
                    environments,
                    ENVIRONMENTS,
                    f"{ENVIRONMENTS}/env_",
                    enable_env_ids=settings.device != "cpu",
                )
                self._replicated = True
        SimulationManager.enable_fabric(True)
        self._settings.set(PLAY_SIMULATIONS, True)
        yield from self._start(settings.dt)
        self._settings.set(PLAY_SIMULATIONS, False)  # from here on nobody steps but we
        if self.device.type != settings.device.partition(":")[0]:
            raise DeviceError(f"device '{settings.device}' was asked for, but Isaac Sim's physics is on {self.device}")
        root = articulation_root(stage.GetPrimAtPath(self.robot_paths[0]))
        self._view_robots(f"{ENVIRONMENTS}/env_*{root.removeprefix(environments[0])}")

    def close(self) -> None:
        """Ends physics for us; see ``KitPhysics.close``."""
        if self._replicated and self.layer is not None:
            from omni.physx import get_physx_replicator_interface

            get_physx_replicator_interface().unregister_replicator(self.layer.stage_id)
            self._replicated = False
        super().close()


class KitRobot(KitPhysics):
    """The robot that stands on the user's stage; the application steps it."""

    def __init__(self, path: str, description: RobotDescription, settings: SceneSettings) -> None:
        """``path`` is the robot's root prim."""
        super().__init__()
        _refuse_teams(settings)
        self.robot_paths = [path]
        self.description, self.settings = description, replace(settings, terrain=None)  # the ground is the stage's

    def open(self) -> Iterator[None]:
        """Plays the timeline afresh; takes an update of the application for each item.

        Raises:
            EngineError: where no robot stands at the path, or physics does not start.
        """
        stage = _open_stage()
        yield from _stopped(self._timeline)
        robot = stage.GetPrimAtPath(self.robot_paths[0])
        if not robot:
            raise EngineError(f"no prim {self.robot_paths[0]} is on the stage")
        articulation_root(robot)
        self.layer = StageLayer(stage)
        self.layer.prepare_robot(robot, self.description, self.settings.self_collision)
        yield
        self._remember()
        self._settings.set(PLAY_SIMULATIONS, True)
        yield from self._start(SimulationManager.get_physics_dt())
        self._view_robots(articulation_root(robot))

    @property
    def dt(self) -> float:
        """How long the application's physics steps are (s)."""
        return self._dt

    def show(self) -> None:
        """The application shows what it steps itself."""

    def step(self, substeps: int, dt: float) -> None:
        """The application steps, not we."""
        raise EngineError("a robot on the user's stage is stepped by the application")


class KitEngine(PhysxEngine):
    """The robots of an opened ``KitScene``, or the one of an opened ``KitRobot``."""

    name = "kit"

    def __init__(self, physics: KitScene | KitRobot) -> None:
        """Puts every robot of a scene into its standing pose; a robot on the user's stage stays as it is.

        Closes the physics with itself.
        """
        description, settings = physics.description, physics.settings
        own, self._physics = isinstance(physics, KitScene), physics
        origins = physics.env_origins if isinstance(physics, KitScene) else torch.zeros(1, 3)
        unsupported = NOT_ON_NEWTON if physics.engine_name == "newton" else ()
        super().__init__(description, settings, physics.device, physics, origins, unsupported, stand=own)
        if not own:
            self.refresh(bodies=True)
            self.env_origins.copy_(self.state.root_pose[:, :3])
            self.env_origins[:, 2] -= description.standing_height

    def step(self, substeps: int) -> None:
        """Advances physics; see ``Engine.step``.

        Raises:
            EngineError: when the application's physics has stopped.
        """
        if not self._physics.alive:
            raise EngineError("the simulation was stopped")
        super().step(substeps)


_IN_ENVIRONMENT = scene.ROBOT.removeprefix(scene.ENVIRONMENT)


def _set_dt(dt: float) -> None:
    """Sets the physics step; Isaac Sim keeps it as a whole number of steps per second, cut off and not rounded."""
    rate = round(1.0 / dt)
    if abs(1.0 / dt - rate) > 1e-3 * rate:
        raise EngineError(f"sim.dt {dt:g} s is {1.0 / dt:.2f} steps per second; Isaac Sim needs a whole number")
    SimulationManager.setup_simulation(dt=1.0 / (rate + 0.5))


def _refuse_teams(settings: SceneSettings) -> None:
    if settings.team_size > 1:
        raise EngineError("several robots in a scene ('team') need the engine ovphysx or newton, outside Isaac Sim")


def _open_stage() -> Any:
    if "isaaclab_physx" in sys.modules:
        raise EngineError("Isaac Lab runs physics in this Isaac Sim; start Isaac Sim without it")
    stage = omni.usd.get_context().get_stage()
    if stage is None:
        raise EngineError("no stage is open: File > New")
    return stage


def _stopped(timeline: Any) -> Iterator[None]:
    if not timeline.is_stopped():
        timeline.stop()
    yield from _until(timeline.is_stopped, "the timeline does not stop")
    yield  # whoever listens to the stop has done what it does then


def _until(condition: Any, complaint: str) -> Iterator[None]:
    for _ in range(PATIENCE):
        if condition():
            return
        yield
    raise EngineError(complaint)
