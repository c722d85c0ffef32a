"""Isaac Sim's reading rules in the words of the contract, and an env.yaml as Isaac Lab dumps it."""

from __future__ import annotations

import fnmatch
import sys
from typing import Any

import torch

GAINS = ("effort_limit", "velocity_limit", "stiffness", "damping", "armature")


def as_isaac_sim_reads(data: dict[str, Any], dof_names: list[str]) -> dict[str, list[float]]:
    """Settings in the order of a robot's joints: a pattern's dots become stars and one more star is put at its end;
    of several that match the first counts; no limit is the largest whole number.
    """
    robot = data["scene"]["robot"]
    patterns = [p for group in robot["actuators"].values() for p in group["joint_names_expr"]]
    found: dict[str, list[float]] = {key: [] for key in (*GAINS, "default")}

    def first(name: str, among: Any) -> str:
        return next(p for p in among if fnmatch.fnmatch(name, p.replace(".", "*") + "*"))

    for name in dof_names:
        pattern = first(name, patterns)
        for key in GAINS:
            given = next(g for g in robot["actuators"].values() if pattern in g["joint_names_expr"])[key]
            value = given[pattern] if isinstance(given, dict) else given
            missing = float(sys.maxsize) if key.endswith("limit") else 0.0
            found[key].append(missing if value is None else value)
        positions = robot["init_state"]["joint_pos"]
        found["default"].append(positions[first(name, positions)])
    return found


class Linear(torch.nn.Module):
    """A policy by hand: one weight per observation and action."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight)

    def forward(self, obs):
        return torch.matmul(obs, self.weight.t())


def isaac_lab_data() -> dict[str, Any]:
    """What Isaac Lab's dump of a velocity task holds, as far as it matters, for the bundled humanoid."""

    def seen(function: str, **params: Any) -> dict[str, Any]:
        return {
            "func": f"isaaclab.envs.mdp.observations:{function}",
            "params": params,
            "modifiers": None,
            "noise": {"n_min": -0.1, "n_max": 0.1},
            "clip": None,
            "scale": None,
            "history_length": 0,
        }

    return {
        "decimation": 4,
        "sim": {"dt": 0.005, "render_interval": 4, "gravity": (0.0, 0.0, -9.81), "device": "cuda:0"},
        "scene": {
            "robot": {
                "spawn": {
                    "articulation_props": {
                        "solver_position_iteration_count": 4,
                        "solver_velocity_iteration_count": 2,
                        "enabled_self_collisions": True,
                    }
                },
                "init_state": {
                    "pos": (0.0, 0.0, 1.05),
                    "joint_pos": {".*_knee": 0.5, ".*": 0.0},
                    "joint_vel": {".*": 0.0},
                },
                "actuators": {
                    "legs": {
                        "joint_names_expr": [".*_hip_.*", ".*_knee"],
                        "effort_limit": 300,
                        "velocity_limit": 100.0,
                        "stiffness": {".*_hip_.*": 150.0, ".*_knee": 200.0},
                        "damping": 5.0,
                        "armature": None,
                    },
                    "rest": {
                        "joint_names_expr": [".*_ankle_.*", ".*_shoulder_.*", ".*_elbow", "abdomen_.*"],
                        "effort_limit": None,
                        "velocity_limit": None,
                        "stiffness": 40.0,
                        "damping": 10.0,
                        "armature": 0.01,
                    },
                },
            }
        },
        "observations": {
            "policy": {
                "concatenate_terms": True,
                "enable_corruption": True,
                "history_length": None,
                "base_lin_vel": seen("base_lin_vel"),
                "base_ang_vel": seen("base_ang_vel") | {"scale": 0.25},
                "projected_gravity": seen("projected_gravity"),
                "velocity_commands": seen("generated_commands", command_name="base_velocity"),
                "joint_pos": seen("joint_pos_rel"),
                "joint_vel": seen("joint_vel_rel") | {"clip": (-5.0, 5.0)},
                "actions": seen("last_action"),
                "height_scan": None,
            }
        },
        "actions": {
            "joint_pos": {
                "class_type": "isaaclab.envs.mdp.actions.joint_actions:JointPositionAction",
                "joint_names": [".*"],
                "scale": 0.5,
                "use_default_offset": True,
            }
        },
        "commands": {
            "base_velocity": {
                "class_type": "isaaclab.envs.mdp.commands.velocity_command:UniformVelocityCommand",
                "resampling_time_range": (10.0, 10.0),
                "rel_standing_envs": 0.02,
                "ranges": {
                    "lin_vel_x": (0.0, 1.0),
                    "lin_vel_y": (-0.5, 0.5),
                    "ang_vel_z": (-1.0, 1.0),
                    "heading": None,
                },
            }
        },
    }
