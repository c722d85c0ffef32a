"""Edits of the Task while its environment runs: they act on the next step, or change nothing."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.errors import TaskError


def still(env) -> torch.Tensor:
    return torch.zeros(env.num_envs, env.spec.action.size)


def test_a_reward_that_is_added_pays_from_the_next_step_and_has_a_column_of_its_own(make) -> None:
    env = make("walker_run", "episode_length_s=0.25", "terminations.base_contact.enabled=false")
    env.reset()
    for _ in range(4):
        env.step(still(env))
    env.edit("rewards.praise", {"term": "alive", "weight": 100.0})
    assert env.step(still(env)).reward.min() > 100 * env.view.dt * 0.9
    for _ in range(5):
        env.step(still(env))
    assert env.episode_metrics()["reward/praise"] == pytest.approx(6 * 100 * env.view.dt, rel=1e-4)


def test_a_reward_that_is_removed_pays_no_more_and_the_others_keep_their_sums(make) -> None:
    env = make("walker_run", "episode_length_s=0.25", "terminations.base_contact.enabled=false")
    env.edit("rewards.praise", {"term": "alive", "weight": 100.0})
    env.reset()
    for _ in range(9):
        env.step(still(env))
    alive = env.task.rewards["alive"].weight
    env.edit("rewards.praise", None)
    assert "praise" not in env.task.rewards
    assert env.step(still(env)).reward.max() < 50 * env.view.dt
    metrics = env.episode_metrics()
    assert "reward/praise" not in metrics
    assert metrics["reward/alive"] == pytest.approx(10 * alive * env.view.dt, rel=1e-4)


def test_a_reward_is_switched_off_and_on_again_in_its_place(make) -> None:
    env = make("walker_run")
    env.reset()
    names = list(env.term_rewards(0)) or list(env.statistics.rewards)
    env.edit("rewards.alive.enabled", False)
    env.step(still(env))
    assert "alive" not in env.term_rewards(0)
    env.edit("rewards.alive.weight", 7.0)  # of a term that is off: kept for later
    env.edit("rewards.alive.enabled", True)
    env.step(still(env))
    assert list(env.term_rewards(0)) == names and env.term_rewards(0)["alive"] == pytest.approx(7.0)


def test_what_other_rewards_remember_survives_an_edit(make) -> None:
    env = make("humanoid_walk")
    env.reset()
    for _ in range(5):
        env.step(still(env))
    memory = env._buffers()["reward.single_stance.contact_time"]
    env.edit("rewards.praise", {"term": "alive", "weight": 1.0})
    assert env._buffers()["reward.single_stance.contact_time"] is memory
    env.edit("rewards.single_stance.params.bodies", ".*foot")  # another choice of bodies: it starts afresh
    assert env._buffers()["reward.single_stance.contact_time"] is not memory


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rewards.praise", {"term": "nothing_such", "weight": 1.0}),
        ("rewards.praise", {"term": "feet_contact", "weight": 1.0, "params": {"bodies": "tentacle"}}),
        ("rewards.nosuch", None),
        ("rewards.alive.enabled", "maybe"),
        ("terminations.base_contact.enabled", False),
        ("terminations.base_contact", None),
        ("observations.policy.joint_vel", None),
        ("robot", {"source": "humanoid"}),
        ("sim.dt", 0.001),
    ],
)
def test_an_edit_that_cannot_be_made_changes_nothing(make, path, value) -> None:
    env = make("walker_run")
    env.reset()
    before, rewards = env.task, list(env.statistics.rewards)
    with pytest.raises(TaskError):
        env.edit(path, value)
    assert env.task is before and env.statistics.rewards == rewards
    env.step(still(env))
    assert list(env.term_rewards(0)) == rewards


def test_the_last_enabled_reward_cannot_be_switched_off(make) -> None:
    env = make("walker_run")
    *others, last = env.task.rewards
    for name in others:
        env.edit(f"rewards.{name}", None)
    with pytest.raises(TaskError, match="enable at least one"):
        env.edit(f"rewards.{last}.enabled", False)
    with pytest.raises(TaskError):
        env.edit(f"rewards.{last}", None)
    assert list(env.task.rewards) == [last]


def test_it_can_be_asked_which_edits_act_now(make) -> None:
    env = make("humanoid_walk")
    now = ("rewards.new", "rewards.alive", "rewards.alive.weight", "rewards.alive.enabled", "episode_length_s")
    now += ("commands.velocity.resample_s", "commands.velocity.params.lin_vel_x")
    later = (
        "sim.dt",
        "robot",
        "rewards",
        "rewards.nosuch.weight",
        "metrics.forward_speed",
        "seed",
        "terminations.x.params.y",
    )
    assert [path for path in (*now, *later) if env.can_edit(path)] == list(now)


def test_a_saved_state_fits_an_environment_with_other_rewards(make) -> None:
    env = make("humanoid_walk")
    env.reset()
    for _ in range(5):
        env.step(still(env))
    saved = env.state_dict()
    before = saved["statistics"]["sums"][:, saved["statistics"]["columns"].index("reward/alive")].clone()
    env.edit("rewards.alive", None)
    env.edit("rewards.alive", {"weight": 0.5})
    env.edit("rewards.upright", None)
    env.edit("rewards.air", {"term": "feet_air_time", "weight": 1.0})
    env.load_state_dict(saved)
    now = env.state_dict()["statistics"]
    assert torch.equal(now["sums"][:, now["columns"].index("reward/alive")], before)
    assert now["sums"][:, now["columns"].index("reward/air")].abs().max() == 0
    env.step(still(env))
