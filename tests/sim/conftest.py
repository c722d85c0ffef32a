from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.robot import RobotDescription, load_robot
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.engines import make_engine

BENCH = """#usda 1.0
(
    defaultPrim = "bench"
    metersPerUnit = 1
    kilogramsPerUnit = 1
    upAxis = "Z"
)
def Xform "bench"
{
    def Xform "base" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
    {
        float physics:mass = 10
        float3 physics:diagonalInertia = (1, 1, 1)
        double3 xformOp:translate = (0, 0, 3)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
    def Xform "sled" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI", "PhysxRigidBodyAPI"])
    {
        float physics:mass = 2
        float3 physics:diagonalInertia = (0.1, 0.1, 0.1)
        double3 xformOp:translate = (0, 0, 3)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        float physxRigidBody:angularDamping = 0
    }
    def Xform "bob" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI", "PhysxRigidBodyAPI"])
    {
        float physics:mass = 1.5
        point3f physics:centerOfMass = (0, 0, -0.8)
        float3 physics:diagonalInertia = (0.02, 0.02, 0.02)
        double3 xformOp:translate = (0, 1, 3)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        float physxRigidBody:angularDamping = 0
    }
    def PhysicsFixedJoint "anchor" (prepend apiSchemas = ["PhysicsArticulationRootAPI"])
    {
        rel physics:body1 = </bench/base>
        point3f physics:localPos0 = (0, 0, 3)
    }
    def PhysicsPrismaticJoint "slide" (prepend apiSchemas = ["PhysicsDriveAPI:linear"])
    {
        uniform token physics:axis = "X"
        rel physics:body0 = </bench/base>
        rel physics:body1 = </bench/sled>
        float physics:lowerLimit = -50
        float physics:upperLimit = 50
        uniform token drive:linear:physics:type = "force"
        float drive:linear:physics:stiffness = 50
        float drive:linear:physics:damping = 4
        float drive:linear:physics:maxForce = 1000
    }
    def PhysicsRevoluteJoint "swing" (prepend apiSchemas = ["PhysicsDriveAPI:angular"])
    {
        uniform token physics:axis = "Y"
        rel physics:body0 = </bench/base>
        rel physics:body1 = </bench/bob>
        point3f physics:localPos0 = (0, 1, 0)
        uniform token drive:angular:physics:type = "force"
        float drive:angular:physics:stiffness = 0
        float drive:angular:physics:damping = 0
    }
}
"""
"""A sled of 2 kg on a horizontal rail and a pendulum of 1.5 kg, both on one fixed base."""

StartEngine = Callable[..., Any]


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[StartEngine]:
    """Starts engines by robot name or description: ovphysx, or the one that the test's parameter names.

    A process holds one scene of ovphysx, so the last engine is closed each time.
    """
    name = getattr(request, "param", "ovphysx")
    living: list[Any] = []

    def close() -> None:
        while living:
            engine = living.pop()
            if name == "newton" and hasattr(engine, "_built"):
                engine.check_capacity()
            engine.close()

    def start_engine(robot: str | RobotDescription, num_envs: int = 1, **settings: object) -> Any:
        close()
        description = load_robot(robot) if isinstance(robot, str) else robot
        living.append(make_engine(name, description, SceneSettings(num_envs, **settings)))  # type: ignore[arg-type]
        return living[-1]

    yield start_engine
    close()


@pytest.fixture
def bench(tmp_path: Path) -> RobotDescription:
    path = tmp_path / "bench.usda"
    path.write_text(BENCH)
    return load_robot(path)


@pytest.fixture
def put() -> Callable[..., None]:
    """Resets the masked environments to their state with the given parts replaced; speeds default to zero."""

    def put_robots(
        engine: Any,
        *,
        lift: float = 0.0,
        root_velocity: torch.Tensor | None = None,
        joint_pos: torch.Tensor | None = None,
        joint_vel: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> None:
        state = engine.state
        root_pose = state.root_pose.clone()
        root_pose[:, 2] += lift
        engine.reset(
            torch.ones(engine.num_envs, dtype=torch.bool) if mask is None else mask,
            root_pose,
            torch.zeros_like(state.root_velocity) if root_velocity is None else root_velocity,
            state.joint_pos.clone() if joint_pos is None else joint_pos,
            torch.zeros_like(state.joint_vel) if joint_vel is None else joint_vel,
        )

    return put_robots
