from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade

from humanoid_rl_ext.errors import RobotError
from humanoid_rl_ext.robot import RobotDescription, load_robot
from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.robot.from_stage import save_robot

Vec = tuple[float, float, float]


def new_stage(folder: Path, up: str = "Z", metre: float = 1.0) -> Usd.Stage:
    """An open stage with a prim /World."""
    stage = Usd.Stage.CreateNew(str(folder / "stage.usda"))
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())
    UsdGeom.SetStageUpAxis(stage, up)
    UsdGeom.SetStageMetersPerUnit(stage, metre)
    return stage


def move(prim: Usd.Prim, at: Vec, scale: float = 1.0, turn: Vec = (0, 0, 0)) -> None:
    UsdGeom.XformCommonAPI(prim).SetXformVectors(
        at, turn, (scale, scale, scale), (0, 0, 0), UsdGeom.XformCommonAPI.RotationOrderXYZ, Usd.TimeCode.Default()
    )


def add_body(stage: Usd.Stage, path: str, at: Vec, mass: float) -> Usd.Prim:
    prim = UsdGeom.Xform.Define(stage, path).GetPrim()
    move(prim, at)
    UsdPhysics.RigidBodyAPI.Apply(prim)
    UsdPhysics.MassAPI.Apply(prim).CreateMassAttr(mass)
    UsdPhysics.CollisionAPI.Apply(UsdGeom.Cube.Define(stage, f"{path}/shape").GetPrim())
    return prim


def add_arm(
    stage: Usd.Stage, path: str = "/World/arm", bodies: str = "Geometry/", joints: str = "Physics/"
) -> Usd.Prim:
    """The base, 1 unit up, of an arm authored in place; its link lies below it, ``bodies`` and ``joints`` as said."""
    UsdGeom.Xform.Define(stage, path)
    base = add_body(stage, f"{path}/{bodies}base", (0, 0, 1), 4.0)
    link = add_body(stage, f"{path}/{bodies}base/link", (0.5, 0, 0), 1.0)
    elbow = UsdPhysics.RevoluteJoint.Define(stage, f"{path}/{joints}elbow")
    elbow.CreateBody0Rel().SetTargets([base.GetPath()])
    elbow.CreateBody1Rel().SetTargets([link.GetPath()])
    elbow.CreateLocalPos0Attr((0.5, 0, 0))
    UsdPhysics.ArticulationRootAPI.Apply(base)
    return base


def hold(base: Usd.Prim, path: str, at: Vec, to: str = "") -> UsdPhysics.FixedJoint:
    """Makes a fixed joint, to the world or a prim, the articulation's root instead of its base."""
    base.RemoveAPI(UsdPhysics.ArticulationRootAPI)
    joint = UsdPhysics.FixedJoint.Define(base.GetStage(), path)
    UsdPhysics.ArticulationRootAPI.Apply(joint.GetPrim())
    joint.CreateBody0Rel().SetTargets([to] if to else [])
    joint.CreateBody1Rel().SetTargets([base.GetPath()])
    joint.CreateLocalPos0Attr(at)
    return joint


def add_box(stage: Usd.Stage, path: str = "/World/box") -> Usd.Prim:
    prim = UsdGeom.Cube.Define(stage, path).GetPrim()
    UsdPhysics.CollisionAPI.Apply(prim)
    return prim


def saved(stage: Usd.Stage, selected: str = "/World/arm") -> tuple[RobotDescription, Usd.Stage]:
    """The saved robot's description, and its file as a stage."""
    path = save_robot(stage, selected)
    return load_robot(str(path)), Usd.Stage.Open(str(path))


def contents(stage: Usd.Stage) -> dict[str, str]:
    return {layer.identifier: layer.ExportToString() for layer in stage.GetUsedLayers()}


def mass_at(path: Path, name: str) -> float:
    return next(body.mass for body in load_robot(str(path)).bodies if body.name == name)


def anonymous(robot: RobotDescription) -> RobotDescription:
    return replace(robot, path="", source="", root="")


@pytest.fixture
def walker(tmp_path: Path) -> Path:
    """The bundled walker under a name that has no preset."""
    path = tmp_path / "strider.usda"
    path.write_text(
        bundled_path("walker").read_text().replace('"walker"', '"strider"').replace("</walker", "</strider")
    )
    return path


def with_walkers(folder: Path, walker: Path, *names: str) -> Usd.Stage:
    stage = new_stage(folder)
    for name in names:
        stage.DefinePrim(f"/World/{name}").GetReferences().AddReference(str(walker))
    add_box(stage, "/World/ground")
    return stage


def test_a_referenced_robot_is_described_as_its_file_is(tmp_path, walker):
    stage = with_walkers(tmp_path, walker, "strider")
    saved = save_robot(stage, "/World/strider")
    assert saved.name == "strider.usdc" and saved.is_relative_to(tmp_path / "home" / "cache" / "robots")
    assert anonymous(load_robot(str(saved))) == anonymous(load_robot(str(walker)))


@pytest.mark.parametrize(
    "selected",
    ["/World/strider/trunk", "/World/strider/joints/front_left_knee", "/World/strider/trunk/shape", "/World"],
)
def test_any_part_and_what_holds_only_it_stand_for_the_robot(tmp_path, walker, selected):
    stage = with_walkers(tmp_path, walker, "strider")
    if not stage.GetPrimAtPath(selected):
        selected = str(stage.GetPrimAtPath("/World/strider/trunk").GetChildren()[0].GetPath())
    assert save_robot(stage, selected) == save_robot(stage, "/World/strider")


def test_of_two_robots_the_selected_one_is_taken(tmp_path, walker):
    stage = with_walkers(tmp_path, walker, "first", "second")
    assert save_robot(stage, "/World/second/trunk").name == "second.usdc"


def test_nothing_of_the_stage_changes(tmp_path, walker):
    stage = with_walkers(tmp_path, walker, "strider")
    stage.GetPrimAtPath("/World/strider").SetInstanceable(True)
    stage.SetEditTarget(stage.GetSessionLayer())
    UsdGeom.XformCommonAPI(stage.GetPrimAtPath("/World/strider")).SetTranslate((1, 2, 3))
    before, target = contents(stage), stage.GetEditTarget()
    save_robot(stage, "/World/strider")
    assert contents(stage) == before and stage.GetEditTarget() == target
    assert stage.GetPrimAtPath("/World/strider").IsInstance()


def test_the_robot_is_taken_as_it_is_composed_now(tmp_path, walker):
    stage = new_stage(tmp_path)
    robot = stage.DefinePrim("/World/strider")
    robot.GetPayloads().AddPayload(str(walker))
    trunk = UsdPhysics.MassAPI(stage.GetPrimAtPath("/World/strider/trunk"))
    load = robot.GetVariantSets().AddVariantSet("load")
    for name, mass in (("light", 3.0), ("heavy", 30.0)):
        load.AddVariant(name)
        load.SetVariantSelection(name)
        with load.GetVariantEditContext():
            trunk.GetMassAttr().Set(mass)
    load.SetVariantSelection("light")
    assert mass_at(save_robot(stage, "/World/strider"), "trunk") == 3.0
    stage.SetEditTarget(stage.GetSessionLayer())
    load.SetVariantSelection("heavy")
    assert mass_at(save_robot(stage, "/World/strider"), "trunk") == 30.0
    trunk.GetMassAttr().Set(5.0)
    assert mass_at(save_robot(stage, "/World/strider"), "trunk") == 5.0


def test_a_layer_that_is_muted_stays_out(tmp_path, walker):
    stage = with_walkers(tmp_path, walker, "strider")
    heavier = Sdf.Layer.CreateNew(str(tmp_path / "heavier.usda"))
    stage.GetRootLayer().subLayerPaths.append(heavier.identifier)
    stage.SetEditTarget(heavier)
    UsdPhysics.MassAPI(stage.GetPrimAtPath("/World/strider/trunk")).GetMassAttr().Set(50.0)
    assert mass_at(save_robot(stage, "/World/strider"), "trunk") == 50.0
    stage.MuteLayer(heavier.identifier)
    assert mass_at(save_robot(stage, "/World/strider"), "trunk") != 50.0


def test_where_the_robot_stands_does_not_matter_but_its_pose_does(tmp_path, walker):
    stage = with_walkers(tmp_path, walker, "strider")
    here = save_robot(stage, "/World/strider")
    UsdGeom.XformCommonAPI(stage.GetPrimAtPath("/World")).SetTranslate((3, -4, 0))
    assert save_robot(stage, "/World/strider") == here
    trunk = UsdGeom.Xformable(stage.GetPrimAtPath("/World/strider/trunk"))
    trunk.ClearXformOpOrder()
    trunk.AddTranslateOp(opSuffix="live").Set(Gf.Vec3d(0, 0, 0.9))
    lifted = load_robot(str(save_robot(stage, "/World/strider")))
    assert lifted.bodies[0].position == pytest.approx((0.0, 0.0, 0.9))


def test_scale_above_the_robot_is_kept(tmp_path):
    stage = new_stage(tmp_path)
    add_arm(stage)
    move(stage.GetPrimAtPath("/World"), (0, 0, 0), scale=2.0)
    base, link = saved(stage)[0].bodies
    assert np.subtract(link.position, base.position) == pytest.approx((1.0, 0.0, 0.0))
    assert base.position == pytest.approx((0.0, 0.0, 2.0))


def test_units_and_up_axis_are_the_stage_s(tmp_path):
    stage = new_stage(tmp_path, up="Y", metre=0.01)
    turned = UsdGeom.Xform.Define(stage, "/World/turned").GetPrim()
    add_arm(stage, "/World/turned/arm")
    move(turned, (7, 3, 9), turn=(-90, 0, 0))
    robot, _ = saved(stage, "/World/turned/arm")
    assert (robot.up_axis, robot.meters_per_unit) == ("Y", 0.01)
    assert robot.bodies[0].position == pytest.approx((0.0, 0.0, 0.04), abs=1e-6)


@pytest.mark.parametrize("selected", ["/World/group", "/World/group/strider/trunk"])
def test_robots_in_instances_are_read(tmp_path, walker, selected):
    group = Usd.Stage.CreateNew(str(tmp_path / "group.usda"))
    group.SetDefaultPrim(UsdGeom.Xform.Define(group, "/G").GetPrim())
    inner = group.DefinePrim("/G/strider")
    inner.GetReferences().AddReference(str(walker))
    inner.SetInstanceable(True)
    group.GetRootLayer().Save()
    stage = new_stage(tmp_path)
    outer = stage.DefinePrim("/World/group")
    outer.GetReferences().AddReference(str(tmp_path / "group.usda"))
    outer.SetInstanceable(True)
    assert len(saved(stage, selected)[0].joints) == 12


def test_a_robot_is_named_after_what_holds_its_bodies_and_joints(tmp_path):
    stage = new_stage(tmp_path)
    add_arm(stage)
    add_box(stage)
    robot, _ = saved(stage, "/World/arm/Geometry/base/link/shape")
    assert (robot.name, robot.root, robot.joint_names) == ("arm", "/arm", ["elbow"])


def test_a_base_link_that_holds_everything_gives_the_robot_not_its_name(tmp_path):
    stage = new_stage(tmp_path)
    add_arm(stage, bodies="", joints="base/link/")
    add_box(stage)
    assert saved(stage)[0].name == "arm"


def test_a_root_on_a_joint_holds_the_robot_to_the_world(tmp_path):
    stage = new_stage(tmp_path)
    base = add_arm(stage)
    move(stage.GetPrimAtPath("/World/arm"), (5, 0, 0))
    hold(base, "/World/arm/Physics/root", (5, 0, 1))
    robot, file = saved(stage)
    held = UsdPhysics.Joint(file.GetPrimAtPath("/arm/Physics/root"))
    assert robot.fixed_base and held.GetLocalPos0Attr().Get() == Gf.Vec3f(0, 0, 1)


def test_what_a_joint_holds_on_to_outside_the_robot_becomes_the_world(tmp_path):
    stage = new_stage(tmp_path)
    move(add_box(stage, "/World/table"), (5, 0, 0.5), scale=2.0)
    hold(add_arm(stage), "/World/arm/Physics/root", (0.1, 0, 0.25), to="/World/table")
    robot, file = saved(stage)
    held = UsdPhysics.Joint(file.GetPrimAtPath("/arm/Physics/root"))
    assert robot.fixed_base and held.GetBody0Rel().GetTargets() == []
    assert held.GetLocalPos0Attr().Get() == pytest.approx((5.2, 0.0, 1.0))


@pytest.mark.parametrize("selected", ["/World/arm", "/World/root"])
def test_a_joint_beside_the_robot_comes_along(tmp_path, walker, selected):
    stage = with_walkers(tmp_path, walker, "arm")
    joint = UsdPhysics.FixedJoint.Define(stage, "/World/root")
    joint.CreateBody1Rel().SetTargets(["/World/arm/trunk"])
    robot, file = saved(stage, selected)
    assert robot.fixed_base and len(robot.joints) == 12
    assert UsdPhysics.Joint(file.GetPrimAtPath("/arm/root")).GetBody1Rel().GetTargets() == ["/arm/trunk"]


def test_materials_come_along_and_other_ties_are_cut(tmp_path):
    stage = new_stage(tmp_path)
    base = add_arm(stage)
    UsdGeom.Scope.Define(stage, "/World/arm/steel")
    steel = UsdShade.Material.Define(stage, "/World/Looks/steel")
    steel.CreateInput("tint", Sdf.ValueTypeNames.Float3).Set(Gf.Vec3f(1, 0, 0))
    rubber = UsdShade.Material.Define(stage, "/World/Looks/rubber")
    UsdShade.MaterialBindingAPI.Apply(base).Bind(steel)
    UsdShade.MaterialBindingAPI.Apply(stage.GetPrimAtPath("/World")).Bind(rubber, materialPurpose="physics")
    UsdPhysics.RigidBodyAPI(base).CreateSimulationOwnerRel().SetTargets(["/World/scene"])
    _, file = saved(stage)
    link = UsdShade.MaterialBindingAPI(file.GetPrimAtPath("/arm/Geometry/base/link/shape"))
    assert link.ComputeBoundMaterial()[0].GetInput("tint").Get() == Gf.Vec3f(1, 0, 0)
    assert link.ComputeBoundMaterial("physics")[0].GetPath() == "/arm/rubber"
    assert UsdPhysics.RigidBodyAPI(file.GetPrimAtPath("/arm/Geometry/base")).GetSimulationOwnerRel().GetTargets() == []
    assert [child.GetPath() for child in file.GetPseudoRoot().GetChildren()] == ["/arm"]


@pytest.mark.parametrize(
    ("selected", "said"),
    [
        ("", "nothing is selected"),
        ("/World/gone", "no such prim"),
        ("not a path", "no such prim"),
        ("/World/ground", "no articulation here"),
        ("/World", "holds 2 articulations (/World/first, /World/second); select one of them"),
    ],
)
def test_what_is_no_robot_is_refused_in_one_line(tmp_path, walker, selected, said):
    stage = with_walkers(tmp_path, walker, "first", "second")
    with pytest.raises(RobotError) as refused:
        save_robot(stage, selected)
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert not list((tmp_path / "home").rglob("*.usdc"))


def test_without_a_stage_there_is_no_robot():
    with pytest.raises(RobotError, match="no stage is open"):
        save_robot(None, "/World")


def test_a_robot_whose_parts_lie_among_others_is_refused(tmp_path, walker):
    stage = with_walkers(tmp_path, walker, "first", "second", "third")
    joint = UsdPhysics.FixedJoint.Define(stage, "/World/tie")
    joint.CreateBody0Rel().SetTargets(["/World/first/trunk"])
    joint.CreateBody1Rel().SetTargets(["/World/second/trunk"])
    with pytest.raises(RobotError, match="no prim of their own in common"):
        save_robot(stage, "/World/first")


def test_a_robot_of_a_referenced_scene_is_taken_without_the_scene(tmp_path):
    scene = Usd.Stage.CreateNew(str(tmp_path / "scene.usda"))
    scene.SetDefaultPrim(UsdGeom.Xform.Define(scene, "/Hall").GetPrim())
    add_arm(scene, "/Hall/arm")
    add_box(scene, "/Hall/crate")
    scene.GetRootLayer().Save()
    stage = new_stage(tmp_path)
    stage.DefinePrim("/World/hall").GetReferences().AddReference(str(tmp_path / "scene.usda"))
    robot, file = saved(stage, "/World/hall")
    assert robot.name == "arm" and not file.GetPrimAtPath("/arm/crate")
