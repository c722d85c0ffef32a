"""Our environment of several agents as PettingZoo knows them."""

from __future__ import annotations

import pytest
import torch
from pettingzoo.test import parallel_api_test

from humanoid_rl_ext.env.pettingzoo_out import PettingZooParallelEnv
from humanoid_rl_ext.errors import BadInputError

LEGS = "agents={left: {joints: .*left.*}, right: {joints: .*right.*}}"


@pytest.mark.parametrize("kind", [[], ["control.bins=[-1, 0, 1]"]])
def test_pettingzoos_own_check_finds_nothing_wrong(make, kind: list[str]) -> None:
    env = PettingZooParallelEnv(make("walker_run", LEGS, "episode_length_s=0.5", *kind, num_envs=1))
    parallel_api_test(env, num_cycles=60)


def test_agents_see_act_and_are_paid_as_in_our_environment(make) -> None:
    plain = make("walker_run", LEGS, "rewards.alive.agents=[left]", num_envs=1)
    plain.seed(7)
    rows = [plain.reset()["policy"][0]]
    spec, action = plain.spec, torch.randn(1, plain.spec.action.size, generator=torch.Generator().manual_seed(1))
    moved = plain.step(action)
    rows.append(moved.obs["policy"][0].clone())
    paid = moved.reward[0].tolist()
    env = PettingZooParallelEnv(make("walker_run", LEGS, "rewards.alive.agents=[left]", num_envs=1))
    seen, _ = env.reset(seed=7)
    left, right = spec.agents
    assert seen["left"].tolist() == rows[0][list(left.observes)].tolist()
    native = {agent.name: action[0, list(agent.acts)].numpy() for agent in (right, left)}
    seen, rewards, terminated, truncated, _ = env.step(native)
    assert seen["right"].tolist() == pytest.approx(rows[1][list(right.observes)].tolist(), abs=1e-5)
    assert list(rewards.values()) == pytest.approx(paid, abs=1e-6) and rewards["left"] != rewards["right"]
    assert not any(terminated.values()) and not any(truncated.values())
    assert env.state().tolist() == pytest.approx(rows[1].tolist(), abs=1e-5)


def test_the_last_observation_of_an_episode_is_its_own_and_nobody_is_left(make) -> None:
    env = PettingZooParallelEnv(
        make("walker_run", LEGS, "episode_length_s=0.1", "observations.policy.height={term: root_height}", num_envs=1)
    )
    env.reset()
    still = {name: env.action_space(name).sample() * 0 for name in env.possible_agents}
    for _ in range(env.env.spec.max_episode_length):
        seen, _, terminated, truncated, _ = env.step(still)
    assert all(truncated.values()) and not any(terminated.values()) and env.agents == []
    assert set(seen) == {"left", "right"}
    env.reset()
    assert env.agents == env.possible_agents


def test_what_pettingzoo_cannot_show_is_refused(make) -> None:
    with pytest.raises(BadInputError, match="one environment at a time, not 2"):
        PettingZooParallelEnv(make("walker_run", LEGS, num_envs=2))
    with pytest.raises(BadInputError, match="walker_run names no agents"):
        PettingZooParallelEnv(make("walker_run", num_envs=1))
