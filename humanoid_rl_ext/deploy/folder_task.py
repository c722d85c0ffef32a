"""From a policy folder to a Task in which the policy can be played: what it sees, how it acts, on which robot."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from humanoid_rl_ext.deploy.isaac_env import OURS, mapping, number
from humanoid_rl_ext.deploy.policy_folder import ObservationTerm, PolicyFolder, read_policy_folder
from humanoid_rl_ext.errors import BadInputError, TaskError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.overrides import RobotOverrides
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.task.yaml_source import Source, validate

OUR_TERMS = "humanoid_rl_ext.mdp."
OUR_ACTIONS = "humanoid_rl_ext.env.actions:"
ISAAC_LAB_TERMS = {
    "base_pos_z": "root_height",
    "base_lin_vel": "root_lin_vel",
    "base_ang_vel": "root_ang_vel",
    "projected_gravity": "projected_gravity",
    "joint_pos_rel": "joint_pos",
    "joint_vel": "joint_vel",
    "joint_vel_rel": "joint_vel",
    "last_action": "last_action",
    "generated_commands": "command",
}
"""Isaac Lab's observation functions and the terms that measure the same."""
NO_CLIP = 1e9
LARGEST_ACTION = 1000.0
"""The widest clip that a Task allows."""
LARGEST_VELOCITY = 20.0
"""The fastest command that the term ``velocity`` allows (m/s, rad/s)."""


def task_from_policy_folder(folder: PolicyFolder | Path, robot_source: str | None = None) -> Task:
    """A Task that shows a policy what it was trained to see, and moves ``robot_source`` as it expects.

    Robot settings, physics rate, ground friction and commands are the folder's. Episodes end by a fall or after the
    folder's time; the one reward is for being alive. A folder of this project knows its robot if none is named.

    Raises:
        BadInputError: for what a Task cannot express, naming the entry and what is known.
    """
    folder = folder if isinstance(folder, PolicyFolder) else read_policy_folder(folder)
    data, env = folder.data, folder.env
    ours = mapping(data.get(OURS))
    known = mapping(ours.get("robot"))
    named = robot_source or known.get("source")
    if not named:
        raise BadInputError(f"{env}: does not name its robot; say which one the policy is for")
    robot = load_robot(named)
    own = _validated(RobotOverrides, {key: value for key, value in known.items() if key != "source"}, folder)
    own = own.only_matching(robot.joint_names, robot.body_names)
    settings = folder.joints(robot.joint_names)
    if not settings:
        raise BadInputError(
            f"{env}: scene.robot.actuators: no pattern matches a joint of robot '{robot.name}' "
            f"({', '.join(robot.joint_names[:4])}, ...)"
        )
    joints = {pattern: override.model_dump(exclude_none=True) for pattern, override in own.joints.items()}
    for name, joint in settings.items():  # at the end, where they win
        joints[re.escape(name)] = joints.pop(re.escape(name), {}) | asdict(joint)
    commands = _commands(folder)
    fixed = robot.fixed_base if own.fixed_base is None else own.fixed_base
    task = {
        "name": re.sub(r"[^A-Za-z0-9_.-]+", "-", str(ours.get("task") or folder.path.name)).strip("-.") or "policy",
        "description": f"Plays {folder.policy.name} of {folder.path.name}",
        "robot": {
            **own.model_dump(exclude_unset=True, exclude={"joints"}),
            "source": named,
            "joints": joints,
        },
        "scene": _ground(folder),
        "sim": _sim(folder),
        "control": _control(folder),
        "commands": commands,
        "observations": {"policy": {term.name: _observation(term, folder) for term in folder.observations}},
        "rewards": {"alive": {"weight": 1.0}},
        "terminations": {"time_out": {"time_out": True}, **({} if fixed else {"fall_by_tilt": {}})},
        "episode_length_s": data.get("episode_length_s") or 20.0,
    }
    return _validated(Task, task, folder)


def _observation(term: ObservationTerm, folder: PolicyFolder) -> dict[str, Any]:
    """The Task's entry that gives a policy what one of its terms gave it."""
    data, place = term.data, f"{folder.env}: observations.policy.{term.name}"
    module, _, function = term.function.rpartition(":")
    history = data.get("history_length") or folder.data["observations"]["policy"].get("history_length") or 0
    if isinstance(history, bool) or not isinstance(history, int) or history > 1:
        raise BadInputError(f"{place}.history_length: {history!r}; policies that see one step at a time can be played")
    if data.get("modifiers"):
        raise BadInputError(f"{place}.modifiers: observations that are filtered on the way cannot be played")
    given = mapping(data.get("params"))
    if module.startswith(OUR_TERMS):
        name, params = function, dict(given)
    elif function in ISAAC_LAB_TERMS:
        name, params = ISAAC_LAB_TERMS[function], {}
        asset = mapping(given.get("asset_cfg"))
        if name in ("joint_pos", "joint_vel") and asset.get("joint_names") is not None:
            params["joints"] = _joint_pattern(asset["joint_names"], asset.get("preserve_order"), f"{place}.params")
        if name == "command":
            params["command"] = _command_name(given)
    else:
        raise BadInputError(
            f"{place}: '{term.function}' is not known here; known: {', '.join(sorted(ISAAC_LAB_TERMS))}"
        )
    scale, clip = data.get("scale"), data.get("clip")
    if isinstance(scale, list | tuple) and len(set(scale)) == 1:
        scale = scale[0]
    if scale is not None and (isinstance(scale, bool) or not isinstance(scale, int | float)):
        raise BadInputError(f"{place}.scale: must be one number for the whole term, not {scale!r}")
    return {
        "term": name,
        "params": params,
        "scale": 1.0 if scale is None else scale,
        "clip": NO_CLIP if clip is None else _symmetric(clip, f"{place}.clip"),
    }


def _control(folder: PolicyFolder) -> dict[str, Any]:
    place, scale = f"{folder.env}: actions", folder.action_scale
    entries = {name: entry for name, entry in mapping(folder.data.get("actions")).items() if isinstance(entry, dict)}
    if len(entries) > 1:
        raise BadInputError(f"{place}: {', '.join(entries)}; policies with one kind of action can be played")
    control: dict[str, Any] = {"type": "joint_position", "scale": scale, "clip": LARGEST_ACTION}
    for name, entry in entries.items():
        place = f"{place}.{name}"
        kind = str(entry.get("class_type") or "")
        if kind and not (kind.startswith(OUR_ACTIONS) or kind.endswith(":JointPositionAction")):
            raise BadInputError(f"{place}: '{kind}' is not known here; known: JointPositionAction")
        if entry.get("use_default_offset") is False:
            raise BadInputError(f"{place}.use_default_offset: targets must be offsets from the default position")
        if entry.get("joint_names") is not None and folder.joint_names is None:
            control["joints"] = _joint_pattern(entry["joint_names"], entry.get("preserve_order"), place)
    if folder.joint_names is not None:
        control["joints"] = "|".join(map(re.escape, folder.joint_names))
        control["clip"] = folder.data[OURS].get("action_clip", LARGEST_ACTION)
    return control


def _commands(folder: PolicyFolder) -> dict[str, Any]:
    """The Task's commands: those that the policy sees."""
    seen: list[str] = []
    for term in folder.observations:
        params = mapping(term.data.get("params"))
        if term.function.endswith(":generated_commands"):
            seen.append(_command_name(params))
        elif term.function.startswith(OUR_TERMS) and "command" in params:
            seen.append(str(params["command"]))
    entries = mapping(folder.data.get("commands"))
    commands: dict[str, Any] = {}
    for name in dict.fromkeys(seen):
        entry = mapping(entries.get(name))
        kind = str(entry.get("class_type") or "")
        if kind.startswith(OUR_TERMS):
            commands[name] = {
                "term": kind.rpartition(":")[2],
                "params": entry.get("params") or {},
                "resample_s": entry.get("resample_s"),
            }
        elif not kind or kind.endswith("VelocityCommand"):
            commands[name] = _velocity(entry, f"{folder.env}: commands.{name}")
        else:
            raise BadInputError(f"{folder.env}: commands.{name}: '{kind}' is not known here; known: velocity commands")
    return commands


def _velocity(entry: dict[str, Any], place: str) -> dict[str, Any]:
    """Isaac Lab's velocity command as ours: forward, left, yaw rate in ranges, some of the time standing."""
    ranges = mapping(entry.get("ranges"))
    params: dict[str, Any] = {
        key: [
            max(-LARGEST_VELOCITY, min(LARGEST_VELOCITY, value))
            for value in _pair(ranges[key], f"{place}.ranges.{key}")
        ]
        for key in ("lin_vel_x", "lin_vel_y", "ang_vel_z")
        if ranges.get(key) is not None
    }
    if entry.get("rel_standing_envs") is not None:
        params["standing_share"] = entry["rel_standing_envs"]
    times = entry.get("resampling_time_range")
    return {
        "term": "velocity",
        "params": params,
        "resample_s": None if times is None else _pair(times, f"{place}.resampling_time_range"),
    }


def _sim(folder: PolicyFolder) -> dict[str, Any]:
    sim: dict[str, Any] = {"dt": folder.dt, "decimation": folder.decimation}
    if folder.data["sim"].get("gravity") is not None:
        sim["gravity"] = folder.data["sim"]["gravity"]
    spawn = mapping(folder.data["scene"]["robot"].get("spawn"))
    articulation = mapping(spawn.get("articulation_props"))
    if isinstance(articulation.get("enabled_self_collisions"), bool):
        sim["self_collision"] = articulation["enabled_self_collisions"]
    iterations = {
        ours: articulation[f"solver_{ours[:-1]}_count"]
        for ours in ("position_iterations", "velocity_iterations")
        if articulation.get(f"solver_{ours[:-1]}_count") is not None
    }
    return {**sim, "ovphysx": iterations}


def _ground(folder: PolicyFolder) -> dict[str, Any]:
    material = mapping(folder.data["sim"].get("physics_material"))
    keys = ("static_friction", "dynamic_friction", "restitution")
    return {key: material[key] for key in keys if isinstance(material.get(key), int | float)}


def _joint_pattern(names: Any, preserve_order: Any, place: str) -> str:
    """One regular expression for what Isaac Lab picks joints by."""
    names = [names] if isinstance(names, str) else list(names)
    if preserve_order and len(names) > 1:
        raise BadInputError(f"{place}: joints in an order of their own (preserve_order) cannot be played")
    return "|".join(names)


def _symmetric(clip: Any, place: str) -> float:
    low, high = (-clip, clip) if isinstance(clip, int | float) and not isinstance(clip, bool) else _pair(clip, place)
    if low != -high or high <= 0:
        raise BadInputError(f"{place}: must reach from minus to plus one number, not {clip!r}")
    return min(float(high), NO_CLIP)


def _pair(value: Any, place: str) -> list[float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadInputError(f"{place}: must be [low, high], not {value!r}")
    return [number(entry, place) for entry in value]


def _command_name(params: dict[str, Any]) -> str:
    return str(params.get("command_name", "velocity"))


def _validated[Model: BaseModel](model: type[Model], data: dict[str, Any], folder: PolicyFolder) -> Model:
    try:
        return validate(model, Source(data))
    except TaskError as error:
        raise BadInputError(f"{folder.env}: {str(error).removeprefix('task: ')}") from None
