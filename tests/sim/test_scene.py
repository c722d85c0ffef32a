from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pxr import Usd, UsdGeom, UsdPhysics, UsdShade

from humanoid_rl_ext.errors import EngineError, RobotError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim import scene
from humanoid_rl_ext.sim.engine import SceneSettings


def composed(robot: str, **settings: object) -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    stage.GetRootLayer().ImportFromString(scene.compose(load_robot(robot), SceneSettings(4, **settings)))
    return stage


def test_the_scene_is_metric_with_z_up_and_one_physics_scene():
    stage = composed("humanoid", gravity=(0.0, 3.0, -4.0), position_iterations=6, velocity_iterations=2)
    assert UsdGeom.GetStageUpAxis(stage) == "Z" and UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    physics = [prim for prim in stage.Traverse() if prim.IsA(UsdPhysics.Scene)]
    assert [str(prim.GetPath()) for prim in physics] == [scene.PHYSICS_SCENE]
    assert physics[0].GetAttribute("physics:gravityMagnitude").Get() == pytest.approx(5.0)
    assert list(physics[0].GetAttribute("physics:gravityDirection").Get()) == pytest.approx([0.0, 0.6, -0.8])
    assert physics[0].GetAttribute("physxScene:maxPositionIterationCount").Get() == 6
    assert physics[0].GetAttribute("physxScene:maxVelocityIterationCount").Get() == 2


def test_the_robot_stands_where_its_description_says():
    description = load_robot("humanoid")
    stage = composed("humanoid")
    base = stage.GetPrimAtPath(f"{scene.ROBOT}/{description.articulation_root}")
    place = UsdGeom.XformCache().GetLocalToWorldTransform(base).ExtractTranslation()
    assert list(place) == pytest.approx([0.0, 0.0, description.standing_height], abs=1e-6)


def test_every_collider_has_a_physics_material():
    stage = composed("walker", static_friction=0.7, dynamic_friction=0.6, restitution=0.1)
    colliders = [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.CollisionAPI)]
    assert len(colliders) > 4
    for prim in colliders:
        bound, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial("physics")
        material = UsdPhysics.MaterialAPI(bound.GetPrim())
        assert material.GetStaticFrictionAttr().Get() == pytest.approx(0.7)
        assert material.GetDynamicFrictionAttr().Get() == pytest.approx(0.6)
        assert material.GetRestitutionAttr().Get() == pytest.approx(0.1)


def test_the_ground_can_be_left_out():
    assert not composed("walker", ground=False).GetPrimAtPath(scene.GROUND)


@pytest.mark.parametrize(
    "settings",
    [{"dt": 0.0}, {"restitution": 1.5}, {"static_friction": float("nan")}, {"gravity": (0.0, 0.0, float("inf"))}],
)
def test_settings_that_cannot_be_simulated_are_refused(settings):
    with pytest.raises(EngineError):
        composed("walker", **settings)


def test_a_robot_file_that_is_gone_is_named(tmp_path):
    gone = replace(load_robot("walker"), path=str(tmp_path / "gone.usda"))
    with pytest.raises(RobotError, match=r"gone\.usda: no such file"):
        scene.compose(gone, SceneSettings(1))


def test_a_terrain_is_a_mesh_whose_friction_combines_by_maximum():
    sys.path.insert(0, str(Path(__file__).parent))
    from terrains import terrain

    built = terrain({"stairs_up": {}}, friction=0.3)
    stage = composed("walker", terrain=built)
    assert not stage.GetPrimAtPath(f"{scene.GROUND}/plane")
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath(f"{scene.GROUND}/mesh"))
    assert len(mesh.GetPointsAttr().Get()) == len(built.mesh[0])
    bound, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial("physics")
    assert UsdPhysics.MaterialAPI(bound.GetPrim()).GetDynamicFrictionAttr().Get() == pytest.approx(0.3)
    assert bound.GetPrim().GetAttribute("physxMaterial:frictionCombineMode").Get() == "max"
