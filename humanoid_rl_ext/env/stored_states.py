"""States that episodes start from in place of the standing pose: read from a file, or taken from the run itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from humanoid_rl_ext.env.terms import RandomBlock
from humanoid_rl_ext.errors import TaskError, did_you_mean
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.task.schema import EpisodesSection

Motion = tuple[torch.Tensor, ...]
"""Root pose (n, 7), root velocity (n, 6), joint positions and velocities (n, joints)."""
KEYS = ("root_pose", "root_velocity", "joint_pos", "joint_vel", "joint_names")


class StoredStates:
    """Full states of the robot, one of which replaces the standing start of a share of the episodes.

    Randomisations of the initial state do not vary them. Positions are relative to the environment's origin.
    """

    def __init__(
        self,
        episodes: EpisodesSection,
        engine: Engine,
        origins: torch.Tensor,
        step: Step,
        block: RandomBlock,
        learning: int,
    ) -> None:
        """``origins`` (num_envs, 3) are those of the episodes that are about to start.

        The first ``learning`` environments fill the buffer.

        Raises:
            TaskError: for a file that is missing or does not fit the robot.
        """
        self._engine, self._origins, self._block, self._learning = engine, origins, block, learning
        self._columns = block.allot(2)
        self._share = episodes.share
        self._widths = [7, 6, len(engine.robot.joints), len(engine.robot.joints)]
        self._fills = episodes.start_from == "buffer"
        self._interval = max(1, round(episodes.interval_s / step.dt))
        self._steps = self._next = 0
        device = engine.device
        if self._fills:
            self._states = torch.zeros(episodes.capacity, sum(self._widths), device=device)
        else:
            self._states = read_states(episodes.path, engine.robot).to(device)
        self._count = torch.tensor(0 if self._fills else len(self._states), device=device)

    def replace(self, motion: Motion) -> Motion:
        """The start states with some of them, by chance, replaced by stored ones."""
        draw = self._block[self._columns]
        index = (draw[:, 1] * self._count).long()
        chosen = ((draw[:, 0] < self._share) & (self._count > 0)).unsqueeze(-1)
        stored = list(self._states[index].split(self._widths, dim=-1))
        stored[0] = stored[0] + torch.nn.functional.pad(self._origins, (0, 4))
        return tuple(torch.where(chosen, new, old) for new, old in zip(stored, motion, strict=True))

    def take_in(self, step: Step) -> None:
        """Once per step, outside what is recorded: at intervals the buffer takes the present state of every robot.

        Each is kept at its height above its ground, over the environment's origin.
        """
        self._steps += 1
        if not self._fills or self._steps % self._interval:
            return
        state, capacity = self._engine.state, len(self._states)
        rows = min(self._learning, capacity)
        here = torch.cat((state.root_pose, state.root_velocity, state.joint_pos, state.joint_vel), dim=-1)[:rows]
        here[:, :2], here[:, 2] = 0.0, step.root_height[:rows]
        first = min(rows, capacity - self._next)
        self._states[self._next : self._next + first] = here[:first]
        self._states[: rows - first] = here[first:]
        self._count.copy_((self._count + rows).clamp(max=capacity))
        self._next = (self._next + rows) % capacity

    def state_dict(self) -> dict[str, Any]:
        """What the buffer holds; of a file, nothing but the place in the interval."""
        held = {"states": self._states.clone(), "count": self._count.clone()} if self._fills else {}
        return {"steps": self._steps, "next": self._next, **held}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restores ``state_dict``; a buffer of another capacity begins empty."""
        self._steps, self._next = saved["steps"], saved["next"]
        if self._fills and "states" in saved and saved["states"].shape == self._states.shape:
            self._states.copy_(saved["states"])
            self._count.copy_(saved["count"])
        elif self._fills:
            self._next = 0
            self._count.zero_()


def read_states(path: str | Path, robot: RobotDescription) -> torch.Tensor:
    """(states, 13 + 2 joints) of a ``.npz`` file: root pose and velocity, joint positions and velocities.

    Joints are matched by name; those that the file has not got stand in their standing pose. Poses are relative to
    the environment's origin, quaternions x, y, z, w.

    Raises:
        TaskError: for a file that is missing, has not got the arrays, or names a joint that the robot has not got.
    """
    place = f"episodes.path: {path}"
    try:
        with np.load(Path(path).expanduser(), allow_pickle=False) as file:
            data = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise TaskError(f"{place}: cannot be read as .npz ({str(error).splitlines()[0]})") from None
    missing = [key for key in KEYS if key not in data]
    if missing:
        raise TaskError(f"{place}: has no array '{missing[0]}'; it needs {', '.join(KEYS)}")
    names = [str(name) for name in np.atleast_1d(data["joint_names"])]
    count = len(np.atleast_1d(data["root_pose"]))
    for key, width in zip(KEYS, (7, 6, len(names), len(names)), strict=False):
        if data[key].shape != (count, width) or not count:
            raise TaskError(f"{place}: '{key}' must be (states, {width}), not {data[key].shape}")
        if not np.issubdtype(data[key].dtype, np.number) or not np.isfinite(data[key]).all():
            raise TaskError(f"{place}: '{key}' holds values that are not finite numbers")
    unknown = [name for name in names if name not in robot.joint_names]
    if unknown:
        raise TaskError(
            f"{place}: the robot has no joint '{unknown[0]}'; {did_you_mean(unknown[0], robot.joint_names)}"
        )
    columns = [robot.joint_names.index(name) for name in names]
    joint_pos = np.tile([joint.default for joint in robot.joints], (count, 1))
    joint_vel = np.zeros_like(joint_pos)
    joint_pos[:, columns], joint_vel[:, columns] = data["joint_pos"], data["joint_vel"]
    joint_pos = joint_pos.clip([joint.lower for joint in robot.joints], [joint.upper for joint in robot.joints])
    root_pose = data["root_pose"].astype(np.float64)
    length = np.linalg.norm(root_pose[:, 3:], axis=-1, keepdims=True)
    if (length < 1e-6).any():
        raise TaskError(f"{place}: 'root_pose' holds a quaternion of length zero")
    root_pose[:, 3:] /= length
    states = np.concatenate((root_pose, data["root_velocity"], joint_pos, joint_vel), axis=-1)
    return torch.from_numpy(states.astype(np.float32))


def write_states(path: str | Path, engine: Engine) -> None:
    """Writes the present state of every environment as a file that ``read_states`` reads."""
    state = engine.state
    pose = state.root_pose - torch.nn.functional.pad(engine.env_origins, (0, 4))
    values = (pose, state.root_velocity, state.joint_pos, state.joint_vel)
    arrays: dict[str, Any] = {key: value.cpu().numpy() for key, value in zip(KEYS, values, strict=False)}
    np.savez(Path(path), joint_names=np.array(engine.robot.joint_names), **arrays)
