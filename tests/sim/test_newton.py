"""What is Newton's own: room for contacts, self-collision, joint friction, limits, recorded sub-steps, stiff drives."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.engine import NewtonSettings

pytestmark = pytest.mark.parametrize("start", ["newton"], indirect=True)
G = 9.81


def stiff_humanoid():
    """Gains up to 1100 N m/rad and 290 N m s/rad, no armature: drives that an explicit clip makes explode."""
    spec = importlib.util.find_spec("newton")
    assert spec is not None and spec.origin is not None
    return load_robot(Path(spec.origin).parent / "examples" / "assets" / "humanoid.usda")


def tumble(engine, steps: int, seed: int) -> float:
    """Drops robots turned at random and drives them to random targets; greatest joint speed, inf if not finite."""
    draws = torch.Generator(device=engine.device).manual_seed(seed)
    lower, upper = engine.get_property("joint_limits").view(engine.num_envs, -1, 2).unbind(-1)
    pose = engine.state.root_pose.clone()
    pose[:, 2] += 0.3
    pose[:, 3:] = torch.nn.functional.normalize(torch.randn(pose[:, 3:].shape, generator=draws, device=engine.device))
    everywhere = torch.ones(engine.num_envs, dtype=torch.bool, device=engine.device)
    still = torch.zeros_like(engine.state.root_velocity)
    engine.reset(everywhere, pose, still, engine.state.joint_pos.clone(), torch.zeros_like(lower))
    fastest = torch.zeros((), device=engine.device)
    for _ in range(steps // 10):
        place = torch.rand(lower.shape, generator=draws, device=engine.device)
        engine.set_targets("position", lower + (upper - lower) * place)
        for _ in range(2):
            engine.step(5)
            fastest = torch.maximum(fastest, engine.state.joint_vel.abs().max().nan_to_num(nan=math.inf))
    assert engine.state.root_pose.isfinite().all()
    return fastest.item()


def test_robots_survive_random_targets(start):
    assert tumble(start("humanoid", 8, dt=1 / 120), 200, seed=0) < 100.0


def test_stiff_drives_on_light_bodies_stay_tame_within_their_effort_limits(start):
    assert tumble(start(stiff_humanoid(), 8, dt=1 / 120), 200, seed=0) < 150.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_256_humanoids_survive_a_thousand_steps_of_random_targets(start, seed):
    assert tumble(start("humanoid", 256, dt=1 / 200), 1000, seed) < 150.0


def test_contacts_that_find_no_room_are_an_error_that_says_what_to_raise(start):
    engine = start("humanoid", 2, newton=NewtonSettings(max_contacts=1))
    with pytest.raises(EngineError, match=r"room for \d+ contact points each; raise sim\.newton\.max_contacts"):
        tumble(engine, 640, seed=0)
    with pytest.raises(EngineError, match="contacts are being lost"):
        engine.check_capacity()
    engine.close()


def test_a_recorded_substep_is_the_eager_one_to_the_last_bit(start):
    def run(recorded: bool) -> list[torch.Tensor]:
        engine = start("humanoid", 4, dt=1 / 200)
        draws = torch.Generator().manual_seed(5)
        for _ in range(6):
            engine.set_targets("position", torch.rand(4, 21, generator=draws) - 0.5)
            engine.step(3)
            assert engine._substep_graph is not None
            if not recorded:
                engine._substep_graph = None
        return [engine.state.root_pose.clone(), engine.state.joint_vel.clone(), engine.read_contacts().clone()]

    assert all(torch.equal(a, b) for a, b in zip(run(True), run(False), strict=True))


def test_bodies_touch_each_other_where_asked_for_and_described(start, put):
    humanoid = load_robot("humanoid")
    hips = [humanoid.joint_names.index(f"{side}_hip_roll") for side in ("left", "right")]
    thighs = [humanoid.body_names.index(f"{side}_thigh") for side in ("left", "right")]
    assert ("left_thigh", "right_thigh") in humanoid.self_collision_pairs

    def forces(**settings) -> torch.Tensor:
        robot = settings.pop("robot", humanoid)
        engine = start(robot, 1, gravity=(0.0, 0.0, 0.0), ground=False, **settings)
        joints = engine.state.joint_pos.clone()
        joints[0, hips[0]], joints[0, hips[1]] = -0.3, 0.3
        put(engine, joint_pos=joints)
        engine.step(1)
        return engine.read_contacts()[0].norm(dim=-1)

    assert forces().max() == 0.0
    touching = forces(self_collision=True)
    assert touching[thighs].min() > 1.0
    pairs = tuple(pair for pair in humanoid.self_collision_pairs if "left_thigh" not in pair)
    assert forces(self_collision=True, robot=replace(humanoid, self_collision_pairs=pairs))[thighs[0]] == 0.0


def test_friction_in_a_joint_holds_what_is_lighter_than_it(start, put, bench):
    engine = start(bench, 2)
    engine.set_property("joint_friction", torch.tensor([[0.0, 1.0], [0.0, 4.0]]))
    engine.set_targets("effort", torch.zeros(2, 2))
    angle = torch.zeros(2, 2)
    angle[:, bench.joint_names.index("swing")] = 0.2  # 2.3 N m of weight
    put(engine, joint_pos=angle)
    engine.step(60)
    moved = (engine.state.joint_pos - angle)[:, bench.joint_names.index("swing")].abs()
    assert moved[0] > 0.1 and moved[1] < 0.005


def test_passive_damping_slows_a_joint_down_as_described(start, put, bench):
    slide = bench.joint_names.index("slide")
    joints = list(bench.joints)
    joints[slide] = replace(joints[slide], passive_damping=3.0, armature=0.0)
    engine = start(replace(bench, joints=tuple(joints)), dt=1 / 1000)
    engine.set_targets("effort", torch.zeros(1, 2))
    speed = torch.zeros(1, 2)
    speed[0, slide] = 1.0
    put(engine, joint_vel=speed)
    engine.step(500)
    assert engine.state.joint_vel[0, slide].item() == pytest.approx(math.exp(-3.0 / 2.0 * 0.5), rel=5e-3)


def test_a_limit_stops_a_joint_without_throwing_it_back(start, put, bench):
    swing = bench.joint_names.index("swing")
    engine = start(bench, dt=1 / 200, gravity=(0.0, 0.0, 0.0))
    limits = engine.get_property("joint_limits")
    limits[0, 2 * swing : 2 * swing + 2] = torch.tensor([-0.5, 0.5])
    engine.set_property("joint_limits", limits)
    engine.set_targets("effort", torch.zeros(1, 2))
    speed = torch.zeros(1, 2)
    speed[0, swing] = 6.0
    put(engine, joint_vel=speed)
    path = []
    for _ in range(60):
        engine.step(1)
        path.append((engine.state.joint_pos[0, swing].item(), engine.state.joint_vel[0, swing].item()))
    assert max(angle for angle, _ in path) < 0.6
    assert min(rate for _, rate in path) > -1.0  # against 6 rad/s on arrival


def test_room_for_contacts_is_what_the_colliders_can_make(start):
    engine = start("humanoid", 1)
    data = engine._built.solver.mjw_data
    assert data.naconmax == 3 * 1 + 10 * 2 + 3 * 8  # spheres, capsules, boxes
    assert data.njmax >= 4 * data.naconmax + 2 * 21
