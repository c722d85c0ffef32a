"""``env.yaml`` beside a policy, in Isaac Lab's layout, as far as Isaac Sim's ``PolicyController`` reads it.

What it reads, and by which rules, is taken from isaac-sim/IsaacSim 6.0.1, commit 045ca8b,
``isaacsim.robot.policy.examples/controllers``: ``config_loader.py`` and ``policy_controller.py``.
"""

from __future__ import annotations

import fnmatch
import math
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from humanoid_rl_ext import __version__
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.robot.description import RobotDescription

if TYPE_CHECKING:
    from humanoid_rl_ext.deploy.layout import ObservedTerm
    from humanoid_rl_ext.task.schema import Task

OURS, FORMAT = "humanoid_rl", 1
"""Key of what only this project reads in ``env.yaml``, and its version."""

NO_LIMIT = float(sys.maxsize)
"""What ``PolicyController`` puts where there is no limit."""
DEFAULT_ACTION_SCALE = 0.5
"""What Isaac Sim's robots take when ``action_scale`` is missing."""
ACTUATOR_KEYS = ("effort_limit", "velocity_limit", "stiffness", "damping", "armature")


@dataclass(frozen=True, slots=True)
class JointSettings:
    """What a policy folder says about one joint, per rad or m; limits may be infinite."""

    effort_limit: float
    velocity_limit: float
    stiffness: float
    damping: float
    armature: float
    default: float
    """Position that actions are offsets from (rad or m)."""


class _Loader(yaml.SafeLoader):
    """Reads tags that it does not know as None, and Python's tuples as tuples: nothing is executed."""


def _tuple(loader: yaml.SafeLoader, node: yaml.Node) -> tuple[Any, ...]:
    if not isinstance(node, yaml.SequenceNode):
        raise yaml.constructor.ConstructorError(problem="a tuple must be a sequence", problem_mark=node.start_mark)
    return tuple(loader.construct_sequence(node, deep=True))


_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _tuple)
_Loader.add_constructor(None, lambda loader, node: None)


def read_env_yaml(path: Path) -> dict[str, Any]:
    """The mapping in an ``env.yaml``; raises BadInputError when it is missing, no YAML or no mapping."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise BadInputError(f"{path}: no such file; it says what the policy beside it sees and moves") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path}: cannot be read ({error})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise BadInputError(f"{path}{line}: not valid YAML: {reason}") from None
    if not isinstance(data, dict):
        raise BadInputError(f"{path}: expected 'key: value' lines such as 'decimation: 4'")
    return data


def write_env_yaml(data: dict[str, Any], path: Path) -> None:
    """Writes an ``env.yaml``, replacing it in one go."""
    aside = path.with_name(f".{path.name}.unfinished")
    aside.write_text(yaml.safe_dump(data, sort_keys=False, width=120), encoding="utf-8")
    os.replace(aside, path)


def env_data(
    task: Task, robot: RobotDescription, terms: list[ObservedTerm], spelled: dict[str, str], scale: float
) -> dict[str, Any]:
    """All of ``env.yaml``, for a policy that takes observations as measured; ``spelled`` gives the target's joints."""
    sim, scene = task.sim, task.scene
    observations: dict[str, Any] = {"concatenate_terms": True, "enable_corruption": False}
    for term in terms:
        parts = tuple(spelled) if term.term == "last_action" else term.ordered(list(spelled))
        observations[term.name] = {
            "func": f"humanoid_rl_ext.mdp.observations:{term.term}",
            "params": dict(task.observations["policy"][term.name].params),
            "scale": None,
            "clip": None,
            "size": len(parts),
            "order": [spelled.get(part, part) if term.joints else part for part in parts],
        }
    articulation = {
        "solver_position_iteration_count": sim.ovphysx.position_iterations,
        "solver_velocity_iteration_count": sim.ovphysx.velocity_iterations,
        "stabilization_threshold": None,
        "enabled_self_collisions": sim.self_collision,
        "sleep_threshold": None,
    }
    return {
        "decimation": sim.decimation,
        "episode_length_s": task.episode_length_s,
        "sim": {
            "dt": sim.dt,
            "render_interval": sim.decimation,
            "gravity": list(sim.gravity),
            "physics_material": {
                "static_friction": scene.static_friction,
                "dynamic_friction": scene.dynamic_friction,
                "restitution": scene.restitution,
            },
        },
        "action_scale": scale,
        "scene": {"robot": robot_data(robot, spelled, articulation)},
        "observations": {"policy": observations},
        "actions": {
            "joint_pos": {
                "class_type": "humanoid_rl_ext.env.actions:ActionMap",
                "joint_names": list(spelled.values()),
                "preserve_order": True,
                "scale": scale,
                "use_default_offset": True,
                "clip": None,
            }
        },
        "commands": {
            name: {
                "class_type": f"humanoid_rl_ext.mdp.commands:{section.term or name}",
                **section.model_dump(include={"params", "resample_s"}),
            }
            for name, section in task.commands.items()
        },
        OURS: {
            "format": FORMAT,
            "version": __version__,
            "task": task.name,
            "joints": dict(spelled),
            "action_clip": task.control.clip,
            "robot": task.robot.model_dump(exclude_defaults=True),
        },
    }


def robot_data(robot: RobotDescription, names: dict[str, str], articulation: dict[str, Any]) -> dict[str, Any]:
    """``scene.robot``: one group of actuators with a value per joint, the standing pose, the solver's settings.

    ``names`` maps joint names to those of the target. Patterns are prefixes there and the first match wins, so that a
    name stands after all longer ones: ``left_hip`` after ``left_hip_yaw``.
    """
    joints = {names[joint.name]: joint for joint in robot.joints}
    ordered = sorted(joints, key=len, reverse=True)
    finite = {name: {key: min(getattr(joints[name], key), NO_LIMIT) for key in ACTUATOR_KEYS} for name in ordered}
    x, y, z, w = robot.standing_rotation
    return {
        "init_state": {
            "pos": [0.0, 0.0, robot.standing_height],
            "rot": [w, x, y, z],
            "lin_vel": [0.0, 0.0, 0.0],
            "ang_vel": [0.0, 0.0, 0.0],
            "joint_pos": {name: joints[name].default for name in ordered},
            "joint_vel": dict.fromkeys(ordered, 0.0),
        },
        "spawn": {"articulation_props": articulation},
        "actuators": {
            "joints": {
                "joint_names_expr": ordered,
                **{key: {name: finite[name][key] for name in ordered} for key in ACTUATOR_KEYS},
            }
        },
    }


def joint_settings(data: dict[str, Any], names: Iterable[str], where: Path) -> dict[str, JointSettings]:
    """The settings of each named joint that a group of actuators covers.

    As in Isaac Sim no gain or armature means zero, no limit none, and no default position zero. Names that a group
    gives under newer keys (``effort_limit_sim``) count where the older ones are empty.

    Raises:
        BadInputError: for actuators or defaults that are missing or not numbers.
    """
    robot = section(data, "scene.robot", where)
    groups = section(robot, "actuators", where, below="scene.robot")
    defaults = section(robot, "init_state", where, below="scene.robot").get("joint_pos", 0.0)
    found: dict[str, JointSettings] = {}
    for name in names:
        for key, group in groups.items():
            place = f"{where}: scene.robot.actuators.{key}"
            if not isinstance(group, dict) or not isinstance(group.get("joint_names_expr"), list | tuple):
                raise BadInputError(f"{place}: 'joint_names_expr' is missing")
            pattern = matches(name, group["joint_names_expr"])
            if pattern is None:
                continue
            values = {setting: _setting(group, setting, name, pattern, place) for setting in ACTUATOR_KEYS}
            effort, velocity = (_limit(values.pop(limit)) for limit in ACTUATOR_KEYS[:2])
            gains = {setting: value or 0.0 for setting, value in values.items()}
            rest = _value(defaults, name, None, f"{where}: scene.robot.init_state.joint_pos") or 0.0
            found[name] = JointSettings(effort, velocity, **gains, default=rest)
            break
    return found


def matches(name: str, patterns: Sequence[str]) -> str | None:
    """The first pattern that a joint's name matches, None when no one does.

    By Isaac Sim's rule, ``fnmatch`` with every dot read as ``*`` and one more at the end; a pattern that picks nothing
    by that rule, such as ``.*_(hip|knee)``, counts as the regular expression that it is in Isaac Lab.
    """
    texts = [pattern for pattern in patterns if isinstance(pattern, str)]
    for pattern in texts:
        if fnmatch.fnmatchcase(name, pattern.replace(".", "*") + "*"):
            return pattern
    for pattern in texts:
        try:
            if re.fullmatch(pattern, name):
                return pattern
        except re.error:
            continue
    return None


def section(data: dict[str, Any], path: str, where: Path, below: str = "") -> dict[str, Any]:
    """The mapping at a dotted path; raises BadInputError where there is none."""
    node: Any = data
    for part in path.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        raise BadInputError(f"{where}: '{f'{below}.{path}' if below else path}' is missing")
    return node


def mapping(value: Any) -> dict[str, Any]:
    """A mapping, or an empty one for whatever else stands there."""
    return value if isinstance(value, dict) else {}


def number(value: Any, place: str) -> float:
    """A finite number; raises BadInputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInputError(f"{place}: must be a number, not {value!r}")
    return float(value)


def _setting(group: dict[str, Any], key: str, name: str, pattern: str, place: str) -> float | None:
    if group.get(key) is None:
        key = f"{key}_sim"
    return _value(group.get(key), name, pattern, f"{place}.{key}")


def _value(value: Any, name: str, pattern: str | None, place: str) -> float | None:
    """The number for one joint in what is a number, None, or numbers by pattern, that of its group first."""
    if isinstance(value, dict):
        key = pattern if pattern in value else matches(name, list(value))
        value = None if key is None else value[key]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise BadInputError(f"{place}: must be a number, not {value!r}")
    return float(value)


def _limit(value: float | None) -> float:
    return math.inf if value is None or value >= NO_LIMIT else value
