"""The vectorised environment on real physics: episodes, rewards, resets, edits, repeatability."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.actions import random_actions
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import task_names


def rollout(env, steps: int, seed: int = 0) -> list[torch.Tensor]:
    env.reset()
    rows = []
    for actions in random_actions(env.spec, steps, env.device, seed):
        moved = env.step(actions)
        reward = moved.reward.reshape(len(moved.reward), -1).mean(-1, keepdim=True)
        rows.append(torch.cat((moved.obs["policy"], reward, moved.terminated[:, None]), dim=-1))
    return rows


@pytest.mark.parametrize("name", task_names())
def test_every_preset_runs_and_stays_finite(name: str, make) -> None:
    env = make(name)
    rows = rollout(env, 60)
    assert all(torch.isfinite(row).all() for row in rows)
    assert len(env.spec.observation_names["policy"]) == env.spec.observations["policy"] == rows[0].shape[1] - 2


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(make) -> None:
    first, second, other = (torch.stack(rollout(make("humanoid_stand", seed=seed), 40)) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_an_episode_ends_at_its_time_limit_and_starts_anew_in_the_same_step(make) -> None:
    env = make("walker_run", "episode_length_s=0.25", "terminations.base_contact.enabled=false")
    env.reset()
    still = torch.zeros(4, env.spec.action.size)
    moved = [env.step(still) for _ in range(10)]
    assert [bool(m.truncated.any()) for m in moved] == [False] * 9 + [True]
    assert moved[-1].truncated.all() and not moved[-1].terminated.any()
    assert not torch.equal(moved[-1].obs["policy"], moved[-1].final_obs["policy"])
    assert [(env_id, length, success) for env_id, _, length, success in env.finished()] == [
        (i, 10, True) for i in range(4)
    ]
    assert env.episode_metrics()["length"] == 10
    assert env.episode_metrics() == {"episodes": 0.0, "non_finite": 0.0}


def test_per_term_rewards_add_up_to_the_return(make) -> None:
    env = make("humanoid_stand", "episode_length_s=0.5")
    env.reset()
    total = sum(env.step(torch.zeros(4, env.spec.action.size)).reward for _ in range(20))
    sums = env.episode_metrics()
    terms = sum(value for name, value in sums.items() if name.startswith("reward/"))
    assert sums["return"] == pytest.approx(terms, rel=1e-5)
    assert sums["return"] == pytest.approx(total.mean().item(), rel=1e-5)


def test_a_state_that_is_not_finite_resets_that_environment_alone_and_is_counted(make) -> None:
    env = make("walker_run")
    env.reset()
    still = torch.zeros(4, env.spec.action.size)
    for _ in range(5):
        env.step(still)
    physics = env.engine.step

    def poisoned(substeps: int) -> None:
        physics(substeps)
        env.engine.state.joint_vel[2] = float("nan")

    env.engine.step = poisoned
    moved = env.step(still)
    env.engine.step = physics
    assert moved.terminated.tolist() == [False, False, True, False]
    assert moved.reward[2] == 0
    assert all(torch.isfinite(obs["policy"]).all() for obs in (moved.obs, moved.final_obs))
    assert env.episode_metrics()["non_finite"] == 1
    assert torch.isfinite(env.step(still).obs["policy"]).all()


def test_actions_that_are_not_finite_are_taken_as_zero(make) -> None:
    env = make("walker_run")
    env.reset()
    moved = env.step(torch.full((4, env.spec.action.size), float("nan")))
    assert torch.isfinite(moved.obs["policy"]).all()
    assert env.view.action.abs().max() == 0


def test_an_edit_acts_on_the_very_next_step(make) -> None:
    env = make("walker_run")
    env.reset()
    still = torch.zeros(4, env.spec.action.size)
    env.step(still)
    env.edit("rewards.alive.weight", 1000.0)
    assert env.step(still).reward.min() > 1000 * env.view.dt * 0.9
    env.edit("rewards.alive.weight", 0.0)
    env.edit("rewards.forward_velocity.params.limit", 0.0)
    env.edit("episode_length_s", 0.05)
    assert env.step(still).truncated.any()
    with pytest.raises(TaskError, match="new run"):
        env.edit("sim.dt", 0.001)
    with pytest.raises(TaskError, match="did you mean"):
        env.edit("rewards.alife.weight", 1.0)
    assert env.task.rewards["alive"].weight == 0


def test_saved_and_restored_it_goes_on_from_the_same_place(make) -> None:
    env = make("humanoid_walk")
    rollout(env, 30)
    saved, seen = env.state_dict(), env.observations()["policy"].clone()
    saved = {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in saved.items()}
    again = make("humanoid_walk", seed=5)
    again.reset()
    again.load_state_dict(saved)
    names = again.spec.observation_names["policy"]
    settled = torch.tensor([not name.startswith("contact_force") for name in names])  # forces need a step to return
    assert torch.allclose(
        again.observations()["policy"][:, settled], seen[:, settled], atol=1e-3
    )  # joints are put back inside their limits


def test_commands_are_drawn_anew_when_their_time_is_up(make) -> None:
    env = make("humanoid_walk", "commands.velocity.resample_s=[0.19, 0.19]", "terminations.fall_by_tilt.enabled=false")
    env.reset()
    seen = [env.view.commands["velocity"].clone()]
    for _ in range(20):
        env.step(torch.zeros(4, env.spec.action.size))
        seen.append(env.view.commands["velocity"].clone())
    changes = [step for step in range(20) if not torch.equal(seen[step], seen[step + 1])]
    assert changes == [9, 19]


def test_a_shove_changes_the_velocity_and_nothing_else(make) -> None:
    exact = "params: {lin_vel_x: [1, 1], lin_vel_y: [0, 0]}"
    env = make("humanoid_stand", f"randomisation.push={{mode: interval, interval_s: [0.05, 0.05], {exact}}}")
    env.reset()
    still = torch.zeros(4, env.spec.action.size)
    before = env.step(still).obs["policy"]
    speeds = []
    for _ in range(2):
        moved = env.step(still)
        speeds.append((moved.final_obs["policy"] - moved.obs["policy"]).abs().amax(0))
    names = env.spec.observation_names["policy"]
    changed = {
        name.split("[")[0]
        for name, change in zip(names, (speeds[0] + speeds[1]).tolist(), strict=True)
        if change > 1e-4
    }
    assert "root_lin_vel" in changed
    assert changed <= {"root_lin_vel", "contact_force"}
    assert torch.isfinite(before).all()


def test_start_states_span_the_range_they_are_given(make) -> None:
    env = make("humanoid_stand", "randomisation.initial_root.params.pitch=[0.1, 0.1]", num_envs=16)
    env.reset()
    yaw = env.view.heading_w
    assert yaw.max() - yaw.min() > 2
    joints = env.view.joint_pos_rel
    assert 0.06 < joints.abs().max() < 0.101


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("control.joints=tail", "control.joints: 'tail' picks nothing"),
        ("control.scale={knee: 1}", "'knee' picks nothing"),
        ("control.scale={.*knee: 1}", "no pattern covers"),
        ("rewards.energy.params.joints=['", "is not a value"),
        ("rewards.energy.params.joints='('", "not a regular expression"),
        ("terminations.base_contact.params.bodies=hand", "no body with the role 'hand'"),
    ],
)
def test_a_selector_that_fits_nothing_is_told(override: str, said: str, make) -> None:
    with pytest.raises(TaskError) as error:
        make("walker_run", override)
    assert said in str(error.value)
