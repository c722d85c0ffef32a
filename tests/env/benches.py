"""A machine whose answers can be worked out by hand, and Tasks on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.task.schema import Task

MASS, STIFFNESS, DAMPING, LIMIT = 2.0, 50.0, 20.0, 30.0
BOB_MASS, BOB_LENGTH, BOB_STIFFNESS = 1.5, 0.8, 200.0
PULL = 5.0
"""Gravity along the rail (m/s2)."""

BENCH = f"""#usda 1.0
(
    defaultPrim = "bench"
    metersPerUnit = 1
    kilogramsPerUnit = 1
    upAxis = "Z"
)
def Xform "bench"
{{
    def Xform "base" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
    {{
        float physics:mass = 10
        float3 physics:diagonalInertia = (1, 1, 1)
        double3 xformOp:translate = (0, 0, 3)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
    def Xform "sled" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
    {{
        float physics:mass = {MASS}
        float3 physics:diagonalInertia = (0.1, 0.1, 0.1)
        double3 xformOp:translate = (0, 0, 3)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
    def Xform "bob" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
    {{
        float physics:mass = {BOB_MASS}
        point3f physics:centerOfMass = (0, 0, -{BOB_LENGTH})
        float3 physics:diagonalInertia = (0.02, 0.02, 0.02)
        double3 xformOp:translate = (0, 1, 3)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
    def PhysicsFixedJoint "anchor" (prepend apiSchemas = ["PhysicsArticulationRootAPI"])
    {{
        rel physics:body1 = </bench/base>
        point3f physics:localPos0 = (0, 0, 3)
    }}
    def PhysicsPrismaticJoint "slide" (prepend apiSchemas = ["PhysicsDriveAPI:linear"])
    {{
        uniform token physics:axis = "X"
        rel physics:body0 = </bench/base>
        rel physics:body1 = </bench/sled>
        float physics:lowerLimit = -50
        float physics:upperLimit = 50
        uniform token drive:linear:physics:type = "force"
        float drive:linear:physics:stiffness = {STIFFNESS}
        float drive:linear:physics:damping = {DAMPING}
        float drive:linear:physics:maxForce = {LIMIT}
    }}
    def PhysicsRevoluteJoint "swing" (prepend apiSchemas = ["PhysicsDriveAPI:angular"])
    {{
        uniform token physics:axis = "Y"
        rel physics:body0 = </bench/base>
        rel physics:body1 = </bench/bob>
        point3f physics:localPos0 = (0, 1, 0)
        uniform token drive:angular:physics:type = "force"
        float drive:angular:physics:stiffness = {BOB_STIFFNESS * 3.14159265 / 180}
        float drive:angular:physics:damping = {40 * 3.14159265 / 180}
        float drive:angular:physics:maxForce = 1000
    }}
}}
"""
"""A sled of 2 kg on a level rail and a pendulum of 1.5 kg, both driven, on one fixed base."""

MakeBench = Callable[..., VecEnv]


@pytest.fixture
def bench(tmp_path: Path, engine: str) -> Iterator[MakeBench]:
    """Starts the machine in a Task; gravity pulls along the rail unless the Task says otherwise."""
    path = tmp_path / "bench.usda"
    path.write_text(BENCH)
    opened: list[VecEnv] = []

    def start(num_envs: int = 8, seed: int = 1, armature: float = 0.0, **task: Any) -> VecEnv:
        while opened:
            opened.pop().close()
        data: dict[str, Any] = {
            "name": "bench",
            "robot": {"source": str(path), "joints": {".*": {"armature": armature}}},
            "sim": {"dt": 0.005, "decimation": 4, "gravity": (PULL, 0.0, 0.0)},
            "control": {"type": "joint_position", "joints": "slide", "scale": 1.0},
            "observations": {"policy": {"joint_pos": {}, "joint_vel": {}}},
            "rewards": {"alive": {"weight": 1.0}},
            "terminations": {"time_out": {"time_out": True}},
            "episode_length_s": 20.0,
        }
        for key, value in task.items():
            data[key] = {**data[key], **value} if key in ("sim", "control") else value
        env = make_env(Task.model_validate(data), num_envs=num_envs, seed=seed, engine=engine)
        assert isinstance(env, VecEnv)
        opened.append(env)
        env.reset()
        return env

    yield start
    while opened:
        opened.pop().close()
