"""PettingZoo's parallel environments as ours: agents, columns, rewards, ends of episodes."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.outline import outline
from humanoid_rl_ext.env.pettingzoo_in import PettingZooEnv
from humanoid_rl_ext.env.transition import ActionSpec
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.learn import LEARNERS

SPREAD = "mpe2.simple_spread_v3"


def choices(env: PettingZooEnv, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (env.spec.num_envs, len(env.spec.agents))
    return torch.stack(
        [torch.randint(agent.action.size, shape[:1], generator=generator) for agent in env.spec.agents], dim=-1
    )


def test_each_agent_has_columns_of_what_is_seen_and_of_what_is_done() -> None:
    spec = PettingZooEnv(SPREAD, num_envs=2).spec
    assert (spec.observations, spec.action, spec.max_episode_length) == ({"policy": 54}, ActionSpec("discrete", 5), 25)
    assert [agent.name for agent in spec.agents] == ["agent_0", "agent_1", "agent_2"] and spec.reward_per_agent
    assert [agent.observes for agent in spec.agents] == [tuple(range(start, start + 18)) for start in (0, 18, 36)]
    assert spec.agents[0].action == ActionSpec("discrete", 5) and spec.agents[0].acts == ()
    boxes = PettingZooEnv(f"{SPREAD}:continuous_actions=true,N=2,max_cycles=7").spec
    assert boxes.action == ActionSpec("box", 10, (), (0.0,) * 10, (1.0,) * 10)
    assert [agent.acts for agent in boxes.agents] == [tuple(range(5)), tuple(range(5, 10))]
    assert boxes.max_episode_length == 7


def test_agents_may_differ_in_what_they_see_and_do() -> None:
    spec = PettingZooEnv("mpe2.simple_speaker_listener_v4").spec
    assert [(len(agent.observes), agent.action.size) for agent in spec.agents] == [(3, 3), (11, 5)]
    assert spec.action.size == 5


def test_a_step_is_pettingzoos_own_and_time_limits_cut_off() -> None:
    from mpe2 import simple_spread_v3

    env = PettingZooEnv(f"{SPREAD}:max_cycles=4,local_ratio=1.0", num_envs=2, seed=3)
    first = env.reset()["policy"]
    plain = simple_spread_v3.parallel_env(max_cycles=4, local_ratio=1.0)
    seed = int(np.random.SeedSequence(3).generate_state(2)[1])
    seen, _ = plain.reset(seed=seed)
    assert np.array_equal(first[1].numpy(), np.concatenate(list(seen.values())))
    total = np.zeros(3)
    for step in range(4):
        actions = choices(env, step)
        moved = env.step(actions)
        names = ("agent_0", "agent_1", "agent_2")
        seen, paid, _, cut, _ = plain.step(dict(zip(names, actions[1].tolist(), strict=True)))
        assert moved.reward[1].tolist() == pytest.approx([paid[name] for name in names])
        assert np.allclose(moved.final_obs["policy"][1].numpy(), np.concatenate(list(seen.values())))
        total += [paid[name] for name in names]
    assert all(cut.values()) and moved.truncated.all() and not moved.terminated.any()
    assert not torch.equal(moved.obs["policy"], moved.final_obs["policy"])
    assert [(env_, length, limit) for env_, _, length, limit in env.finished()] == [(0, 4, True), (1, 4, True)]
    assert env.finished()[1][1] == pytest.approx(total.mean(), abs=1e-4)
    assert env.episode_metrics()["episodes"] == 2 and env.episode_metrics() == {"episodes": 0.0}


def test_continuous_actions_are_clipped_to_what_agents_take() -> None:
    wide, narrow = (PettingZooEnv(f"{SPREAD}:continuous_actions=true", seed=1) for _ in range(2))
    for env in (wide, narrow):
        env.reset()
    ones = torch.tensor([[9.0, -3.0, 0.5, 2.0, -0.1] * 3])
    assert torch.equal(wide.step(ones).obs["policy"], narrow.step(ones.clamp(0.0, 1.0)).obs["policy"])


def test_the_same_seed_gives_the_same_episodes_also_after_a_state_was_restored() -> None:
    first, second = (PettingZooEnv(f"{SPREAD}:max_cycles=3", num_envs=2, seed=5) for _ in range(2))
    for env in (first, second):
        env.reset()
        env.step(choices(env))
    saved = first.state_dict()
    first.load_state_dict(saved)
    second.load_state_dict(saved)
    for step in range(5):
        actions = choices(first, step)
        assert torch.equal(first.step(actions).obs["policy"], second.step(actions).obs["policy"])


class Leaving:
    """Two agents; the first is out after one step, the second reaches its goal after three, or is cut off."""

    possible_agents = ("early", "late")

    def __init__(self, goal: bool = True) -> None:
        self.goal, self.unwrapped = goal, self
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> spaces.Space:
        return spaces.Box(-1, 1, (2,), np.float32)

    def action_space(self, agent: str) -> spaces.Space:
        return spaces.Discrete(2, start=1)

    def reset(self, seed: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        self.agents, self.count = list(self.possible_agents), 0
        return {name: np.ones(2, np.float32) for name in self.agents}, {}

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], ...]:
        assert list(actions) == self.agents and set(actions.values()) <= {1, 2}
        self.count += 1
        names, over = self.agents, self.count == 3
        ends = {name: name == "early" or over for name in names}
        out = {name: ends[name] and (name == "early" or self.goal) for name in names}
        cut = {name: ends[name] and not out[name] for name in names}
        self.agents = [name for name in names if not ends[name]]
        seen = {name: np.full(2, 1.0, np.float32) for name in names}
        return seen, dict.fromkeys(names, 1.0), out, cut, {}

    def close(self) -> None: ...


@pytest.mark.parametrize("goal", [True, False])
def test_an_episode_goes_on_until_no_agent_is_left(goal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("leaving_v0")
    module.parallel_env = Leaving  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "leaving_v0", module)
    env = PettingZooEnv(f"leaving_v0:goal={str(goal).lower()}")
    env.reset()
    moved = [env.step(torch.tensor([[0, 1]])) for _ in range(3)]
    assert [step.reward.tolist() for step in moved] == [[[1, 1]], [[0, 1]], [[0, 1]]]
    assert moved[1].obs["policy"].tolist() == [[0, 0, 1, 1]]  # who is out sees zeros
    assert [bool(step.terminated[0]) for step in moved] == [False, False, goal]
    assert [bool(step.truncated[0]) for step in moved] == [False, False, not goal]
    assert moved[2].final_obs["policy"].tolist() == [[0, 0, 1, 1]] and moved[2].obs["policy"].tolist() == [[1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("mpe2.simple_spred_v3", "there is no such environment; did you mean 'mpe2.simple_spread_v3'?"),
        ("mpe3.simple_spread_v3", "needs the Python package 'mpe3', which is not installed here: pip install mpe3"),
        ("mpe2", "mpe2 is no parallel environment"),
        (f"{SPREAD}:n=3", "unexpected keyword argument 'n'"),
        (f"{SPREAD}:N", "'N' is no option; write pz:mpe2.simple_spread_v3:option=value,option=value"),
        (f"{SPREAD}:local_ratio=2", "local_ratio is a proportion"),
    ],
)
def test_what_cannot_be_made_is_one_clear_line(id: str, said: str) -> None:
    with pytest.raises(BadInputError, match=re.escape(said)):
        PettingZooEnv(id)


def test_a_name_is_enough_to_make_one_and_to_know_who_can_learn_it() -> None:
    env = make_env(f"pz:{SPREAD}", num_envs=3)
    assert env.task_name == f"pz:{SPREAD}" and env.reset()["policy"].shape == (3, 54)
    assert LEARNERS["ppo"].misfit(outline(f"pz:{SPREAD}")) == "teaches one agent, and there are 3"
    with pytest.raises(BadInputError, match="cannot be watched"):
        make_env(f"pz:{SPREAD}", num_envs=1, reserved=1)


def test_nothing_is_printed_where_a_program_reads() -> None:
    code = "from humanoid_rl_ext.env.pettingzoo_in import make; make('mpe2.simple_spread_v3')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
