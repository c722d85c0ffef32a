"""Playing the policy of a policy folder in a scene of our own, as a checkpoint is played."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from humanoid_rl_ext.deploy.folder_task import task_from_policy_folder
from humanoid_rl_ext.deploy.layout import observed_terms, target_names
from humanoid_rl_ext.deploy.policy_folder import PolicyFolder, read_policy_folder
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.train.player import PlayPlan, plan_player

if TYPE_CHECKING:
    from humanoid_rl_ext.env.transition import EnvSpec, Observations
    from humanoid_rl_ext.env.vec_env import VecEnv
    from humanoid_rl_ext.learn.learner import Learner
    from humanoid_rl_ext.task.schema import Task


class FolderPolicy:
    """Acts in the place of a learner: turns observations into the folder's order of joints, and actions back."""

    def __init__(
        self, folder: PolicyFolder, task: Task, spec: EnvSpec, joints: Sequence[str], device: torch.device
    ) -> None:
        """``joints`` is the folder's order of all joints; ``task``, ``spec`` and ``device`` are the environment's.

        Raises:
            BadInputError: when the policy takes another number of observations, or gives another number of actions.
        """
        self.folder = folder
        names = (spec.observation_names or {})["policy"]
        picks: list[int] = []
        for term in observed_terms(task, names, spec.action.names):
            start = len(picks)
            picks += [start + term.parts.index(part) for part in term.ordered(joints)]
        moved = [name for name in joints if name in spec.action.names]
        self._picks = torch.tensor(picks, device=device)
        self._places = torch.tensor([moved.index(name) for name in spec.action.names], device=device)
        self._check(len(picks), len(moved))

    @torch.no_grad()
    def act_deterministic(self, obs: Observations) -> torch.Tensor:
        """(num_envs, actions) in the environment's order, for its observations."""
        seen = obs["policy"]
        actions = self.folder.module(seen[:, self._picks]).reshape(seen.shape[0], -1)
        return actions[:, self._places]

    def _check(self, size: int, actions: int) -> None:
        policy = self.folder.policy
        try:
            with torch.no_grad():
                made = self.folder.module(torch.zeros(1, size, device=self._picks.device))
        except RuntimeError:
            seen = ", ".join(term.name for term in self.folder.observations)
            raise BadInputError(f"{policy}: does not take the {size} observations of its env.yaml ({seen})") from None
        if not isinstance(made, torch.Tensor) or made.numel() != actions:
            count = made.numel() if isinstance(made, torch.Tensor) else 0
            raise BadInputError(f"{policy}: gives {count} actions where the robot has {actions} joints to move")


def plan_policy_folder(
    folder: Path,
    robot: str | None = None,
    device: str | None = None,
    dof_names: Sequence[str] | None = None,
    engine: str = "ovphysx",
) -> PlayPlan:
    """The plan to play a policy folder of this project, of Isaac Lab or of Isaac Sim's samples.

    ``robot`` is a name or file; a folder of this project knows its own. ``dof_names`` is the order of joints the policy
    was trained with, where the folder does not say it; without it that of the robot's description, which is PhysX' for
    most robots.

    Raises:
        HumanoidRLError: when the folder is broken or asks for what is not known here, or the robot cannot be had.
    """
    read = read_policy_folder(folder)
    task = task_from_policy_folder(read, robot)

    def policy(env: VecEnv) -> Learner:
        described = env.engine.robot
        named = dof_names if dof_names is not None else read.joint_names
        joints = list(target_names(described.joint_names, named, described.name))
        return cast("Learner", FolderPolicy(read_policy_folder(folder, env.device), task, env.spec, joints, env.device))

    return PlayPlan(read.path, task, device or "auto", engine, policy)


def plan_playing(source: Path, robot: str | None = None) -> PlayPlan:
    """The plan for a checkpoint, a run folder or a policy folder, which may need to be told its ``robot``.

    Raises:
        HumanoidRLError: when ``source`` is none of them, or cannot be played.
    """
    if source.suffix == ".pt" or (source / "env.yaml").exists():
        return plan_policy_folder(source, robot)
    return plan_player(source)
