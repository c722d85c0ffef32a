"""Policy folders: ``policy.pt`` and ``env.yaml``, which Isaac Sim's ``PolicyController`` loads as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from humanoid_rl_ext.deploy.isaac_env import (
    DEFAULT_ACTION_SCALE,
    FORMAT,
    OURS,
    JointSettings,
    env_data,
    joint_settings,
    mapping,
    number,
    read_env_yaml,
    section,
    write_env_yaml,
)
from humanoid_rl_ext.deploy.layout import action_scales, controller_interface, observed_terms, target_names
from humanoid_rl_ext.deploy.torchscript import load_module, policy_module, save_module
from humanoid_rl_ext.env.make import task_robot
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.train.checkpoint import latest_checkpoint, read_checkpoint, saved_agents
from humanoid_rl_ext.train.run_folder import RunFolder
from humanoid_rl_ext.train.watch import load_policy

if TYPE_CHECKING:
    from humanoid_rl_ext.task.schema import Task

POLICY, ENV = "policy.pt", "env.yaml"
GROUP_SETTINGS = ("concatenate_terms", "concatenate_dim", "enable_corruption", "history_length", "flatten_history_dim")
"""What stands beside the terms in Isaac Lab's group of observations."""


@dataclass(frozen=True, slots=True)
class ObservationTerm:
    """One entry of ``observations.policy``: what is measured, and what the caller does with it before the policy."""

    name: str
    function: str
    """``module:function`` of the term."""
    data: dict[str, Any]
    """The whole entry."""


@dataclass(frozen=True, slots=True)
class PolicyFolder:
    """A policy on disk, ready to be called: observations (n,) or (m, n) to one action per joint that it moves."""

    path: Path
    policy: Path
    env: Path
    module: torch.jit.ScriptModule
    data: dict[str, Any]
    """All of ``env.yaml``."""
    dt: float
    """Physics step (s)."""
    decimation: int
    """Physics steps per action."""
    action_scale: float | dict[str, float]
    """Joint target = default position + scale * action; by pattern of joint names where it is not one number."""
    observations: tuple[ObservationTerm, ...]
    """What the policy sees, in its order."""
    joint_names: tuple[str, ...] | None
    """Order of joints in observations and actions; None where the folder does not say, as in Isaac Lab's."""

    def joints(self, names: Iterable[str]) -> dict[str, JointSettings]:
        """Gains, limits and default positions by joint name, without the joints that the folder says nothing about."""
        names = list(names)
        spelled = target_names(names, None, "") | (self.data[OURS]["joints"] if self.joint_names else {})
        found = joint_settings(self.data, [spelled[name] for name in names], self.env)
        return {name: found[spelled[name]] for name in names if spelled[name] in found}


def export_policy_folder(
    source: Path, folder: Path | None = None, dof_names: Sequence[str] | None = None
) -> PolicyFolder:
    """Writes a checkpoint, or the newest one of a run, as a policy folder and reads it back.

    Goes to ``exports/step_N`` of the run unless ``folder`` is named. ``dof_names`` is the order of the robot's joints
    in the target, PhysX' spelling of D6 axes (``joint:0``) allowed; without it the robot description's order is used.

    Raises:
        BadInputError: for a run that cannot be exported in this form, or names that are not the robot's joints.
    """
    source = source.absolute()
    one = source.parent.name == "checkpoints"
    run = RunFolder.existing(source.parents[1] if one else source)
    checkpoint = source if one else latest_checkpoint(source)
    header = read_checkpoint(checkpoint).header
    task = run.task_at(header["env_steps"])
    if isinstance(task, str):
        raise BadInputError(f"{source}: {task} has no robot, and so nothing that Isaac Sim could play")
    if task.team is not None:
        raise BadInputError(f"{source}: its policy moves a team of robots, and a controller of joints moves one")
    if task.control.type != "joint_position":
        raise BadInputError(
            f"{source}: control.type is '{task.control.type}'; Isaac Sim's PolicyController drives joint positions "
            "alone, so only policies with 'joint_position' can be exported"
        )
    if task.action_kind != "box":
        raise BadInputError(f"{source}: its actions are a choice among moves, and a controller of joints needs numbers")
    robot = task_robot(task)
    spelled = target_names(robot.joint_names, dof_names, robot.name)
    spec = _spec(header["spec"], task)
    terms = observed_terms(task, header["spec"]["observation_names"]["policy"], spec.action.names)
    scales = action_scales(task.control, robot)
    scale = scales[0] if len(set(scales)) == 1 else max(scales, key=abs)
    interface = controller_interface(
        task, terms, spec.action.names, list(spelled), [value / scale if scale else 1.0 for value in scales]
    )
    module = policy_module(load_policy(checkpoint, spec, torch.device("cpu")), interface)
    data = env_data(task, robot, terms, spelled, scale)
    data[OURS] |= {"run": run.path.name, "checkpoint": checkpoint.name}
    folder = run.path / "exports" / checkpoint.name if folder is None else folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_module(module, folder / POLICY)
        write_env_yaml(data, folder / ENV)
    except (OSError, RuntimeError) as error:
        raise BadInputError(f"{folder}: cannot be written ({error}); name another folder") from None
    return read_policy_folder(folder)


def read_policy_folder(path: Path, device: torch.device | str = "cpu") -> PolicyFolder:
    """A policy folder of this project, of Isaac Lab or of Isaac Sim's samples; or one ``.pt`` file in it.

    The files are ``policy.pt`` and ``env.yaml``, or share what comes before that: ``physx_policy.pt`` goes with
    ``physx_env.yaml``.

    Raises:
        BadInputError: for files that are missing or broken, or an ``env.yaml`` without what playing needs.
    """
    path = path.absolute()
    policy = _policy_file(path)
    env = policy.with_name(policy.name.removesuffix(POLICY) + ENV)
    data = read_env_yaml(env)
    decimation = number(data.get("decimation"), f"{env}: decimation")
    dt = number(section(data, "sim", env).get("dt"), f"{env}: sim.dt")
    if decimation < 1 or decimation != int(decimation):
        raise BadInputError(f"{env}: decimation: must be a whole number of physics steps, not {decimation:g}")
    if dt <= 0:
        raise BadInputError(f"{env}: sim.dt: must be above zero, not {dt:g}")
    ours = data.get(OURS)
    if ours is not None and not (isinstance(ours, dict) and ours.get("format") == FORMAT):
        raise BadInputError(f"{env}: {OURS}: not of format {FORMAT}, which this version reads; export the policy anew")
    return PolicyFolder(
        path=policy.parent,
        policy=policy,
        env=env,
        module=load_module(policy, device),
        data=data,
        dt=dt,
        decimation=int(decimation),
        action_scale=_action_scale(data, env),
        observations=_observation_terms(data, env),
        joint_names=None if ours is None else tuple(section(data, f"{OURS}.joints", env)),
    )


def _policy_file(path: Path) -> Path:
    if path.suffix == ".pt":
        if not path.name.endswith(POLICY):
            raise BadInputError(f"{path}: a policy's file is called policy.pt or <name>_policy.pt")
        return path
    if not path.is_dir():
        raise BadInputError(f"{path}: no such policy folder")
    found = sorted(path.glob(f"*{POLICY}"))
    preferred = [file for file in found if file.name in (POLICY, f"physx_{POLICY}")]
    if len(preferred or found) > 1:
        raise BadInputError(f"{path}: holds several policies; name one of {', '.join(file.name for file in found)}")
    if not found:
        raise BadInputError(f"{path}: not a policy folder ({POLICY} missing)")
    return (preferred or found)[0]


def _action_scale(data: dict[str, Any], env: Path) -> float | dict[str, float]:
    """``action_scale`` as Isaac Sim's robots read it; where it is missing that of the only action, else their 0.5."""
    value = data.get("action_scale")
    if value is None:
        actions = [entry for entry in mapping(data.get("actions")).values() if isinstance(entry, dict)]
        value = actions[0].get("scale") if len(actions) == 1 else None
    if value is None:
        return DEFAULT_ACTION_SCALE
    if isinstance(value, dict):
        return {str(pattern): number(factor, f"{env}: actions: scale") for pattern, factor in value.items()}
    return number(value, f"{env}: action_scale")


def _observation_terms(data: dict[str, Any], env: Path) -> tuple[ObservationTerm, ...]:
    group = section(data, "observations.policy", env)
    terms = []
    for name, entry in group.items():
        if entry is None or name in GROUP_SETTINGS:
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("func"), str):
            raise BadInputError(f"{env}: observations.policy.{name}: 'func' is missing")
        terms.append(ObservationTerm(str(name), entry["func"], entry))
    if not terms:
        raise BadInputError(f"{env}: observations.policy: holds no term")
    return tuple(terms)


def _spec(saved: dict[str, Any], task: Task) -> EnvSpec:
    """The shapes that a checkpoint was saved with."""
    action = saved["action"]
    return EnvSpec(
        saved["num_envs"],
        dict(saved["observations"]),
        ActionSpec(action["kind"], action["size"], tuple(action["names"])),
        task.max_episode_length,
        {group: tuple(names) for group, names in saved["observation_names"].items()},
        saved_agents(saved),
        saved.get("reward_per_agent", False),
    )
