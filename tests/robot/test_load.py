from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from humanoid_rl_ext.errors import RobotError
from humanoid_rl_ext.robot import RobotOverrides, load_robot

HEADER = '#usda 1.0\n(\n    defaultPrim = "R"\n    metersPerUnit = {metre}\n    upAxis = "{up}"\n)\n'
ROOT = '"PhysicsArticulationRootAPI"'
LOCKED = "".join(
    f"float limit:{axis}:physics:low = 1\nfloat limit:{axis}:physics:high = -1\n"
    for axis in ("transX", "transY", "transZ", "rotY")
)
D6_APIS = ", ".join(f'"PhysicsLimitAPI:{a}"' for a in ("transX", "transY", "transZ", "rotX", "rotY"))

Writer = Callable[..., Path]


@pytest.fixture
def usda(tmp_path: Path) -> Callable[..., Path]:
    """Writes a USD file from the text of its prims."""

    def write(text: str, name: str = "thing.usda", up: str = "Z", metre: float = 1.0) -> Path:
        path = tmp_path / name
        path.write_text(HEADER.format(up=up, metre=metre) + text)
        return path

    return write


def body(
    name: str, at: tuple[float, float, float], mass: float = 1.0, size: float = 0.1, apis: str = "", inner: str = ""
) -> str:
    """A cubic body; ``apis`` are more schemas to apply, ``inner`` more prims below it."""
    schemas = '"PhysicsRigidBodyAPI", "PhysicsMassAPI"' + (f", {apis}" if apis else "")
    return f"""
def Xform "{name}" (prepend apiSchemas = [{schemas}])
{{
    float physics:mass = {mass}
    double3 xformOp:translate = {at}
    uniform token[] xformOpOrder = ["xformOp:translate"]
    def Cube "shape" (prepend apiSchemas = ["PhysicsCollisionAPI"])
    {{
        double size = {size}
    }}
    {inner}
}}
"""


def joint(
    name: str,
    sides: tuple[str, str],
    at: tuple[tuple[float, float, float], tuple[float, float, float]] = ((0, 0, 0), (0, 0, 0)),
    kind: str = "Revolute",
    more: str = "",
    apis: str = "",
) -> str:
    """A joint between two prims of robot R (an empty name for the world)."""
    schemas = f" (prepend apiSchemas = [{apis}])" if apis else ""
    rels = "\n".join(f"    rel physics:body{i} = </R/{side}>" for i, side in enumerate(sides) if side)
    return f"""
def Physics{kind}Joint "{name}"{schemas}
{{
{rels}
    point3f physics:localPos0 = {at[0]}
    point3f physics:localPos1 = {at[1]}
    {more}
}}
"""


def robot(*parts: str, apis: str = "") -> str:
    """The root prim R around its parts."""
    schemas = f" (prepend apiSchemas = [{apis}])" if apis else ""
    return f'def Xform "R"{schemas}\n{{\n{"".join(parts)}\n}}\n'


def codes(path: Path) -> set[str]:
    return {warning.code for warning in load_robot(path).warnings}


def test_angles_and_angular_gains_become_radians(usda: Writer) -> None:
    drive = """float physics:lowerLimit = -90
    float physics:upperLimit = 45
    float drive:angular:physics:stiffness = 2
    float drive:angular:physics:damping = 0.5
    float drive:angular:physics:maxForce = 33
    float physxJoint:armature = 0.02
    float physxJoint:maxJointVelocity = 180"""
    apis = '"PhysicsDriveAPI:angular", "PhysxJointAPI"'
    text = robot(body("a", (0, 0, 1), apis=ROOT), body("b", (1, 0, 1)), joint("j", ("a", "b"), more=drive, apis=apis))
    (only,) = load_robot(usda(text)).joints
    assert (only.lower, only.upper) == pytest.approx((-math.pi / 2, math.pi / 4))
    assert (only.stiffness, only.damping) == pytest.approx((2 * 180 / math.pi, 0.5 * 180 / math.pi))
    assert (only.effort_limit, only.armature) == pytest.approx((33.0, 0.02))
    assert only.velocity_limit == pytest.approx(math.pi)


def test_armature_without_its_schema_does_not_count(usda: Writer) -> None:
    text = robot(
        body("a", (0, 0, 1), apis=ROOT),
        body("b", (1, 0, 1)),
        joint("j", ("a", "b"), more="float physxJoint:armature = 0.5"),
    )
    path = usda(text)
    assert load_robot(path).joints[0].armature == 0.0
    assert {"armature_without_api", "no_drive", "effort_limit_missing", "limits_missing"} <= codes(path)


def test_a_joint_without_a_drive_is_given_one(usda: Writer) -> None:
    text = robot(
        body("a", (0, 0, 1), apis=ROOT), body("b", (1, 0, 1)), joint("j", ("a", "b"), ((0.5, 0, 0), (-0.5, 0, 0)))
    )
    (only,) = load_robot(usda(text)).joints
    assert only.stiffness > 0.0
    assert only.damping > 0.0


def test_a_body_below_a_body_keeps_its_own_shapes(usda: Writer) -> None:
    inner = body("b", (0.5, 0, 0), mass=0.0, size=0.1)
    text = robot(
        body("a", (0, 0, 1), mass=0.0, size=0.2, apis=ROOT, inner=inner),
        joint("j", ("a", "a/b"), ((0.5, 0, 0), (0, 0, 0))),
    )
    masses = [one.mass for one in load_robot(usda(text)).bodies]
    assert masses == pytest.approx([8.0, 1.0])  # 1000 kg/m3 times the cubes' volumes


def test_y_up_in_centimetres_becomes_z_up_in_metres(usda: Writer) -> None:
    text = robot(
        body("a", (0, 50, 0), size=20, apis=ROOT),
        body("b", (0, 50, 100), size=10),
        joint(
            "j",
            ("a", "b"),
            ((0, 0, 40), (0, 0, -60)),
            kind="Prismatic",
            more='uniform token physics:axis = "Y"\nfloat physics:lowerLimit = -5\nfloat physics:upperLimit = 20',
        ),
    )
    path = usda(text, up="Y", metre=0.01)
    found = load_robot(path)
    assert (found.up_axis, found.meters_per_unit) == ("Y", 0.01)
    assert found.path != str(path)
    # file's Z points along -Y after the turn about X that takes Y to Z
    assert found.bodies[0].position == pytest.approx((0, 0, 0.5), abs=1e-6)
    assert found.bodies[1].position == pytest.approx((0, -1.0, 0.5), abs=1e-6)
    assert found.joints[0].axis == pytest.approx((0, 0, 1), abs=1e-6)
    assert (found.joints[0].lower, found.joints[0].upper) == pytest.approx((-0.05, 0.2))
    assert found.standing_height == pytest.approx(0.1, abs=1e-6)
    assert {"up_axis", "unit"} <= codes(path)


def test_free_axes_of_a_d6_joint_are_joints(usda: Writer) -> None:
    limit = LOCKED + "float limit:rotX:physics:low = -30\nfloat limit:rotX:physics:high = 60"
    text = robot(
        body("a", (0, 0, 1), apis=ROOT), body("b", (0, 0, 2)), joint("j", ("a", "b"), kind="", more=limit, apis=D6_APIS)
    )
    x, z = load_robot(usda(text)).joints
    assert (x.name, x.drive, z.name, z.drive) == ("j:x", "rotX", "j:z", "rotZ")
    assert (x.lower, x.upper) == pytest.approx((-math.pi / 6, math.pi / 3))
    assert z.upper == math.inf


def test_a_ball_joint_is_three_joints(usda: Writer) -> None:
    text = robot(body("a", (0, 0, 1), apis=ROOT), body("b", (0, 0, 2)), joint("j", ("a", "b"), kind="Spherical"))
    assert load_robot(usda(text)).joint_names == ["j:x", "j:y", "j:z"]


def test_a_joint_whose_child_is_body0_turns_the_other_way(usda: Writer) -> None:
    text = robot(
        body("a", (0, 0, 1), apis=ROOT),
        body("b", (1, 0, 1)),
        joint("j", ("b", "a"), ((-0.6, 0, 0), (0.4, 0, 0)), more='uniform token physics:axis = "Z"'),
    )
    (only,) = load_robot(usda(text)).joints
    assert (only.parent, only.child) == ("a", "b")
    assert only.axis == pytest.approx((0, 0, -1))
    assert only.anchor == pytest.approx((0.4, 0, 1))


def test_a_fixed_joint_that_carries_the_root_fixes_the_base(usda: Writer) -> None:
    text = robot(
        body("a", (0, 0, 1)),
        body("b", (1, 0, 1)),
        joint("ground", ("", "a"), kind="Fixed", apis=ROOT),
        joint("j", ("a", "b")),
    )
    found = load_robot(usda(text))
    assert found.fixed_base
    assert found.base == "a"


def test_with_the_root_on_a_container_the_base_is_the_body_no_joint_leads_to(usda: Writer) -> None:
    text = robot(body("arm", (1, 0, 1)), body("base", (0, 0, 1)), joint("j", ("base", "arm")), apis=ROOT)
    assert load_robot(usda(text)).base == "base"


def test_a_welded_body_is_a_body_without_a_joint(usda: Writer) -> None:
    text = robot(
        body("a", (0, 0, 1), apis=ROOT),
        body("head", (0, 0, 2)),
        joint("weld", ("a", "head"), ((0, 0, 1), (0, 0, 0)), kind="Fixed"),
    )
    found = load_robot(usda(text))
    assert found.joints == ()
    assert found.with_role("head") == ["head"]
    assert found.bodies[1].position == pytest.approx((0, 0, 2))


def test_loops_and_excluded_joints_are_left_out(usda: Writer) -> None:
    text = robot(
        body("a", (0, 0, 1), apis=ROOT),
        body("b", (1, 0, 1)),
        body("c", (2, 0, 1)),
        joint("ab", ("a", "b")),
        joint("bc", ("b", "c")),
        joint("ca", ("c", "a")),
        joint("extra", ("a", "b"), more="bool physics:excludeFromArticulation = 1"),
    )
    path = usda(text)
    assert load_robot(path).joint_names == ["ab", "ca"]
    assert "loop" in codes(path)


def test_a_one_sided_limit_range_stands_in_its_middle(usda: Writer) -> None:
    limits = "float physics:lowerLimit = 30\nfloat physics:upperLimit = 100"
    text = robot(body("a", (0, 0, 1), apis=ROOT), body("b", (1, 0, 1)), joint("j", ("a", "b"), more=limits))
    assert load_robot(usda(text)).joints[0].default == pytest.approx(math.radians(65))


def test_standing_puts_the_lowest_shape_on_the_ground(usda: Writer) -> None:
    text = robot(
        body("a", (0, 0, 5), apis=ROOT), body("foot", (0, 0, 4)), joint("j", ("a", "foot"), ((0, 0, -1), (0, 0, 0)))
    )
    assert load_robot(usda(text)).standing_height == pytest.approx(1.05)


def test_overlapping_shapes_are_told(usda: Writer) -> None:
    text = robot(
        body("a", (0, 0, 1), apis=ROOT),
        body("b", (1, 0, 1)),
        body("c", (1.05, 0, 1)),
        joint("ab", ("a", "b"), ((1, 0, 0), (0, 0, 0))),
        joint("ac", ("a", "c"), ((1.05, 0, 0), (0, 0, 0))),
    )
    path = usda(text)
    assert "self_collision" in codes(path)
    assert load_robot(path).self_collision_pairs == ()


def test_a_body_with_neither_mass_nor_shape_is_told(usda: Writer) -> None:
    bare = 'def Xform "b" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])\n{\n}\n'
    path = usda(robot(body("a", (0, 0, 1), apis=ROOT), bare, joint("j", ("a", "b"))))
    assert "zero_mass" in codes(path)
    assert load_robot(path).bodies[1].mass == 1.0


def test_two_articulations_are_named(usda: Writer) -> None:
    text = robot(body("a", (0, 0, 1), apis=ROOT), body("b", (1, 0, 1), apis=ROOT))
    with pytest.raises(RobotError, match=r"2 articulations \(/R/a and /R/b\)"):
        load_robot(usda(text))


def test_no_articulation_is_told(usda: Writer) -> None:
    with pytest.raises(RobotError, match="no articulation"):
        load_robot(usda(robot(body("a", (0, 0, 1)))))


def test_unreadable_and_unknown_files_are_one_line_errors(tmp_path: Path) -> None:
    broken = tmp_path / "broken.usda"
    broken.write_text("garbage")
    (tmp_path / "thing.stl").write_text("solid")
    for source, said in (
        (broken, "not a readable USD file"),
        (tmp_path / "none.usd", "no such file"),
        (tmp_path / "thing.stl", "cannot read '.stl'"),
        ("humanoyd", "did you mean 'humanoid'"),
    ):
        with pytest.raises(RobotError, match=said) as caught:
            load_robot(source)
        assert "\n" not in str(caught.value)


def test_overrides_reach_the_joints_they_match() -> None:
    given = RobotOverrides(joints={".*_knee": {"stiffness": 7.0, "default": 0.5}})  # type: ignore[dict-item]
    found = {one.name: one for one in load_robot("humanoid", given).joints}
    assert found["left_knee"].stiffness == found["right_knee"].stiffness == 7.0
    assert found["left_knee"].default == 0.5
    assert found["left_elbow"].stiffness == pytest.approx(40.0)


def test_a_pattern_that_matches_nothing_names_the_nearest() -> None:
    given = RobotOverrides(joints={"left_kne": {"stiffness": 7.0}})  # type: ignore[dict-item]
    with pytest.raises(RobotError, match="did you mean 'left_knee'"):
        load_robot("humanoid", given)
