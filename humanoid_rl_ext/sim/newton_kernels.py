"""Warp kernels that bring Newton's arrays into the description's order."""

from __future__ import annotations

from typing import Any

import torch
import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def _gather(source: wp.array3d[float], index: wp.array[int], out: wp.array3d[float]):
    world, item, part = wp.tid()  # type: ignore[misc]
    out[world, item, part] = source[world, index[item], part]


class Gather:
    """Copies chosen items of (num_envs, items[, parts]) values; nothing is allocated, so a graph can hold it."""

    def __init__(self, source: torch.Tensor, index: torch.Tensor, out: torch.Tensor) -> None:
        """``out[:, i] = source[:, index[i]]`` on every call; both tensors may be views."""
        self._held = source, out
        self._out = _three_axes(out)
        self._inputs = [_three_axes(source), wp.from_torch(index.to(torch.int32).contiguous())]

    def __call__(self) -> None:
        wp.launch(_gather, self._out.shape, self._inputs, [self._out], device=self._out.device)


def _three_axes(values: torch.Tensor) -> Any:
    return wp.from_torch(values if values.dim() == 3 else values.unsqueeze(-1), dtype=wp.float32)


@wp.kernel
def normal_forces(
    count: wp.array[int],
    world: wp.array[int],
    geoms: wp.array[wp.vec2i],
    frame: wp.array[wp.mat33],
    dim: wp.array[int],
    row: wp.array2d[int],
    row_force: wp.array2d[float],
    max_rows: int,
    body_of_geom: wp.array[int],
    force: wp.array2d[wp.vec3],
):
    """Adds each contact's normal force to both of its bodies: the sum over the edges of its friction pyramid."""
    contact = wp.tid()
    if contact >= count[0]:
        return
    first = row[contact, 0]
    if first < 0:
        return
    edges = wp.max(1, 2 * (dim[contact] - 1))
    env = world[contact]
    total = float(0.0)  # noqa: UP018 (a literal would be a constant to Warp)
    for edge in range(edges):
        if first + edge < max_rows:
            total += row_force[env, first + edge]
    push = frame[contact][0] * total  # the normal points from the first geom to the second
    a = body_of_geom[geoms[contact][0]]
    b = body_of_geom[geoms[contact][1]]
    if a >= 0:
        wp.atomic_sub(force, env, a, push)
    if b >= 0:
        wp.atomic_add(force, env, b, push)
