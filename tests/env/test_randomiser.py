"""Every randomised quantity against the mechanics that it changes, on both engines."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from benches import BOB_LENGTH, BOB_MASS, BOB_STIFFNESS, DAMPING, LIMIT, MASS, PULL, STIFFNESS, bench  # noqa: F401

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import load_task

ENGINES = ["ovphysx", "newton"]
pytestmark = pytest.mark.parametrize("engine", ENGINES)


def settle(env: VecEnv, seconds: float = 3.0, action: float = 0.0) -> VecEnv:
    for _ in range(round(seconds / env.view.dt)):
        env.step(torch.full((env.num_envs, env.spec.action.size), action))
    return env


def slide(env: VecEnv) -> torch.Tensor:
    return env.engine.state.joint_pos[:, env.engine.robot.joint_names.index("slide")].clone()


def speed(env: VecEnv) -> torch.Tensor:
    return env.engine.state.joint_vel[:, env.engine.robot.joint_names.index("slide")].clone()


def sample(env: VecEnv, name: str, low: float, high: float) -> torch.Tensor:
    """What was drawn, which has to differ between environments and lie within its range."""
    values = env.randomised(name)[:, 0]
    assert values.std() > 0.05 * (high - low) and low <= values.min() and values.max() <= high
    return values


def test_the_sled_hangs_lower_by_its_mass(bench) -> None:  # noqa: F811
    env = settle(bench(randomisation={"mass": {"params": {"bodies": "sled"}}}))
    torch.testing.assert_close(
        slide(env), sample(env, "mass", 0.8, 1.2) * MASS * PULL / STIFFNESS, rtol=3e-3, atol=1e-4
    )


def test_the_inertia_grows_with_the_mass(bench) -> None:  # noqa: F811
    env = bench(randomisation={"mass": {}})
    ratio = env.engine.get_property("inertia")[:, 0] / 1.0
    torch.testing.assert_close(ratio, env.randomised("mass")[:, 0], rtol=1e-5, atol=1e-5)


def test_two_factors_on_one_mass_multiply(bench) -> None:  # noqa: F811
    both = {"all": {"term": "mass"}, "sled": {"term": "mass", "params": {"bodies": "sled"}}}
    env = settle(bench(randomisation=both))
    factor = env.randomised("all")[:, 0] * env.randomised("sled")[:, 0]
    torch.testing.assert_close(slide(env), factor * MASS * PULL / STIFFNESS, rtol=3e-3, atol=1e-4)


def test_the_sled_hangs_lower_on_a_softer_drive(bench) -> None:  # noqa: F811
    env = settle(bench(randomisation={"joint_stiffness": {"params": {"scale": [0.5, 2.0]}}}), 10.0)
    expected = MASS * PULL / (STIFFNESS * sample(env, "joint_stiffness", 0.5, 2.0))
    torch.testing.assert_close(slide(env), expected, rtol=3e-3, atol=1e-4)


def test_the_sled_sinks_faster_with_less_damping(bench) -> None:  # noqa: F811
    env = settle(bench(randomisation={"joint_damping": {}}, control={"type": "joint_velocity"}), 4.0)
    expected = MASS * PULL / (DAMPING * sample(env, "joint_damping", 0.5, 2.0))
    half_a_step = 0.5 * PULL * env.engine.dt  # PhysX spreads gravity over its iterations
    torch.testing.assert_close(speed(env), expected, rtol=5e-3, atol=half_a_step)


def test_a_weak_motor_gives_way_in_proportion(bench) -> None:  # noqa: F811
    env = settle(bench(randomisation={"motor_strength": {}}))
    strength = sample(env, "motor_strength", 0.8, 1.2)
    torch.testing.assert_close(slide(env), MASS * PULL / (STIFFNESS * strength), rtol=3e-3, atol=1e-4)


def test_a_weak_motor_pushes_less_in_effort_control(bench) -> None:  # noqa: F811
    env = bench(
        randomisation={"motor_strength": {}}, control={"type": "effort", "scale": 0.5}, sim={"gravity": (0, 0, 0)}
    )
    settle(env, 0.2, action=1.0)
    expected = sample(env, "motor_strength", 0.8, 1.2) * 0.5 * LIMIT / MASS * 0.2
    torch.testing.assert_close(speed(env), expected, rtol=1e-2, atol=1e-4)


def test_armature_makes_the_sled_slower_to_start(bench) -> None:  # noqa: F811
    env = bench(
        armature=2.0,
        randomisation={"joint_armature": {}},
        control={"type": "effort", "scale": 0.5},
        sim={"gravity": (0.0, 0.0, 0.0)},
    )
    settle(env, 0.2, action=1.0)
    expected = 0.5 * LIMIT / (MASS + 2.0 * sample(env, "joint_armature", 0.5, 2.0)) * 0.2
    torch.testing.assert_close(speed(env), expected, rtol=1e-2, atol=1e-4)


def test_friction_in_the_joint_holds_what_is_lighter_than_it(bench) -> None:  # noqa: F811
    env = bench(
        randomisation={"joint_friction": {"distribution": "choice", "choices": [2.0, 20.0]}},
        control={"type": "effort", "scale": 0.0},
    )
    settle(env, 1.0)
    held = sample(env, "joint_friction", 2.0, 20.0) > MASS * PULL
    assert held.any() and not held.all()
    assert slide(env)[held].abs().max() < 0.1
    free = 0.5 * (MASS * PULL - 2.0) / MASS
    torch.testing.assert_close(slide(env)[~held], torch.full_like(slide(env)[~held], free), rtol=0.05, atol=1e-3)


def test_a_shifted_centre_of_mass_swings_the_pendulum_out(bench) -> None:  # noqa: F811
    env = bench(
        randomisation={"centre_of_mass": {"params": {"bodies": "bob", "offset": [-0.2, 0.2]}}},
        sim={"gravity": (0.0, 0.0, -9.81)},
    )
    settle(env)
    x, _, z = env.randomised("centre_of_mass").unbind(-1)
    weight = BOB_MASS * 9.81
    angle = env.engine.state.joint_pos[:, env.engine.robot.joint_names.index("swing")]
    # Turning about +y lowers what lies at +x: the weight's moment m g x turns it that way, drive and weight turn back.
    torch.testing.assert_close(angle, weight * x / (BOB_STIFFNESS + weight * (BOB_LENGTH - z)), rtol=0.02, atol=3e-4)


def test_gravity_is_each_environments_own(bench) -> None:  # noqa: F811
    env = settle(bench(randomisation={"gravity": {"params": {"magnitude": [2.0, 8.0]}}}))
    expected = MASS * sample(env, "gravity", 2.0, 8.0) / STIFFNESS
    torch.testing.assert_close(slide(env), expected, rtol=3e-3, atol=1e-4)


def test_heavier_links_in_a_gravity_of_their_own_weigh_both(bench) -> None:  # noqa: F811
    both = {"mass": {}, "gravity": {"params": {"magnitude": [2.0, 8.0]}}}
    env = settle(bench(randomisation=both))
    expected = env.randomised("mass")[:, 0] * MASS * env.randomised("gravity")[:, 0] / STIFFNESS
    torch.testing.assert_close(slide(env), expected, rtol=3e-3, atol=1e-4)


def test_an_external_force_moves_the_sled_until_it_is_drawn_anew(bench) -> None:  # noqa: F811
    force = {"bodies": "sled", "force_x": [-10.0, 10.0], "force_y": [0.0, 0.0]}
    env = settle(
        bench(randomisation={"external_force": {"mode": "reset", "params": force}}, sim={"gravity": (0, 0, 0)})
    )
    torch.testing.assert_close(slide(env), sample(env, "external_force", -10.0, 10.0) / STIFFNESS, rtol=3e-3, atol=1e-4)


def test_an_offset_of_the_action_moves_the_target_and_not_what_the_policy_sees(bench) -> None:  # noqa: F811
    env = bench(
        randomisation={"action_noise": {"mode": "reset", "params": {"joints": "slide", "offset": [-0.5, 0.5]}}},
        observations={"policy": {"last_action": {}}},
        sim={"gravity": (0.0, 0.0, 0.0)},
    )
    settle(env, action=0.25)
    torch.testing.assert_close(slide(env), 0.25 + sample(env, "action_noise", -0.5, 0.5), rtol=3e-3, atol=1e-4)
    assert env.observations()["policy"].tolist() == [[0.25]] * 8


def test_action_noise_is_new_in_every_step(bench) -> None:  # noqa: F811
    env = bench(randomisation={"action_noise": {}})
    seen = []
    for _ in range(50):
        settle(env, env.view.dt)
        seen.append(env.randomised("action_noise")[:, 0].clone())
    noise = torch.stack(seen)
    assert noise.unique().numel() == noise.numel()
    assert noise.abs().max() <= 0.02 and noise.std() == pytest.approx(0.04 / 12**0.5, rel=0.15)


def test_a_mode_says_when_a_quantity_is_drawn(bench) -> None:  # noqa: F811
    mass = {"term": "mass", "params": {"bodies": "sled"}}
    env = bench(
        randomisation={
            "once": {**mass, "mode": "start"},
            "episode": {**mass, "mode": "reset"},
            "timed": {**mass, "mode": "interval", "interval_s": [0.1, 0.1]},
        },
        sim={"randomisation_interval_s": 0.02},
        episode_length_s=0.3,
    )
    names = ("once", "episode", "timed")
    rows = {name: [env.randomised(name)[0, 0].item()] for name in names}
    for _ in range(30):
        settle(env, env.view.dt)
        for name in names:
            rows[name].append(env.randomised(name)[0, 0].item())
    changes = {name: sum(a != b for a, b in pairwise(row)) for name, row in rows.items()}
    assert changes == {"once": 0, "episode": 2, "timed": 6}


def test_what_goes_through_the_host_waits_for_its_batch(bench) -> None:  # noqa: F811
    env = bench(
        randomisation={"mass": {"params": {"bodies": "sled"}}},
        sim={"randomisation_interval_s": 0.2},
        episode_length_s=0.1,
    )
    host = env.engine.properties["mass"] == "host"
    before, changed = env.randomised("mass").clone(), []
    for step in range(1, 21):
        settle(env, env.view.dt)
        if not torch.equal(env.randomised("mass"), before):
            changed.append(step)
            before = env.randomised("mass").clone()
        sled = env.engine.robot.body_names.index("sled")
        assert torch.allclose(env.engine.get_property("mass")[:, sled], before[:, 0] * MASS)
    assert changed == ([10, 20] if host else [5, 10, 15, 20])


def test_what_is_saved_comes_back_and_acts(bench) -> None:  # noqa: F811
    wild = {"mass": {"params": {"bodies": "sled"}}, "gravity": {"params": {"magnitude": [2.0, 8.0]}}}
    env = settle(bench(randomisation=wild))
    saved, there = env.state_dict(), slide(env)
    again = bench(randomisation=wild, seed=9)
    again.load_state_dict(saved)
    settle(again)
    torch.testing.assert_close(slide(again), there, rtol=1e-3, atol=1e-4)


def test_the_failure_map_counts_who_falls_with_what(bench) -> None:  # noqa: F811
    env = bench(
        64,
        randomisation={"gravity": {"params": {"magnitude": [0.0, 10.0]}}},
        control={"type": "effort", "scale": 0.0},
        rewards={"alive": {"weight": 1.0}},
        episode_length_s=1.0,
    )
    terminated = env._terminations
    limit = 0.5 * 5.0 * 0.9**2

    def falls(view, non_finite):
        ended, truncated, success = terminated(view, non_finite)
        far = slide(env) > limit  # within 0.9 s if gravity is above 5
        return ended | far, truncated & ~far, success & ~far

    env._terminations = falls
    settle(env, 6.0)
    row = env.randomiser.failures.read()["gravity"]
    assert sum(row.episodes) > 300 and len(row.edges) == 17 and row.edges[-1] == 10.0
    assert sum(row.failed[:6]) == 0
    assert row.failed[10:] == row.episodes[10:] and sum(row.failed[10:]) > 100


@pytest.fixture
def make(engine: str):
    opened: list[VecEnv] = []

    def start(task: str, *overrides: str, num_envs: int = 6) -> VecEnv:
        while opened:
            opened.pop().close()
        opened.append(make_env(load_task(task, overrides), num_envs=num_envs, seed=1, engine=engine))  # type: ignore[arg-type]
        opened[-1].reset()
        return opened[-1]

    yield start
    while opened:
        opened.pop().close()


NEVER = ("terminations={time_out: {time_out: true}}", "episode_length_s=100")


def test_a_robot_of_1_2_times_the_mass_weighs_1_2_times_as_much_on_the_ground(make) -> None:
    env = make("humanoid_stand", *NEVER, "randomisation={mass: {distribution: choice, choices: [1.0, 1.2]}}")
    settle(env, 5.0)
    weight = torch.stack([settle(env, env.view.dt).engine.read_contacts()[..., 2].sum(1) for _ in range(20)]).mean(0)
    factor = env.randomised("mass")[:, 0]
    assert factor.min() == 1.0 and factor.max() == pytest.approx(1.2)
    torch.testing.assert_close(weight / (env.engine.robot.total_mass * 9.81), factor, rtol=0.02, atol=0.0)


def test_friction_of_a_tenth_slides_on_a_slope_where_that_of_one_holds(make) -> None:
    slope = "sim.gravity=[1.9, 0.0, -9.6]"  # 11 degrees
    env = make("walker_run", *NEVER, slope, "randomisation={friction: {distribution: choice, choices: [0.1, 1.0]}}")
    settle(env, 1.0)
    before = env.engine.state.root_pose[:, 0].clone()
    settle(env, 1.0)
    moved = env.engine.state.root_pose[:, 0] - before
    slippery = env.randomised("friction")[:, 0] < 0.5
    assert slippery.any() and not slippery.all()
    assert moved[slippery].min() > 0.5 and moved[~slippery].abs().max() < 0.05


def test_the_scene_is_as_slippery_as_before_where_the_factor_is_one(make) -> None:
    """Only the way in which a contact gets its friction differs, not its size."""
    drops = []
    for randomised in ("randomisation={}", "randomisation={friction: {params: {scale: [1.0, 1.0]}}}"):
        env = make("walker_run", *NEVER, randomised, "scene.dynamic_friction=0.3", "scene.static_friction=0.3")
        env.push_reserved(torch.zeros(3))
        state = env.engine.state
        moving = state.root_velocity.clone()
        moving[:, 0] = 1.0
        settle(env, 1.0)
        env.engine.reset(
            torch.ones(6, dtype=torch.bool),
            state.root_pose.clone(),
            moving,
            state.joint_pos.clone(),
            state.joint_vel * 0,
        )
        before = state.root_pose[:, 0].clone()
        settle(env, 1.0)
        drops.append((state.root_pose[:, 0] - before).mean().item())
    assert drops[0] > 0.05 and drops[1] == pytest.approx(drops[0], rel=0.1)


def test_on_a_terrain_the_factor_is_of_the_larger_friction_of_the_robot_and_the_ground(make) -> None:
    ground = "scene.terrain={kinds: {waves: {}}, rows: 1, columns: 1, cell_size: 4, platform: 2, friction: 0.6}"
    own = "scene.dynamic_friction=0.3", "scene.static_friction=0.3"
    friction = "randomisation={friction: {distribution: choice, choices: [0.5, 1.5]}}"
    env = make("walker_run", *NEVER, ground, *own, friction)
    factor = env.randomised("friction")
    found = env.engine.get_property("dynamic_friction")
    torch.testing.assert_close(found, (0.6 * factor).expand_as(found))


BALL = """#usda 1.0
(
    defaultPrim = "ball"
    metersPerUnit = 1
    kilogramsPerUnit = 1
    upAxis = "Z"
)
def Xform "ball"
{
    def Xform "base" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI", "PhysicsArticulationRootAPI"])
    {
        float physics:mass = 5
        float3 physics:diagonalInertia = (0.1, 0.1, 0.1)
        double3 xformOp:translate = (0, 0, 1)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        def Sphere "shape" (prepend apiSchemas = ["PhysicsCollisionAPI"])
        {
            double radius = 0.2
        }
    }
    def Xform "pin" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
    {
        float physics:mass = 0.01
        float3 physics:diagonalInertia = (0.0001, 0.0001, 0.0001)
        double3 xformOp:translate = (0, 0, 1)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
    def PhysicsRevoluteJoint "turn" (prepend apiSchemas = ["PhysicsDriveAPI:angular"])
    {
        uniform token physics:axis = "Z"
        rel physics:body0 = </ball/base>
        rel physics:body1 = </ball/pin>
        uniform token drive:angular:physics:type = "force"
        float drive:angular:physics:stiffness = 1
        float drive:angular:physics:damping = 0.1
    }
}
"""
"""A ball of 5 kg with next to nothing inside."""
RESTITUTION = "randomisation={restitution: {distribution: choice, choices: [0.0, 0.5, 0.8]}}"


def test_a_ball_comes_back_with_the_share_of_its_speed_that_was_drawn(make, engine, tmp_path) -> None:
    if engine == "newton":
        with pytest.raises(
            TaskError, match=r"randomisation.restitution: the engine 'newton' cannot change restitution"
        ):
            make("walker_run", RESTITUTION)
        return
    path = tmp_path / "ball.usda"
    path.write_text(BALL)
    plain = "rewards={alive: {weight: 1.0}}", "observations={policy: {root_height: {}}}", "metrics={}"
    env = make("walker_run", *NEVER, *plain, f"robot={{source: {path}}}", RESTITUTION, "control.scale=0.0", num_envs=12)
    state, rows = env.engine.state, torch.ones(12, dtype=torch.bool)
    lifted = state.root_pose.clone()
    lifted[:, 2] += 1.0
    env.engine.reset(rows, lifted, state.root_velocity * 0, state.joint_pos.clone(), state.joint_vel * 0)
    rising, falling = torch.zeros(12), torch.zeros(12)
    for _ in range(round(0.7 / env.engine.dt)):
        env.engine.step(1)
        rising = torch.maximum(rising, state.root_velocity[:, 2])
        falling = torch.maximum(falling, -state.root_velocity[:, 2])
    share = env.randomised("restitution")[:, 0]
    assert len(share.unique()) == 3 and falling.min() > 4.0
    torch.testing.assert_close(rising / falling, share, rtol=0.05, atol=0.03)


def test_friction_of_a_robot_without_contacts_is_drawn_and_changes_nothing(make) -> None:
    moved = []
    for randomised in ("{}", "{friction: {params: {scale: [0.1, 0.2]}}}"):
        env = settle(make("cartpole_balance", f"randomisation={randomised}"), 0.2, action=0.5)
        moved.append(env.engine.state.joint_pos.clone())
    assert moved[0].abs().max() > 1e-3
    torch.testing.assert_close(moved[1], moved[0])
    assert ((env.randomised("friction") > 0.1) & (env.randomised("friction") < 0.2)).all()
