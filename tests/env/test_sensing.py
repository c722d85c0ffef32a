"""What a policy is shown beside the truth: noise, bias, delay and history, term by term."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import load_task

sys.path.insert(0, str(Path(__file__).parent))
from puppets import Puppets

N = 64


def make(policy: str, *overrides: str, num_envs: int = N) -> VecEnv:
    task = load_task(
        "humanoid_stand",
        [
            f"observations={{policy: {policy}, critic: {{joint_vel: {{}}, root_ang_vel: {{}}}}}}",
            "terminations={time_out: {time_out: true}}",
            *overrides,
        ],
    )
    env = VecEnv(task, Puppets(num_envs, "cpu"), seed=3)  # type: ignore[arg-type]
    env.reset()
    return env


def played(env: VecEnv, steps: int) -> list[dict[str, torch.Tensor]]:
    actions = torch.zeros(env.num_envs, env.spec.action.size)
    return [{name: seen.clone() for name, seen in env.step(actions).obs.items()} for _ in range(steps)]


def errors(env: VecEnv, steps: int) -> torch.Tensor:
    """(steps, num_envs, 3) what the policy sees of the angular velocity beside what the critic sees."""
    return torch.stack([seen["policy"][:, :3] - seen["critic"][:, -3:] for seen in played(env, steps)])


def test_noise_is_new_in_every_step_and_as_wide_as_said():
    error = errors(make("{root_ang_vel: {noise: 0.2}}"), 100)
    assert error.abs().max() <= 0.2 + 1e-6
    assert error.std().item() == pytest.approx(0.4 / 12**0.5, rel=0.02)
    assert (error[1:] * error[:-1]).mean().abs() < 1e-3


def test_normal_noise_has_the_standard_deviation_said():
    error = errors(make("{root_ang_vel: {noise: 0.2, noise_distribution: normal}}"), 100)
    assert error.std().item() == pytest.approx(0.2, rel=0.02)
    assert (error.abs() < 0.2).float().mean().item() == pytest.approx(0.6827, abs=0.01)


def test_noise_on_one_term_leaves_the_others_alone():
    env = make("{root_ang_vel: {noise: 0.2}, joint_vel: {}}")
    for seen in played(env, 5):
        assert torch.equal(seen["policy"][:, 3:], seen["critic"][:, :-3])


def test_noise_comes_before_clip_and_scale():
    env = make("{root_ang_vel: {noise: 0.2, clip: 0.1, scale: 10.0}}")
    seen = torch.stack([step["policy"] for step in played(env, 20)])
    assert seen.abs().max() == pytest.approx(1.0)


def test_a_bias_lasts_an_episode_and_changes_with_it():
    env = make("{root_ang_vel: {bias: 0.3}}", "episode_length_s=0.25")
    error = errors(env, 30)  # ten steps an episode
    assert torch.allclose(error[1], error[8], atol=1e-6) and torch.allclose(error[11], error[18], atol=1e-6)
    assert (error[1] - error[11]).abs().min() > 0 and error.abs().max() <= 0.3 + 1e-6
    assert error[1].std().item() == pytest.approx(0.6 / 12**0.5, rel=0.15)


def test_a_delay_shows_what_was_true_so_many_steps_ago():
    env = make("{root_ang_vel: {delay_s: [0.05, 0.05]}}")  # control steps of 0.025 s
    steps = played(env, 12)
    for now in range(2, 12):
        assert torch.equal(steps[now]["policy"], steps[now - 2]["critic"][:, -3:])


def test_delays_differ_between_environments_within_their_range():
    env = make("{root_ang_vel: {delay_s: [0.0, 0.075]}}")
    steps = played(env, 12)
    truth = torch.stack([step["critic"][:, -3:] for step in steps])
    ages = torch.stack([(truth[11 - age] == steps[11]["policy"]).all(-1) for age in range(4)])
    assert ages.sum(0).tolist() == [1] * N
    assert (ages.sum(1) > 0).all()


def test_history_shows_the_last_values_newest_first_and_has_names():
    env = make("{root_ang_vel: {history: 3}, joint_vel: {}}")
    assert env.spec.observations["policy"] == 9 + 21
    assert env.spec.observation_names["policy"][:9:3] == ("root_ang_vel[0]", "root_ang_vel[0@1]", "root_ang_vel[0@2]")
    steps = played(env, 8)
    for now in range(2, 8):
        for age in range(3):
            assert torch.equal(steps[now]["policy"][:, 3 * age : 3 * age + 3], steps[now - age]["critic"][:, -3:])
        assert torch.equal(steps[now]["policy"][:, 9:], steps[now]["critic"][:, :-3])


def test_an_episode_begins_without_a_past():
    env = make("{root_ang_vel: {history: 4, delay_s: [0.05, 0.05]}}", "episode_length_s=0.25")
    steps = played(env, 10)
    first = steps[-1]["policy"].view(N, 4, 3)  # the tenth step ends the episode and shows the next one's start
    assert torch.equal(first, first[:, :1].expand_as(first))


def test_the_last_observation_of_an_episode_still_has_its_past():
    env = make("{root_ang_vel: {history: 2}}", "episode_length_s=0.25")
    before = played(env, 9)[-1]["critic"][:, -3:]
    last = env.step(torch.zeros(N, env.spec.action.size))
    assert last.truncated.all()
    assert torch.equal(last.final_obs["policy"][:, 3:], before)
    assert torch.equal(last.final_obs["policy"][:, :3], last.final_obs["critic"][:, -3:])


def test_asking_twice_shows_the_same():
    env = make("{root_ang_vel: {noise: 0.1, bias: 0.1, history: 3, delay_s: [0.0, 0.05]}}")
    played(env, 5)
    assert torch.equal(env.observations()["policy"], env.observations()["policy"])
    assert torch.equal(env.observations()["policy"], env.observations()["policy"])


def test_what_is_saved_is_seen_again_to_the_last_bit():
    wild = "{root_ang_vel: {noise: 0.1, bias: 0.1, history: 3, delay_s: [0.0, 0.05]}}"
    env = make(wild)
    played(env, 5)
    saved: dict[str, Any] = env.state_dict()
    seen = env.observations()["policy"].clone()
    again = make(wild)
    played(again, 2)
    again.load_state_dict(saved)
    assert torch.equal(again.observations()["policy"], seen)


def test_an_environment_without_any_of_it_has_no_sensors():
    env = make("{root_ang_vel: {scale: 0.5, clip: 2.0}}")
    assert all(table.sensing is None for table in env._observations.values())
    assert env._sensors.buffers() == {}


def test_an_age_below_zero_is_refused():
    with pytest.raises(TaskError, match=r"delay_s.*0 <= low <= high <= 1"):
        load_task("humanoid_stand", ["observations.policy.joint_pos.delay_s=[0.05, 0.02]"])
