"""The one term of the shared task that Isaac Lab's experimental Warp front end lacks."""

import math
from typing import Any

import warp as wp


@wp.kernel
def _tilted(root_pose: wp.array(dtype=wp.transformf), cosine: float, out: wp.array(dtype=wp.bool)):
    i = wp.tid()
    up = wp.quat_rotate(wp.transform_get_rotation(root_pose[i]), wp.vec3f(0.0, 0.0, 1.0))
    out[i] = up[2] < cosine


def bad_orientation(env: Any, out: Any, limit_angle: float, asset_cfg: Any = None) -> None:
    """Ends episodes whose base leans further than ``limit_angle`` (rad) from upright."""
    pose = env.scene["robot"].data.root_link_pose_w.warp
    wp.launch(_tilted, dim=env.num_envs, inputs=[pose, math.cos(limit_angle), out], device=env.device)


bad_orientation.__module__ = "isaaclab_experimental.envs.mdp.terminations"  # by this the front end knows its own terms
