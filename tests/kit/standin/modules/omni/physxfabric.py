"""Stand-in for ``omni.physxfabric``: poses on their way to the renderer."""

from __future__ import annotations

import omni.kit.app
import omni.physics.core


class IPhysXFabric:
    """Hands the renderer the poses of the last step."""

    def __init__(self) -> None:
        self._updates = 0

    def update(self, current_time: float, elapsed_time: float, /) -> None:
        """Hands over what moved."""
        self._hand_over()

    def force_update(self, current_time: float, elapsed_time: float, /) -> None:
        """Hands over everything."""
        self._hand_over()

    def attach_stage(self, stage_id: int, /) -> None:
        """Starts with a stage."""

    def detach_stage(self) -> None:
        """Lets the stage go."""

    def _hand_over(self) -> None:
        if not omni.kit.app.get_app().get_extension_manager().is_extension_enabled("omni.physx.fabric"):
            raise RuntimeError("omni.physx.fabric is not enabled")
        self._updates += 1
        omni.physics.core.get_physics_simulation_interface()._render()


_FABRIC = IPhysXFabric()


def get_physx_fabric_interface() -> IPhysXFabric:
    """The fabric of the default context."""
    return _FABRIC
