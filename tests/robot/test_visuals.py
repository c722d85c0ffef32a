"""What is drawn of a robot is as large as its collision shapes say, closed, and light enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.kinematics import Kinematics
from humanoid_rl_ext.robot.rotation import quat_rotate
from humanoid_rl_ext.robot.simplify import simplify
from humanoid_rl_ext.robot.visuals import Visual, read_visuals


def volume(visual: Visual) -> float:
    """Enclosed volume (m3); negative where triangles run clockwise."""
    a, b, c = visual.points[visual.triangles].transpose(1, 0, 2)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


@pytest.mark.parametrize("name", ["humanoid", "walker", "cartpole"])
def test_every_body_is_drawn_by_closed_surfaces_seen_from_outside(name: str) -> None:
    robot = load_robot(name)
    visuals = read_visuals(robot)
    assert {visual.body for visual in visuals} == set(range(len(robot.bodies)))
    assert all(volume(visual) > 0.0 for visual in visuals)
    assert sum(len(visual.triangles) for visual in visuals) < 1500


def test_the_humanoid_is_as_wide_and_high_as_its_parts_and_stands_on_the_ground() -> None:
    robot = load_robot("humanoid")
    kinematics = Kinematics(robot)
    base = [0.0, 0.0, robot.standing_height]
    place, quat = kinematics.body_poses(base, robot.standing_rotation, kinematics.default_positions)
    visuals = read_visuals(robot)
    points = np.concatenate([place[v.body] + quat_rotate(quat[v.body], v.points) for v in visuals])
    assert points[:, 2].min() == pytest.approx(0.0, abs=1e-3)
    feet = [v for v in visuals if robot.bodies[v.body].name == "left_foot"]
    head = max(points[:, 2])
    assert np.ptp(feet[0].points, axis=0) == pytest.approx([0.22, 0.1, 0.04], abs=0.03)
    assert 1.3 < head < 1.7
    assert feet[0].colour == pytest.approx((0.93, 0.42, 0.16))


def test_a_capsule_is_as_long_as_its_height_and_caps() -> None:
    pelvis = next(v for v in read_visuals(load_robot("humanoid")) if v.body == 0)
    assert np.ptp(pelvis.points, axis=0) == pytest.approx([0.15, 0.29, 0.15], abs=0.012)


@pytest.fixture
def guided(tmp_path: Path) -> Path:
    """Two bodies: one with a red visible box and a guide around it, one with a scaled guide mesh only."""
    stage = Usd.Stage.CreateNew(str(tmp_path / "guided.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, "/robot")
    stage.SetDefaultPrim(root.GetPrim())
    for name, x in (("base", 0.0), ("arm", 1.0)):
        body = UsdGeom.Xform.Define(stage, f"/robot/{name}")
        body.AddTranslateOp().Set(Gf.Vec3d(x, 0.0, 1.0))
        UsdPhysics.RigidBodyAPI.Apply(body.GetPrim())
    UsdPhysics.ArticulationRootAPI.Apply(stage.GetPrimAtPath("/robot/base"))
    box = UsdGeom.Cube.Define(stage, "/robot/base/box")
    box.CreateSizeAttr(0.2)
    box.CreateDisplayColorAttr([Gf.Vec3f(1.0, 0.0, 0.0)])
    guide = UsdGeom.Cube.Define(stage, "/robot/base/guide")
    guide.CreateSizeAttr(0.4)
    guide.CreatePurposeAttr("guide")
    UsdPhysics.CollisionAPI.Apply(guide.GetPrim())
    mesh = UsdGeom.Mesh.Define(stage, "/robot/arm/mesh")
    mesh.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
    mesh.CreateFaceVertexCountsAttr([3, 3, 3, 3])
    mesh.CreateFaceVertexIndicesAttr([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3])
    mesh.AddScaleOp().Set(Gf.Vec3f(-0.5, 0.5, 0.5))
    mesh.CreatePurposeAttr("guide")
    UsdPhysics.CollisionAPI.Apply(mesh.GetPrim())
    joint = UsdPhysics.RevoluteJoint.Define(stage, "/robot/joint")
    joint.CreateBody0Rel().SetTargets(["/robot/base"])
    joint.CreateBody1Rel().SetTargets(["/robot/arm"])
    joint.CreateLocalPos0Attr(Gf.Vec3f(1.0, 0.0, 0.0))
    stage.Save()
    return tmp_path / "guided.usda"


def test_guides_are_drawn_only_where_a_body_has_nothing_else(guided: Path) -> None:
    visuals = read_visuals(load_robot(guided))
    assert [visual.body for visual in visuals] == [0, 1]
    assert visuals[0].colour == (1.0, 0.0, 0.0)
    assert np.ptp(visuals[0].points, axis=0) == pytest.approx([0.2, 0.2, 0.2])


def test_a_mirrored_mesh_still_faces_outwards_and_is_scaled(guided: Path) -> None:
    mesh = read_visuals(load_robot(guided))[1]
    assert volume(mesh) == pytest.approx(0.5**3 / 6)


def test_a_simplified_mesh_keeps_its_size_and_side() -> None:
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 64, endpoint=False), np.linspace(0.05, np.pi - 0.05, 40))
    points = np.stack([np.cos(u) * np.sin(v), np.sin(u) * np.sin(v), np.cos(v)], axis=-1).reshape(-1, 3)
    rows, columns = np.meshgrid(np.arange(39) * 64, np.arange(64), indexing="ij")
    a, b, following = rows + columns, rows + columns + 64, (columns + 1) % 64
    quads = np.stack([a, b, rows + 64 + following, rows + following], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    [(simple, corners)] = simplify([(points, triangles)], 300)
    assert 100 < len(corners) <= 300
    assert np.ptp(simple, axis=0) == pytest.approx([2.0, 2.0, 2.0], abs=0.25)
    ball = Visual(0, simple.astype(np.float32), corners.astype(np.int32), (1.0, 1.0, 1.0))
    assert volume(ball) == pytest.approx(4.19, rel=0.2)
