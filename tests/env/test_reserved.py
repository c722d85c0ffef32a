"""Environments that are kept out of learning: watched, driven, pushed, and never noticed by the others."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.errors import BadInputError, TaskError


def still(env) -> torch.Tensor:
    return torch.zeros(env.num_envs, env.spec.action.size)


def named(env, prefix: str) -> list[int]:
    return [i for i, name in enumerate(env.spec.observation_names["policy"]) if name.startswith(f"{prefix}[")]


def test_learning_sees_the_first_environments_alone(make) -> None:
    env = make("walker_run", "episode_length_s=0.1", num_envs=3, reserved=2)
    assert env.spec.num_envs == env.num_envs == 3 and env.engine.num_envs == 5
    assert env.reset()["policy"].shape[0] == 3
    for _ in range(4):
        moved = env.step(still(env))
    for rows in (moved.obs["policy"], moved.final_obs["policy"], moved.reward, moved.terminated, moved.truncated):
        assert len(rows) == 3
    assert env.reserved_observations()["policy"].shape == (2, env.spec.observations["policy"])
    assert [row[0] for row in env.finished()] == [0, 1, 2]
    assert [row[0] for row in env.reserved_finished()] == [0, 1]
    assert (env.episode_metrics()["episodes"], env.reserved_metrics()["episodes"]) == (3.0, 2.0)


def test_reserved_environments_act_by_their_own_actions(make) -> None:
    env = make("cartpole_balance", num_envs=2, reserved=1)
    env.reset()
    env.reserved_actions.fill_(1.0)
    env.step(still(env))
    assert env.view.action.flatten().tolist() == [0.0, 0.0, 1.0]


def test_the_others_draw_the_same_random_numbers_with_and_without_them(make) -> None:
    runs = []
    for reserved in (0, 3):
        env = make("humanoid_walk", reserved=reserved)
        env.reset()
        for _ in range(5):
            env.step(still(env))
        runs.append((env.view.joint_pos[:4].clone(), env.view.commands["velocity"][:4].clone()))
    assert torch.equal(runs[0][1], runs[1][1])
    assert torch.allclose(runs[0][0], runs[1][0], atol=1e-3)  # the scene is larger, so physics rounds differently


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 0)])
def test_a_state_saved_with_them_is_restored_without_them_and_the_other_way_round(make, before, after) -> None:
    env = make("humanoid_walk", reserved=before)
    env.reset()
    for _ in range(10):
        env.step(still(env))
    saved = env.state_dict()
    names = env.spec.observation_names["policy"]
    settled = torch.tensor([not name.startswith("contact_force") for name in names])
    seen = env.observations()["policy"][:, settled]
    again = make("humanoid_walk", reserved=after, seed=7)
    again.reset()
    watched = again.engine.state.joint_pos[4:].clone()
    again.load_state_dict(saved)
    assert torch.allclose(again.observations()["policy"][:, settled], seen, atol=1e-3)
    assert torch.equal(again.engine.state.joint_pos[4:], watched)


def test_a_driven_command_is_seen_at_once_and_holds_until_released(make) -> None:
    env = make("humanoid_walk", "commands.velocity.resample_s=[0.04, 0.04]", reserved=1)
    env.reset()
    env.step(still(env))
    command, others = named(env, "command"), env.view.commands["velocity"][:4].clone()
    env.drive("velocity", [1.0, 0.5, -0.5])
    for _ in range(5):
        assert env.reserved_observations()["policy"][0, command].tolist() == [1.0, 0.5, -0.5]
        env.step(still(env))
    assert env.drives == {"velocity": (1.0, 0.5, -0.5)}
    assert not torch.equal(env.view.commands["velocity"][:4], others)  # theirs are drawn as ever
    env.drive("velocity", None)
    assert env.drives == {}
    assert env.reserved_observations()["policy"][0, command].tolist() != [1.0, 0.5, -0.5]


@pytest.mark.parametrize(
    ("command", "values", "said"),
    [
        ("velocty", [0, 0, 0], "did you mean 'velocity'"),
        ("velocity", [1.0], "3 finite"),
        ("velocity", [0, 0, float("nan")], "finite"),
    ],
)
def test_a_drive_that_makes_no_sense_is_told(make, command, values, said) -> None:
    env = make("humanoid_walk", reserved=1)
    env.reset()
    with pytest.raises(TaskError, match=said):
        env.drive(command, values)
    assert env.drives == {}


def test_a_push_moves_the_reserved_robots_alone_and_shows_in_their_observations(make) -> None:
    env = make("humanoid_stand", reserved=1)
    env.reset()
    env.step(still(env))
    before, seen = env.engine.state.root_velocity.clone(), env.reserved_observations()["policy"].clone()
    env.push_reserved(torch.tensor([0.0, 0.7, 0.0]))
    change = env.engine.state.root_velocity - before
    assert torch.allclose(change[4, :3], torch.tensor([0.0, 0.7, 0.0]), atol=1e-4)
    assert change[:4].abs().max() < 1e-5
    assert not torch.allclose(env.reserved_observations()["policy"], seen, atol=1e-2)


def test_a_restart_cuts_the_reserved_episodes_alone(make) -> None:
    env = make("humanoid_stand", reserved=1)
    env.reset()
    env.step(still(env))
    env.restart_reserved()
    moved = env.step(still(env))
    assert env.view.episode_length.tolist() == [2, 2, 2, 2, 0]
    assert not moved.truncated.any() and env.finished() == []
    env.step(still(env))
    assert env.view.episode_length.tolist() == [3, 3, 3, 3, 1]


def test_a_reserved_state_that_is_not_finite_reaches_nobody(make) -> None:
    env = make("walker_run", reserved=1)
    env.reset()
    env.step(still(env))
    env.reserved_actions.fill_(float("nan"))
    physics = env.engine.step

    def poisoned(substeps: int) -> None:
        physics(substeps)
        env.engine.state.joint_vel[4] = float("nan")

    env.engine.step = poisoned
    moved = env.step(still(env))
    env.engine.step = physics
    assert not moved.terminated.any() and torch.isfinite(moved.obs["policy"]).all()
    assert env.episode_metrics()["non_finite"] == 0 and env.reserved_metrics()["non_finite"] == 1
    env.step(still(env))
    assert torch.isfinite(env.reserved_observations()["policy"]).all()


def test_rewards_of_one_environment_are_told_by_term_and_per_second(make) -> None:
    env = make("walker_run", reserved=1)
    env.reset()
    assert env.term_rewards(4) == {}
    moved = env.step(still(env))
    assert sum(env.term_rewards(0).values()) * env.view.dt == pytest.approx(moved.reward[0].item(), rel=1e-4)
    assert env.term_rewards(4)["alive"] == pytest.approx(env.task.rewards["alive"].weight)


def test_an_environment_may_have_reserved_copies_alone(make) -> None:
    env = make("walker_run", num_envs=0, reserved=2)
    env.reset()
    moved = env.step(torch.zeros(0, env.spec.action.size))
    assert len(moved.reward) == 0 and env.reserved_observations()["policy"].shape[0] == 2


def test_gymnasium_environments_cannot_be_reserved() -> None:
    with pytest.raises(BadInputError, match="cannot be watched"):
        make_env("gym:CartPole-v1", num_envs=2, reserved=1)
