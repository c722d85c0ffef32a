"""Stand-in for ``isaacsim.physics.newton``, which is there where the application runs Newton."""

from __future__ import annotations

import omni.physics.core
from isaacsim.core.simulation_manager import SimulationManager


class NewtonStage:
    """Newton's side of the open stage."""

    def update_fabric(self) -> None:
        """Hands the poses of the last step to the renderer."""
        omni.physics.core.get_physics_simulation_interface()._render()


_STAGE = NewtonStage()


def acquire_stage() -> NewtonStage | None:
    """Newton's stage, or None where PhysX runs."""
    return _STAGE if SimulationManager.get_active_physics_engine() == "newton" else None
