"""Warp kernels that bring Newton's arrays into the description's order."""

from __future__ import annotations

from typing import Any

import torch
import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def _gather(
    index: wp.array[int],
    source: wp.array3d[float],
    other_source: wp.array3d[float],
    out: wp.array3d[float],
    other_out: wp.array3d[float],
):
    world, item, part = wp.tid()  # type: ignore[misc]
    out[world, item, part] = source[world, index[item], part]
    if part < other_out.shape[2]:
        other_out[world, item, part] = other_source[world, index[item], part]


class Gather:
    """Copies chosen items of two times (num_envs, items[, parts]); nothing is allocated, so a graph can hold it."""

    def __init__(
        self, index: torch.Tensor, sources: tuple[torch.Tensor, torch.Tensor], outs: tuple[torch.Tensor, torch.Tensor]
    ) -> None:
        """``out[:, i] = source[:, index[i]]`` on every call; the first has at least the second's parts."""
        self._held = sources, outs
        self._inputs = [wp.from_torch(index.to(torch.int32).contiguous()), *map(_three_axes, sources)]
        self._outs = [_three_axes(out) for out in outs]

    def __call__(self) -> None:
        wp.launch(_gather, self._outs[0].shape, self._inputs, self._outs, device=self._outs[0].device)


@wp.kernel
def _late(history: wp.array3d[float], delay: wp.array[int], substep: int, substeps: int, out: wp.array2d[float]):
    world, joint = wp.tid()  # type: ignore[misc]
    age = (delay[world] - substep + substeps - 1) // substeps  # rounds towards zero, which the bounds below undo
    age = wp.clamp(age, 0, history.shape[0] - 1)
    out[world, joint] = history[age, world, joint]


class LateTargets:
    """``ActionDelay.schedule``, one sub-step of it, without an allocation, so that a graph can hold it."""

    def __init__(self, history: torch.Tensor, delay: torch.Tensor, out: torch.Tensor) -> None:
        """History (memory, num_envs, joints), delays (num_envs,) int32 in sub-steps, what acts (num_envs, joints)."""
        self._held = history, delay, out
        self._inputs = [wp.from_torch(history), wp.from_torch(delay)]
        self._out = wp.from_torch(out)

    def __call__(self, substep: int, substeps: int) -> None:
        inputs = [*self._inputs, substep, substeps]
        wp.launch(_late, self._out.shape, inputs, [self._out], device=self._out.device)


def _three_axes(values: torch.Tensor) -> Any:
    return wp.from_torch(values if values.dim() == 3 else values.unsqueeze(-1), dtype=wp.float32)


@wp.kernel
def _targets_to_control(targets: wp.array2d[float], joint: wp.array[int], control: wp.array2d[float]):
    world, actuator = wp.tid()  # type: ignore[misc]
    control[world, actuator] = targets[world, joint[actuator]]


class Control:
    """Hands joint targets (num_envs, joints) to the solver's actuators."""

    def __init__(self, targets: torch.Tensor, joint_of_actuator: torch.Tensor, control: Any) -> None:
        self._held, self._control = targets, control
        self._inputs = [wp.from_torch(targets), wp.from_torch(joint_of_actuator.to(torch.int32).contiguous())]

    def __call__(self) -> None:
        wp.launch(_targets_to_control, self._control.shape, self._inputs, [self._control], device=self._control.device)


@wp.kernel
def _restart(
    mask: wp.array[wp.bool],
    root_pose: wp.array2d[float],
    root_velocity: wp.array2d[float],
    joint_pos: wp.array2d[float],
    joint_vel: wp.array2d[float],
    limits: wp.array2d[float],
    described: wp.array[int],
    hold_position: wp.bool,
    position: wp.array2d[float],
    velocity: wp.array2d[float],
    root: wp.array2d[float],
    root_moves: wp.bool,
    targets: wp.array2d[float],
    world_mask: wp.array[wp.bool],
    articulation_mask: wp.array[wp.bool],
    team_size: int,
):
    world, column = wp.tid()  # type: ignore[misc]
    if column == 0:
        touched = mask[world]
        first = world - world % team_size
        for mate in range(team_size):
            touched = touched or mask[first + mate]
        world_mask[world // team_size] = touched  # the same from every robot of a team
        articulation_mask[world] = mask[world]
    if not mask[world]:
        return
    if column < described.shape[0]:
        joint = described[column]
        place = wp.clamp(joint_pos[world, joint], limits[world, 2 * joint], limits[world, 2 * joint + 1])
        position[world, position.shape[1] - described.shape[0] + column] = place
        velocity[world, velocity.shape[1] - described.shape[0] + column] = joint_vel[world, joint]
        targets[world, joint] = wp.where(hold_position, place, 0.0)
    if column < 7:
        root[world, column] = root_pose[world, column]
        if column < 6 and root_moves:
            velocity[world, column] = root_velocity[world, column]


class Restart:
    """Writes new starts into Newton's joint coordinates and velocities, and the masks of who got one."""

    def __init__(
        self,
        order: torch.Tensor,
        limits: torch.Tensor,
        position: torch.Tensor,
        velocity: torch.Tensor,
        root: torch.Tensor,
        root_moves: bool,
        targets: torch.Tensor,
        masks: tuple[Any, Any],
        team_size: int = 1,
    ) -> None:
        """``order``: the place of each of Newton's joints in the description; ``limits``: lower and upper in turns;
        ``root``: what takes the base's pose. All but ``order`` have the environments first; the first of the ``masks``
        has a world for every ``team_size`` of them."""
        self._held = limits, position, velocity, root, targets
        self._limits, self._order = wp.from_torch(limits), wp.from_torch(order.to(torch.int32).contiguous())
        self._outs = [
            *map(wp.from_torch, (position, velocity, root)),
            root_moves,
            wp.from_torch(targets),
            *masks,
            team_size,
        ]
        self._dim = (len(targets), max(7, len(order)))

    def __call__(self, mask: torch.Tensor, motion: tuple[torch.Tensor, ...], hold_position: bool) -> None:
        """Writes ``motion`` (root pose and velocity, joint positions and velocities) where ``mask`` is set."""
        given = [wp.from_torch(mask), *(wp.from_torch(values) for values in motion)]
        inputs = [*given, self._limits, self._order, hold_position]
        wp.launch(_restart, self._dim, inputs, self._outs, device=self._limits.device)


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
