"""Moves, bins and agents of a Task: what goes together, known before a robot is read."""

from __future__ import annotations

import re

import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import load_task

AGENTS = "agents={a: {joints: hinge}, b: {joints: slider}}"


def test_the_kind_of_action_is_known_from_the_task_alone() -> None:
    assert load_task("cartpole_balance").action_kind == "box"
    assert load_task("cartpole_balance", ["control.bins=[-1, 1]"]).action_kind == "discrete"
    assert load_task("cartpole_balance_discrete").action_kind == "discrete"
    assert load_task("cartpole_balance", [AGENTS]).action_kind == "box"
    assert load_task("cartpole_balance", ["agents={a: {joints: .*, bins: [-1, 1]}}"]).action_kind == "discrete"
    assert load_task("cartpole_balance", [AGENTS, "control.bins=[-1, 1]"]).action_kind == "discrete"


def test_agents_are_paid_apart_once_a_reward_names_one() -> None:
    assert not load_task("cartpole_balance", [AGENTS]).reward_per_agent
    assert load_task("cartpole_balance", [AGENTS, "rewards.alive.agents=[b]"]).reward_per_agent


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["agents={}"], "agents: names no agent; leave it out"),
        (["rewards.alive.agents=[c]"], "there is no agent 'c' in this task (it has: none)"),
        ([AGENTS, "rewards.alive.agents=[c]"], "there is no agent 'c' in this task (it has: a, b)"),
        ([AGENTS, "rewards.alive.agents=[]"], "names no agent; leave it out to pay all"),
        ([AGENTS, "control.moves={x: {}, y: {slider: 1}}"], "give each its own: agents.<name>.moves"),
        (["agents={a: {joints: hinge, bins: [0, 1]}, b: {joints: slider}}"], "agents.b: has neither moves nor bins"),
        (["agents={a: {joints: hinge, observes: []}}"], "names nothing to see"),
        (["control.moves={x: {}}"], "names one move, which is no choice"),
        (["control.moves={x: {}, y: {slider: 3}}"], "moves.y.slider: 3 lies beyond control.clip (1)"),
        (["control.bins=[-1, 1]", "control.moves={x: {}, y: {}}"], "give one of them"),
        (["control.bins=[]"], "holds no action to choose"),
        (["control.bins={slider: [1, 1]}"], "bins.slider: holds an action twice"),
        (["agents={a: {joints: .*, bins: [7, 0]}}"], "agents.a.bins: 7 lies beyond control.clip (1)"),
        (["agents={'a b': {joints: .*}}"], "agents.a b"),
    ],
)
def test_what_does_not_go_together_is_refused(overrides: list[str], said: str) -> None:
    with pytest.raises(TaskError, match=re.escape(said)):
        load_task("cartpole_balance", overrides)
