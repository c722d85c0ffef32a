"""Forces and torques that act on the links of articulations in the next step; PhysX adds up what comes before it."""

from __future__ import annotations

from typing import Any

import torch

from humanoid_rl_ext.sim.rotation import rotate
from standin.rows import Rows


def apply_wrench(rows: Rows, force: Any, torque: Any, position: Any, indices: Any, is_global: bool) -> None:
    """Applies (count, links, 3) vectors to the named rows; see ``ArticulationView``."""
    binding = rows.binding("link_wrenches")
    pose = rows.read("link_transforms")
    forces, torques, points = (rows.vectors(data) for data in (force, torque, position))
    if not is_global:
        forces, torques = rotate(pose[..., 3:], forces), rotate(pose[..., 3:], torques)
        points = pose[..., :3] + rotate(pose[..., 3:], points)
    if position is None:
        points = pose[..., :3] + rotate(pose[..., 3:], rows.read("coms")[..., :3])
    chosen = rows.rows(indices)
    if chosen.numel():
        binding.write(torch.cat((forces, torques, points), dim=-1), indices=chosen)
