"""Actions become joint targets, and say how far they make a difference."""

from __future__ import annotations

import re

import pytest
import torch

from humanoid_rl_ext.env.actions import ActionMap, random_actions
from humanoid_rl_ext.env.make import task_robot
from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import load_task


@pytest.mark.parametrize("clip", [0.5, 100.0])
def test_bounds_are_the_actions_that_reach_a_joints_limits(clip: float) -> None:
    task = load_task("humanoid_walk", [f"control.clip={clip}", "control.scale=-0.25"])
    robot = task_robot(task)
    actions = ActionMap(task.control, robot, 1, torch.device("cpu"))
    low, high = (actions.targets(torch.tensor([bound]))[0].tolist() for bound in actions.bounds)
    for joint, first, last in zip(robot.joints, low, high, strict=True):
        # the factor is negative: the least action reaches the upper limit
        assert first == pytest.approx(min(joint.upper, joint.default + 0.25 * clip), abs=1e-5)
        assert last == pytest.approx(max(joint.lower, joint.default - 0.25 * clip), abs=1e-5)


def test_effort_is_bounded_by_all_of_it() -> None:
    task = load_task("humanoid_walk", ["control.type=effort", "control.scale=0.5"])
    actions = ActionMap(task.control, task_robot(task), 1, torch.device("cpu"))
    assert set(actions.bounds[0]) == {-2.0} and set(actions.bounds[1]) == {2.0}


CPU = torch.device("cpu")


def actions_of(*overrides: str, task: str = "humanoid_walk") -> ActionMap:
    loaded = load_task(task, overrides)
    return ActionMap(loaded.control, task_robot(loaded), 2, CPU, loaded.agents)


def test_moves_are_rows_of_what_continuous_actions_would_be() -> None:
    actions = actions_of("control.moves={crouch: {'.*_knee': 1.5, left_knee: 2}, stand: {}}")
    left, right = actions.names.index("left_knee"), actions.names.index("right_knee")
    row = actions.clean(torch.tensor([0, 1]))
    assert (row[0, left], row[0, right]) == (2.0, 1.5)  # a later pattern outdoes an earlier one
    assert row[0].count_nonzero() == 2 and not row[1].any()
    assert (actions.spec.kind, actions.spec.size, actions.spec.names) == ("discrete", 2, ("crouch", "stand"))
    assert actions.at_rest(3).tolist() == [1, 1, 1]


def test_bins_make_every_combination_of_the_joints_a_move() -> None:
    actions = actions_of("control.joints=.*_knee", "control.bins={left_knee: [0, 1], right_knee: [-1, 0, 2]}")
    assert actions.names == ("left_knee", "right_knee")
    rows = actions.clean(torch.arange(6))
    assert rows.tolist() == [[a, b] for a in (0.0, 1.0) for b in (-1.0, 0.0, 2.0)]
    assert actions.spec.names[5] == "left_knee=1, right_knee=2"
    assert actions.at_rest(1).tolist() == [1]


def test_choices_out_of_range_are_the_first_and_the_last() -> None:
    actions = actions_of("control.joints=.*_knee", "control.bins=[-1, 1]")
    assert actions.clean(torch.tensor([-5, 99])).tolist() == [[-1.0, -1.0], [1.0, 1.0]]


def test_each_agent_chooses_for_its_own_joints() -> None:
    agents = "agents={left: {joints: left_knee, bins: [-1, 3]}, "
    agents += "right: {joints: right_knee, moves: {a: {}, b: {right_knee: 2}}}}"
    actions = actions_of("control.joints=.*_knee", agents)
    assert actions.clean(torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]])).tolist() == [[-1, 0], [3, 0], [-1, 2], [3, 2]]
    assert [agent.size for agent in actions.agents] == [2, 2] and actions.spec.kind == "discrete"
    assert actions.at_rest(2).tolist() == [[0, 0], [0, 0]]


def test_agents_without_moves_share_the_columns_of_one_box() -> None:
    actions = actions_of("control.joints=.*_knee", "agents={right: {joints: right.*}, left: {joints: left.*}}")
    assert actions.groups == {"right": [1], "left": [0]}
    right = actions.agents[0]
    assert (right.kind, right.names) == ("box", ("right_knee",))
    assert (right.low[0], right.high[0]) == (actions.spec.low[1], actions.spec.high[1])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["control.bins=[-1, 0, 1]"],
            "control.bins: 10,460,353,203 combinations for 21 joints, and 4,096 is the limit",
        ),
        (["control.bins=[1]"], "one combination is no choice"),
        (["control.bins={left_knee: [0, 1]}"], "control.bins: no pattern covers abdomen_yaw"),
        (
            ["control.moves={a: {}, b: {left_kne: 1}}"],
            "moves.b: 'left_kne' picks nothing; did you mean 'left_knee'",
        ),
        (
            ["agents={a: {joints: .*knee}, b: {joints: left.*}}"],
            "agents.b.joints: 'left_knee' belongs to the agent 'a'",
        ),
        (["agents={a: {joints: .*knee}}"], "agents: nobody moves abdomen_yaw"),
        (["agents={a: {joints: tail}}"], "agents.a.joints: 'tail' picks nothing"),
    ],
)
def test_what_does_not_fit_the_robot_is_one_clear_line(overrides: list[str], said: str) -> None:
    with pytest.raises(TaskError, match=re.escape(said)):
        actions_of(*overrides)


def test_random_actions_cover_every_agents_choices() -> None:
    agents = tuple(AgentSpec(name, (0,), ActionSpec("discrete", size)) for name, size in (("a", 2), ("b", 3)))
    spec = EnvSpec(5, {"policy": 1}, ActionSpec("discrete", 3), 10, None, agents)
    choices = random_actions(spec, 50, CPU)
    assert choices.shape == (50, 5, 2) and choices.dtype == torch.int64
    assert [choices[..., agent].unique().tolist() for agent in (0, 1)] == [[0, 1], [0, 1, 2]]
