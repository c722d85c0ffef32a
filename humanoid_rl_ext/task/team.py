"""What a Task says where several robots share a scene."""

from __future__ import annotations

from typing import Literal

from humanoid_rl_ext.task.section import Section, quantity


class TeamSection(Section):
    """Robots that stand in one scene and can touch each other. Each is an agent; an environment is a scene."""

    size: int = quantity(2, help="Robots in one scene; each is an agent", ge=2, le=64)
    spacing: float = quantity(
        1.5, unit="m", help="Distance between neighbours at the start, abreast along the world's y axis", ge=0, le=100
    )
    rewards: Literal["shared", "own"] = quantity(
        "shared", help="Whether all are paid the mean of what they earn, or each what it earns itself"
    )
    observes: Literal["own", "all"] = quantity(
        "own", help="Whether a robot sees its own observations, or those of the whole team"
    )

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents' names."""
        return tuple(f"robot_{index}" for index in range(self.size))
