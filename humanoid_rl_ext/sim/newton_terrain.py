"""Uneven ground in Newton: its height field, and its own collision detection in place of MuJoCo's.

MuJoCo-Warp takes a mesh as its convex hull, and its contacts with a height field are those of the prisms below it, one
by one: the load of a box at rest then jumps by half its weight (docs/terrain.md). Newton's own detection does not.
"""

from __future__ import annotations

from typing import Any

import newton
import warp as wp

from humanoid_rl_ext.sim.terrain import Terrain

CONTACTS_PER_SHAPE, LEAST_CONTACTS = 4, 32
"""Contact points that a shape, and an environment at the least, is given room for; a box can have a dozen."""
TRIANGLES_PER_ENV = 512
"""Pairs of a shape and a triangle of the ground near it that an environment is given room for."""


def add_terrain(builder: Any, terrain: Terrain, config: Any, label: str) -> None:
    """Adds the height field as a shape that all environments share."""
    heights, (reach_x, reach_y) = terrain.heights.T, terrain.reach  # rows run along y
    lowest = float(heights.min())
    above = heights - lowest  # of a field that goes below 0, Newton 1.6 loses the depth: the shape stands lower instead
    field = newton.Heightfield(above, *above.shape, reach_x, reach_y, 0.0, float(above.max()))
    xform = wp.transform((0.0, 0.0, lowest), wp.quat(0.0, 0.0, 0.0, 1.0))
    builder.add_shape_heightfield(heightfield=field, xform=xform, cfg=config, label=label)


class TerrainContacts:
    """Detects all contacts of a sub-step and hands them to the solver."""

    def __init__(self, model: Any, num_envs: int, per_env: int) -> None:
        """``per_env`` is how many contact points an environment has room for."""
        self._pipeline = newton.CollisionPipeline(
            model,
            broad_phase="explicit",
            rigid_contact_max=per_env * num_envs,
            max_triangle_pairs=TRIANGLES_PER_ENV * max(64, num_envs),
        )
        self.found = self._pipeline.contacts()

    def detect(self, state: Any) -> Any:
        """The contacts of a state; the same object each time, no word to the host."""
        self._pipeline.collide(state, self.found)
        return self.found
