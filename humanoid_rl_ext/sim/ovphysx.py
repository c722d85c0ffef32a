"""PhysX from PyPI (``ovphysx``): zero-copy torch views on the CPU, DirectGPU on CUDA."""

from __future__ import annotations

from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.device import check_device
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.grid import square_grid, start_origins
from humanoid_rl_ext.sim.physx import PhysxEngine
from humanoid_rl_ext.sim.physx_scene import PhysxScene
from humanoid_rl_ext.sim.scene import compose


class OvPhysxEngine(PhysxEngine):
    """N copies of one robot on one ground in a PhysX scene of this process."""

    name = "ovphysx"

    def __init__(self, description: RobotDescription, settings: SceneSettings) -> None:
        """Starts PhysX and puts every robot into its standing pose.

        Raises:
            DeviceError: when CUDA is asked for and absent.
            EngineError: when PhysX cannot start, or holds other joints or bodies than the description.
        """
        device = check_device(settings.device, self.name)
        apart = square_grid(settings.num_scenes, settings.spacing)
        scene = PhysxScene(compose(description, settings), settings, apart - apart[0])
        super().__init__(description, settings, device, scene, start_origins(settings))
