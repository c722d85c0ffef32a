"""Robots on uneven ground, in both engines: they stand where the height field says, slide where friction lets them."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot import RobotDescription, load_robot
from humanoid_rl_ext.sim.ground import Ground

sys.path.insert(0, str(Path(__file__).parent))
from terrains import terrain

pytestmark = pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True)
DT, G, RADIUS, HALF_HEIGHT = 1 / 200, 9.81, 0.15, 0.05

BODY = """#usda 1.0
(
    defaultPrim = "thing"
    metersPerUnit = 1
    kilogramsPerUnit = 1
    upAxis = "Z"
)
def Xform "thing"
{{
    def Xform "base" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI", "PhysicsArticulationRootAPI"])
    {{
        float physics:mass = 4
        float3 physics:diagonalInertia = (0.2, 0.2, 0.2)
        double3 xformOp:translate = (0, 0, 1)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        {shape}
    }}
    def Xform "weight" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
    {{
        float physics:mass = 0.1
        float3 physics:diagonalInertia = (0.01, 0.01, 0.01)
        double3 xformOp:translate = (0, 0, 1)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
    def PhysicsRevoluteJoint "turn" (prepend apiSchemas = ["PhysicsDriveAPI:angular"])
    {{
        uniform token physics:axis = "Z"
        rel physics:body0 = </thing/base>
        rel physics:body1 = </thing/weight>
        float physics:lowerLimit = -90
        float physics:upperLimit = 90
        uniform token drive:angular:physics:type = "force"
        float drive:angular:physics:stiffness = 10
        float drive:angular:physics:damping = 1
    }}
}}
"""
COLLIDER = '(prepend apiSchemas = ["PhysicsCollisionAPI"])'
BALL = f"""def Sphere "ball" {COLLIDER}
        {{
            double radius = {RADIUS}
        }}"""
BOX = f"""def Cube "box" {COLLIDER}
        {{
            double size = 1
            float3 xformOp:scale = (0.4, 0.4, {2 * HALF_HEIGHT})
            uniform token[] xformOpOrder = ["xformOp:scale"]
        }}"""


@pytest.fixture
def thing(tmp_path: Path):
    """A robot of one collider with a small weight that turns inside it."""

    def make(shape: str) -> RobotDescription:
        path = tmp_path / "thing.usda"
        path.write_text(BODY.format(shape=shape))
        return load_robot(path)

    return make


def place(engine, points: torch.Tensor, pitch: float = 0.0) -> None:
    """Puts every robot's base at a point (num_envs, 3), turned about y, at rest."""
    pose = torch.zeros(engine.num_envs, 7)
    pose[:, :3] = points
    pose[:, 4], pose[:, 6] = math.sin(pitch / 2), math.cos(pitch / 2)
    everywhere = torch.ones(engine.num_envs, dtype=torch.bool)
    still = torch.zeros_like(engine.state.joint_pos)
    engine.reset(everywhere, pose, torch.zeros(engine.num_envs, 6), still, still)


STAIRS = {"height": [0.0, 0.2], "depth": 1.5}


@pytest.mark.parametrize(("kind", "sign"), [("stairs_down", 1), ("stairs_up", -1)])
def test_a_ball_dropped_on_stairs_rests_a_radius_above_each_step(start, thing, kind, sign):
    built = terrain({kind: dict(STAIRS)}, cell_size=10.0)
    engine = start(thing(BALL), 3, dt=DT, terrain=built)
    origin = torch.as_tensor(built.origins[0, 0])
    drops = origin + torch.tensor([[0.0, 0.0, 0.5], [2.7, 0.0, 0.5], [0.0, -4.3, 0.5]])
    place(engine, drops)
    engine.step(500)
    # The platform is the second step: 10 m / 2 - 2 x 1.5 m = 2 m from the middle; from 3.5 m on the ground is at 0.
    steps = torch.tensor([2, 1, 0]) * 0.2 * sign
    assert origin[2].item() == pytest.approx(0.4 * sign)
    assert (engine.state.root_pose[:, 2] - RADIUS).tolist() == pytest.approx(steps.tolist(), abs=3e-3)


def test_robots_start_on_their_cells_and_stand_there_as_on_a_plane(start):
    built = terrain({"pyramid": {}, "inverted_pyramid": {}, "stairs_up": {}}, rows=2)
    engine = start("humanoid", 9, dt=DT, terrain=built)
    assert torch.equal(engine.env_origins, torch.as_tensor(built.start_origins(9)))
    engine.step(200)
    above = engine.state.root_pose[:, :3] - engine.env_origins
    assert above[:, :2].abs().max() < 0.08
    assert above[:, 2].tolist() == pytest.approx([engine.robot.standing_height] * 9, abs=0.02)


def test_contacts_are_those_of_where_a_reset_has_put_the_robot(start, thing):
    built = terrain({"waves": {}})
    engine = start(thing(BOX), 2, dt=DT, terrain=built)
    ground = torch.as_tensor(built.origins[0, 0])
    place(engine, ground + torch.tensor([[0.0, 0.0, 5.0], [0.0, 0.0, HALF_HEIGHT - 1e-3]]))
    engine.step(1)
    assert (engine.read_contacts()[..., 2].sum(1) > 1.0).tolist() == [False, True]
    swapped = engine.state.root_pose.flip(0).clone()
    swapped[0, 2] = ground[2] + HALF_HEIGHT - 1e-3
    still = torch.zeros_like(engine.state.joint_pos)
    engine.reset(torch.ones(2, dtype=torch.bool), swapped, torch.zeros(2, 6), still, still, bodies=False)
    engine.step(1)
    assert (engine.read_contacts()[..., 2].sum(1) > 1.0).tolist() == [True, False]


def test_robots_that_share_a_cell_pass_through_each_other(start, thing):
    built = terrain({"waves": {}})
    engine = start(thing(BOX), 3, dt=DT, terrain=built)
    place(engine, torch.as_tensor(built.origins[0, 0]) + torch.tensor([[0, 0, 0.05], [0, 0, 0.05], [0.1, 0.1, 0.05]]))
    engine.step(100)
    place_found = engine.state.root_pose[:, :3] - engine.env_origins
    assert place_found.flatten().tolist() == pytest.approx([0, 0, 0.05, 0, 0, 0.05, 0.1, 0.1, 0.05], abs=3e-3)
    weight = engine.read_contacts()[..., 2].sum(1)
    assert weight.tolist() == pytest.approx([4.1 * G] * 3, rel=0.03)


def test_boxes_at_rest_on_a_slope_carry_their_weight_steadily(start, thing):
    built = terrain({"pyramid": {"rise": [0.0, 0.2]}}, cell_size=20.0)
    engine = start(thing(BOX), 16, dt=DT, terrain=built)
    spots = torch.zeros(16, 3)
    spots[:, :2] = (torch.rand(16, 2, generator=torch.Generator().manual_seed(0)) - 0.5) * 18.0
    spots[:, 2] = Ground(built, torch.device("cpu")).height(spots) + 0.2
    place(engine, spots)
    engine.step(300)
    loads = []
    for _ in range(50):
        engine.step(1)
        loads.append(engine.read_contacts()[..., 2].sum(1).clone())
    spread = torch.stack(loads).std(0).mean().item()
    print(f"{engine.name}: the load of a box of {4.1 * G:.1f} N at rest varies by {spread:.2f} N")
    assert spread < 0.05 * 4.1 * G


def test_friction_of_0_1_slides_on_a_slope_where_1_0_holds(start, thing):
    built = terrain({"slope": {"rise": [0.0, 0.3]}}, cell_size=20.0, friction=0.1)
    engine = start(thing(BOX), 2, dt=DT, terrain=built)
    for name in ("static_friction", "dynamic_friction"):
        if name in engine.properties:
            engine.set_property(name, torch.tensor([[0.1], [1.0]]))
    angle = math.atan(0.3)
    x = 3.0
    on_slope = torch.tensor([x, 0.0, -0.3 * (x - 1.0) + (HALF_HEIGHT + 1e-3) / math.cos(angle)])
    place(engine, (torch.as_tensor(built.origins[0, 0]) + on_slope).expand(2, 3), pitch=angle)
    engine.step(20)
    before = engine.state.root_pose[:, :3].clone()
    speed = engine.state.root_velocity[:, :3].norm(dim=-1)
    engine.step(100)
    time = 100 * DT
    slid = (engine.state.root_pose[:, :3] - before).norm(dim=-1)
    pull = G * (math.sin(angle) - 0.1 * math.cos(angle))
    assert slid[0].item() == pytest.approx(speed[0].item() * time + pull * time**2 / 2, rel=0.1)
    assert slid[1].item() < 0.01


def test_a_contact_has_the_robot_s_friction_alone_where_the_scene_says_so_on_terrain_too(start, thing):
    built = terrain({"slope": {"rise": [0.0, 0.3]}}, cell_size=20.0, friction=0.8)
    engine = start(thing(BOX), 2, dt=DT, terrain=built, contact_of="robot")
    for name in ("static_friction", "dynamic_friction"):
        if name in engine.properties:
            engine.set_property(name, torch.tensor([[0.1], [1.0]]))
    angle = math.atan(0.3)
    on_slope = torch.tensor([3.0, 0.0, -0.6 + (HALF_HEIGHT + 1e-3) / math.cos(angle)])
    place(engine, (torch.as_tensor(built.origins[0, 0]) + on_slope).expand(2, 3), pitch=angle)
    engine.step(20)
    before = engine.state.root_pose[:, :3].clone()
    speed = engine.state.root_velocity[:, :3].norm(dim=-1)
    engine.step(100)
    slid = (engine.state.root_pose[:, :3] - before).norm(dim=-1)
    pull = G * (math.sin(angle) - 0.1 * math.cos(angle))
    assert slid[0].item() == pytest.approx(speed[0].item() * 0.5 + pull * 0.5**2 / 2, rel=0.1)
    assert slid[1].item() < 0.01


def test_the_ground_s_friction_is_the_least_that_a_contact_has(start, thing):
    built = terrain({"slope": {"rise": [0.0, 0.3]}}, cell_size=20.0, friction=0.8)
    engine = start(thing(BOX), 1, dt=DT, terrain=built)
    for name in ("static_friction", "dynamic_friction"):
        if name in engine.properties:
            engine.set_property(name, torch.tensor([[0.0]]))
    angle = math.atan(0.3)
    on_slope = torch.tensor([[3.0, 0.0, -0.6 + (HALF_HEIGHT + 1e-3) / math.cos(angle)]])
    place(engine, torch.as_tensor(built.origins[0, 0]) + on_slope, pitch=angle)
    engine.step(20)
    before = engine.state.root_pose[:, :3].clone()
    engine.step(100)
    assert (engine.state.root_pose[:, :3] - before).norm() < 0.01


def test_self_collision_on_a_shared_terrain_is_refused_where_it_cannot_be_had(start):
    if start("walker", 2, dt=DT, terrain=terrain({"waves": {}})).name == "newton":
        start("walker", 2, dt=DT, terrain=terrain({"waves": {}}), self_collision=True).step(1)
    else:
        with pytest.raises(EngineError, match="self_collision"):
            start("walker", 2, dt=DT, terrain=terrain({"waves": {}}), self_collision=True)
