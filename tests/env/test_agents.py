"""Several agents in one robot: what each sees and moves, who is paid, and what all that changes in physics."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from benches import MakeBench, bench  # noqa: F401

from humanoid_rl_ext.env.gymnasium_out import GymnasiumVectorEnv
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.schema import Task

ENGINES = pytest.mark.parametrize("engine", ["ovphysx", "newton"])
LEGS = "agents={left: {joints: .*left.*}, right: {joints: .*right.*}}"


def seen_by(env: VecEnv, agent: int) -> list[str]:
    names = (env.spec.observation_names or {})["policy"]
    return [names[column] for column in env.spec.agents[agent].observes]


def test_an_agent_sees_its_own_joints_and_what_belongs_to_none(make) -> None:
    env = make("walker_run", LEGS, "observations.policy.contact_force={}", "observations.policy.joint_vel.history=2")
    names = (env.spec.observation_names or {})["policy"]
    left, right = (set(seen_by(env, agent)) for agent in (0, 1))
    by_name = {name for name in names if not name.startswith("last_action")}
    assert {name for name in by_name if "left" in name} == (left - right) & by_name
    assert {name for name in by_name if "right" in name} == (right - left) & by_name
    own = [place for place, name in enumerate(env.spec.action.names) if "left" in name]
    assert {f"last_action[{place}]" for place in own} == {name for name in left if name.startswith("last_action")}
    assert left & right == {name for name in names if name.startswith(("root", "projected", "heading"))}
    assert left | right == set(names)


def test_agents_may_see_all_or_what_patterns_pick(make) -> None:
    env = make(
        "walker_run",
        "agents={left: {joints: .*left.*, observes: all},"
        " right: {joints: .*right.*, observes: ['joint_pos.*', root_height]}}",
    )
    assert len(seen_by(env, 0)) == env.spec.observations["policy"]
    assert {name.split("[")[0] for name in seen_by(env, 1)} == {"joint_pos", "root_height"}
    with pytest.raises(TaskError, match="'joint_po' picks no observation; did you mean 'joint_pos'"):
        make("walker_run", "agents={left: {joints: .*left.*}, right: {joints: .*right.*, observes: joint_po}}")


def test_agents_change_nothing_about_numbers_for_all_joints(make) -> None:
    def rewards(*overrides: str) -> list[torch.Tensor]:
        env = make("walker_run", *overrides)
        env.reset()
        return [env.step(0.3 * torch.ones(4, env.spec.action.size)).reward for _ in range(20)]

    assert all(torch.equal(a, b) for a, b in zip(rewards(), rewards(LEGS), strict=True))


def test_rewards_reach_the_agents_they_name_and_statistics_take_the_mean(make) -> None:
    shared = make("walker_run", "episode_length_s=0.2")
    shared.reset()
    plain = [shared.step(torch.zeros(4, shared.spec.action.size)).reward for _ in range(30)]
    whole = shared.episode_metrics()
    env = make("walker_run", LEGS, "episode_length_s=0.2", "rewards.alive.agents=[left]")
    assert env.spec.reward_per_agent
    env.reset()
    apart = [env.step(torch.zeros(4, env.spec.action.size)).reward for _ in range(30)]
    assert apart[0].shape == (4, 2)
    alive = env.task.rewards["alive"].weight * env.task.control_dt
    for both, one in zip(apart, plain, strict=True):
        assert both[:, 0].tolist() == pytest.approx(one.tolist(), abs=1e-6)
        assert both[:, 1].tolist() == pytest.approx((one - alive).tolist(), abs=1e-6)
    mean = env.episode_metrics()
    paid = alive * mean["length"]
    assert mean["return"] == pytest.approx(whole["return"] - paid / 2, abs=1e-5)
    assert mean["reward/alive"] == pytest.approx(paid / 2, abs=1e-6)
    terms = sum(value for name, value in mean.items() if name.startswith("reward/"))
    assert mean["return"] == pytest.approx(terms, abs=1e-5)


def test_whom_a_reward_is_paid_to_may_change_while_training_but_not_whether_they_are_paid_apart(make) -> None:
    env = make("walker_run", LEGS, "rewards.alive.agents=[left]")
    env.reset()
    still = torch.zeros(4, env.spec.action.size)
    before = env.step(still).reward
    env.edit("rewards.alive.agents", ["right"])
    after = env.step(still).reward
    alive = env.task.rewards["alive"].weight * env.task.control_dt
    assert (before[:, 0] - before[:, 1]).tolist() == pytest.approx([alive] * 4, abs=1e-6)
    assert (after[:, 1] - after[:, 0]).tolist() == pytest.approx([alive] * 4, abs=1e-6)
    env.edit("rewards.alive.agents", None)
    assert env.step(still).reward.shape == (4, 2)
    shared = make("walker_run", LEGS)
    with pytest.raises(TaskError, match="takes effect in a new run"):
        shared.edit("rewards.alive.agents", ["left"])


@ENGINES
def test_a_chosen_move_pushes_as_the_number_it_stands_for(bench: MakeBench, engine: str) -> None:  # noqa: F811
    """The sled follows a target; moves and numbers that mean the same take it to the same place."""

    def travel(choices: torch.Tensor, **task: object) -> torch.Tensor:
        env = bench(num_envs=3, **task)
        start = env.engine.state.joint_pos[:, 0].clone()
        for _ in range(40):
            env.step(choices)
        return env.engine.state.joint_pos[:, 0] - start

    level = {"sim": {"gravity": (0.0, 0.0, -9.81)}}
    numbers = travel(torch.tensor([[-1.0], [0.0], [2.0]]), **level)
    chosen = travel(torch.tensor([0, 1, 2]), control={"bins": [-1.0, 0.0, 2.0]}, **level)
    assert torch.equal(numbers, chosen)
    assert numbers[0] < -0.5 and abs(float(numbers[1])) < 0.01 and numbers[2] > 1.0
    agents = {"sled": {"joints": "slide", "bins": [-1.0, 0.0, 2.0]}}
    assert torch.equal(travel(torch.tensor([[0], [1], [2]]), agents=agents, **level), chosen)


def test_what_was_chosen_is_seen_and_paid_for_as_its_row(make) -> None:
    env = make("cartpole_balance_discrete", "observations.policy.last_action={}")
    env.reset()
    moved = env.step(torch.tensor([0, 1, 2, 2]))
    assert moved.obs["policy"][:, -1].tolist() == pytest.approx([-0.6, 0.0, 0.6, 0.6])


def test_reserved_environments_choose_too(make) -> None:
    env = make("cartpole_balance_discrete", num_envs=2, reserved=2)
    env.reset()
    assert env.reserved_actions.tolist() == [1, 1]  # to stay is the least it can do
    env.reserved_actions.copy_(torch.tensor([0, 2]))
    env.step(torch.tensor([1, 2]))
    assert env.view.action[:, 0].tolist() == pytest.approx([0.0, 0.6, -0.6, 0.6])


def test_gymnasium_sees_choices_as_its_own_kind_of_space(make) -> None:
    assert GymnasiumVectorEnv(make("cartpole_balance_discrete")).single_action_space.n == 3
    env = GymnasiumVectorEnv(
        make("walker_run", LEGS, "control.bins=[-1, 1]", "rewards.alive.agents=[left]", num_envs=2)
    )
    assert env.single_action_space.nvec.tolist() == [64, 64]
    env.reset()
    assert env.step(env.action_space.sample())[1].shape == (2,)


def test_choices_fill_the_row_within_what_a_gpu_records(make) -> None:
    """The look-up writes to the tensor that stays where it is."""
    env = make("cartpole_balance_discrete")
    env.reset()
    where = env.view.action.data_ptr()
    env.step(torch.tensor([0, 1, 2, 2]))
    assert env.view.action.data_ptr() == where


@pytest.mark.gpu
@pytest.mark.parametrize("overrides", [[], [LEGS, "rewards.alive.agents=[left]"]])
def test_on_a_gpu_choices_and_pay_are_those_of_the_cpu_and_nothing_waits(overrides: list[str]) -> None:
    from humanoid_rl_ext.env.actions import random_actions
    from humanoid_rl_ext.env.make import make_env
    from humanoid_rl_ext.task.loading import load_task

    joints = ["control.bins=[-1, 0, 1]"] if overrides else ["control.joints=.*knee", "control.bins=[-1, 0, 1]"]
    task: Task = load_task("walker_run", [*overrides, *joints])
    env = make_env(task, num_envs=64, device="cuda:0", engine="newton")
    assert isinstance(env, VecEnv)
    try:
        env.reset()
        table = env._actions._moves
        assert table is not None
        actions = random_actions(env.spec, 12, env.device)
        for index, action in enumerate(actions):
            if index == 8:  # recorded by then
                torch.cuda.set_sync_debug_mode("error")
            moved = env.step(action)
        torch.cuda.set_sync_debug_mode("default")
        assert torch.equal(env.view.action, table.look_up(actions[-1]))
        if env.spec.agents:
            paid = env._rewards.total(env._outcome.values[:, : len(env._rewards.names)].clone())
            assert moved.reward.shape == (64, 2) and paid.isfinite().all()
            alive = task.rewards["alive"].weight * task.control_dt
            assert torch.allclose(
                moved.reward[:, 0] - moved.reward[:, 1], torch.full_like(paid[:, 0], alive), atol=1e-5
            )
    finally:
        torch.cuda.set_sync_debug_mode("default")
        env.close()
