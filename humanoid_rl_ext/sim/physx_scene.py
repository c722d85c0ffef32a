"""The life of the one PhysX scene a process may hold: start, clone, bind arrays, stop in the order PhysX survives."""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Sequence
from typing import Any

import torch

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.sim import scene
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.physx_log import route_native_log
from humanoid_rl_ext.sim.physx_rows import in_order
from humanoid_rl_ext.sim.physx_threads import calm_new_threads
from humanoid_rl_ext.sim.team_usd import robot_paths, scene_paths

_live: PhysxScene | None = None
_cpu_mode = False
_schemas_registered = False


class PhysxScene:
    """A started PhysX instance that holds all copies of one composed environment, warmed up.

    Raises:
        EngineError: while another scene lives in this process, or when PhysX cannot start.
    """

    def __init__(self, usda: str, settings: SceneSettings, offsets: torch.Tensor) -> None:
        """Starts PhysX on ``usda``; clone i stands at ``offsets[i]`` (scenes, 3) from environment 0."""
        global _live
        if _live is not None:
            raise EngineError("a process holds one ovphysx scene at a time: close the living engine first")
        self.robot_paths = robot_paths(scene.ROBOT, settings)
        root, _, _ = scene.ENVIRONMENT.rpartition("_")
        robot = scene.ROBOT.rpartition("/")[2]
        self._robots = f"{root}_*/{robot}" if settings.team_size == 1 else f"{root}_*/mate_*/{robot}"
        self._in_teams = settings.team_size > 1
        self._bindings: list[Any] = []
        self.instance: Any = None
        self._stage: Any = None
        _live = self
        try:
            with calm_new_threads():
                self._start(usda, settings, offsets)
        except (RuntimeError, ValueError) as error:
            self.close()
            raise EngineError(f"PhysX could not start: {_first_line(error)}") from error
        except BaseException:
            self.close()
            raise

    def _start(self, usda: str, settings: SceneSettings, offsets: torch.Tensor) -> None:
        import ovphysx
        import ovstage

        _choose_cpu_or_gpu(settings.device)
        _register_schemas()
        self.instance = ovphysx.PhysX(
            active_cuda_gpus=str(torch.device(settings.device).index or 0) if settings.device != "cpu" else None,
            config=ovphysx.PhysXConfig(num_threads=settings.num_threads, carbonite_overrides=_overrides(settings)),
        )
        atexit.register(self.close)  # runs before PhysX' own exit hook, which was registered earlier
        self.log = route_native_log()
        self._stage = ovstage.Stage("humanoid_rl")
        ovstage.population.open_usd_from_string(self._stage, usda, ordinal=1, domains=ovstage.PopulationDomain.ALL)
        self._stage.advance_write_floor(ordinal=1).wait()
        self.instance.attach_ovstage(self._stage, read_ordinal=1)
        first, *paths = scene_paths(scene.ENVIRONMENT, settings)
        if paths and (settings.team_size == 1 or settings.device != "cpu"):
            anchors = [(*offset, 0.0, 0.0, 0.0, 1.0) for offset in offsets.tolist()[1:]]
            self.instance.wait_op(self.instance.clone(first, paths, anchor_transforms=anchors))
        self.instance.warmup()

    def bind(self, array: str) -> Any:
        """A binding of one articulation array over all clones; see ``PhysxBackend.bind``."""
        from ovphysx.types import TensorType

        tensor_type = getattr(TensorType, f"ARTICULATION_{array}")
        for pattern in (f"{self._robots}/**", self._robots):
            with warnings.catch_warnings():
                # The tensor-binding API is deprecated in 0.6 in favour of one that 0.6 does not yet carry in full.
                warnings.simplefilter("ignore", DeprecationWarning)
                binding = self.instance.create_tensor_binding(pattern=pattern, tensor_type=tensor_type)
            self._bindings.append(binding)
            if binding.shape[0] > 0:
                return in_order(binding, self.robot_paths) if self._in_teams else binding
        raise EngineError("PhysX found no articulation in the scene: the robot's file did not compose to one")

    def bind_contacts(self, body_paths: Sequence[str]) -> Any:
        """A contact binding with a sensor on each body of each clone; see ``PhysxBackend.bind_contacts``."""
        patterns = [f"{self._robots}/{path}" if path else self._robots for path in body_paths]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            binding = self.instance.create_contact_binding(sensor_patterns=patterns)
        self._bindings.append(binding)
        return binding

    def step(self, substeps: int, dt: float) -> None:
        """Advances physics.

        Raises:
            EngineError: when PhysX fails to step, or loses contacts because a GPU buffer is too small.
        """
        try:
            self.instance.step_n_sync(substeps, dt)
        except RuntimeError as error:
            raise EngineError(f"PhysX failed to step: {error}") from error
        if self.log.overflow:
            raise EngineError(f"contacts are being lost, use fewer environments: {self.log.overflow}")

    def update_kinematics(self) -> None:
        """Makes body poses follow root and joints that were just written, on a GPU."""
        self.instance.update_articulations_kinematic()

    def close(self) -> None:
        """Frees everything, in the only order that does not crash: bindings, scene, PhysX, stage. Twice is fine."""
        global _live
        atexit.unregister(self.close)
        for binding in self._bindings:
            binding.destroy()
        self._bindings = []
        if self.instance is not None:
            self.instance.wait_op(self.instance.reset_stage())
            self.instance.destroy()
            self.instance = None
        if self._stage is not None:
            self._stage.destroy()
            self._stage = None
        if _live is self:
            _live = None


def _choose_cpu_or_gpu(device: str) -> None:
    """Sets PhysX' process-wide CPU mode, which cannot be taken back."""
    global _cpu_mode
    import ovphysx

    if device == "cpu":
        ovphysx.PhysX.set_cpu_mode(True)
        _cpu_mode = True
    elif _cpu_mode:
        raise EngineError("PhysX ran on the CPU in this process and cannot move to CUDA: start a new process")


def _register_schemas() -> None:
    global _schemas_registered
    if _schemas_registered:
        return
    import ovphysx
    import ovstage

    ovstage.population.register_usd_schemas([str(ovphysx.codeless_schema_root()), str(ovphysx.newton_schema_root())])
    _schemas_registered = True


def _overrides(settings: SceneSettings) -> dict[str, bool]:
    on_gpu = settings.device != "cpu"
    overrides = {
        "/physics/physxDispatcher": True,
        "/physics/updateToUsd": False,
        "/physics/updateVelocitiesToUsd": False,
        # On the GPU environment ids keep clones from colliding with each other; the CPU has none.
        "/ovphysx/clone/useEnvIds": on_gpu,
    }
    if on_gpu:  # DirectGPU: without these two every step copies the whole state to the host
        overrides |= {"/physics/suppressReadback": True, "/physics/suppressFabricUpdate": True}
    return overrides


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
