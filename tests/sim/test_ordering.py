from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from pxr import Usd, UsdGeom

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.ordering import canonical_names, match

CPU = torch.device("cpu")
BOTH = pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True)


def foreign_humanoid() -> Path:
    spec = importlib.util.find_spec("newton")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "examples" / "assets" / "humanoid.usda"


def test_d6_slots_are_spelled_as_axes():
    described = ["hip:x", "hip:z", "knee", "ankle:y"]
    assert canonical_names(["hip:0", "hip:2", "knee", "ankle"], described) == described


def test_equal_orders_need_no_permutation():
    assert match("joints", ["a", "b"], ["a", "b"], CPU) is None


def test_a_permutation_takes_values_there_and_back():
    ordering = match("joints", ["c", "a", "b"], ["a", "b", "c"], CPU)
    native = torch.tensor([30, 10, 20])
    described = native[ordering.from_native]
    assert described.tolist() == [10, 20, 30]
    assert described[ordering.to_native].tolist() == native.tolist()


def test_other_names_are_an_error_that_says_which():
    with pytest.raises(EngineError, match="missing in the engine: b; unknown to the description: z"):
        match("joints", ["a", "z"], ["a", "b"], CPU)


@BOTH
def test_a_robot_that_an_engine_orders_otherwise_still_speaks_the_descriptions_order(start):
    description = load_robot(foreign_humanoid())
    engine = start(description, 2)
    ordering = engine._built.joint_order if engine.name == "newton" else engine._joint_pos._ordering
    assert ordering is not None, "the engine orders this robot as we do: the test shows nothing"

    lower, upper = engine.get_property("joint_limits")[0].view(-1, 2).unbind(-1)
    assert lower.tolist() == pytest.approx([joint.lower for joint in description.joints], rel=1e-4)
    assert upper.tolist() == pytest.approx([joint.upper for joint in description.joints], rel=1e-4)
    assert engine.get_property("mass")[0].tolist() == pytest.approx([b.mass for b in description.bodies], rel=0.05)

    zero, still = torch.zeros(2, len(description.joints)), torch.zeros(2, 6)
    everywhere = torch.ones(2, dtype=torch.bool)
    pose = engine.state.root_pose.clone()
    pose[:, 2] += 1.0
    engine.reset(everywhere, pose, still, zero, zero)
    stage = Usd.Stage.Open(description.path)
    cache = UsdGeom.XformCache()
    base = engine.state.body_pose[1, 0, :3]
    root = cache.GetLocalToWorldTransform(_prim(stage, description, 0)).ExtractTranslation()
    for index in range(len(description.bodies)):
        place = cache.GetLocalToWorldTransform(_prim(stage, description, index)).ExtractTranslation() - root
        assert (engine.state.body_pose[1, index, :3] - base).tolist() == pytest.approx(list(place), abs=2e-3)

    rest = engine.state.body_pose[1].clone()
    bent = zero.clone()
    bent[1, description.joint_names.index("right_elbow")] = -0.8
    engine.reset(everywhere, pose, still, bent, zero)
    turned = (engine.state.body_pose[1] - rest).abs().amax(-1) > 1e-3
    moved = {name for name, moves in zip(description.body_names, turned.tolist(), strict=True) if moves}
    assert moved == {"right_lower_arm", "right_hand"}


NESTED = """#usda 1.0
(
    defaultPrim = "bot"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "bot" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI", "PhysicsArticulationRootAPI"])
{
    float physics:mass = 3
    double3 xformOp:translate = (0, 0, 1)
    uniform token[] xformOpOrder = ["xformOp:translate"]
    def Cube "shape" (prepend apiSchemas = ["PhysicsCollisionAPI"])
    {
        double size = 0.3
    }
    def Xform "arm" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
    {
        float physics:mass = 1
        double3 xformOp:translate = (0, 0, 0.5)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
    def PhysicsRevoluteJoint "shoulder"
    {
        uniform token physics:axis = "Y"
        rel physics:body0 = </bot>
        rel physics:body1 = </bot/arm>
        point3f physics:localPos0 = (0, 0, 0.2)
        point3f physics:localPos1 = (0, 0, -0.3)
        float physics:lowerLimit = -60
        float physics:upperLimit = 60
    }
}
"""


@BOTH
def test_a_root_prim_that_is_itself_the_base_body_is_found_with_its_contacts(start, tmp_path):
    path = tmp_path / "bot.usda"
    path.write_text(NESTED)
    engine = start(load_robot(path), 3)
    engine.step(240)
    weight = engine.read_contacts()[..., 2]
    assert weight[:, 0].tolist() == pytest.approx([4 * 9.81] * 3, rel=0.01)
    assert engine.state.root_pose[:, 2].tolist() == pytest.approx([0.15] * 3, abs=0.01)


def _prim(stage, description, index):
    path = description.bodies[index].path
    return stage.GetPrimAtPath(f"{description.root}/{path}" if path else description.root)
