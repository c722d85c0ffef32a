"""The Agents fold: what it knows without a window, and how it is used in one."""

from __future__ import annotations

import pytest
from layout import flaws
from quiet import QuietHost
from shown import FIXED, in_window

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.rewards.model import RewardsModel
from humanoid_rl_ext.ui.task.agents_model import AgentsModel
from humanoid_rl_ext.ui.task.view import TaskSection
from humanoid_rl_ext.ui.workbench import Workbench

FOUR = ("left_leg", "right_leg", "arms", "trunk")
FIVE = ("left_leg", "right_leg", "left_arm", "right_arm", "trunk")


def bench(task: str, robot: str = "humanoid") -> Workbench:
    """A workbench that has read its robot."""
    workbench = Workbench(QuietHost(), Draft.load(task))
    workbench.robot = load_robot(robot)
    return workbench


@pytest.fixture
def workbench(monkeypatch, request: pytest.FixtureRequest):
    monkeypatch.setattr("humanoid_rl_ext.ui.workbench.load_robot", lambda *given: load_robot("humanoid"))
    made = bench(getattr(request, "param", "humanoid_walk"))
    yield made
    made.close()


def test_a_robot_is_split_by_its_limbs_and_joined_again(workbench: Workbench) -> None:
    model = AgentsModel(workbench)
    assert (model.names, model.note, model.sharing().joints) == ((), "one", {})
    assert model.split() == ""
    assert model.names == FIVE and model.note == "5"
    sharing = model.sharing()
    assert not sharing.free and not sharing.problem and len(sharing.joints["left_leg"]) == 6
    workbench.undo()
    assert model.names == ()
    model.split()
    assert model.join() == "" and workbench.draft.task.agents is None


def test_joints_without_an_agent_are_named_and_can_be_given_one(workbench: Workbench) -> None:
    model = AgentsModel(workbench)
    model.split()
    assert model.remove("left_arm") == ""
    sharing = model.sharing()
    assert len(sharing.free) == 3 and sharing.problem.startswith("agents: nobody moves left_shoulder_pitch")
    assert model.add() == "" and set(model.names) == set(FIVE)
    workbench.edit("agents.trunk.joints", "abdomen_yaw")
    assert model.add() == "" and "agent_1" in model.names and not model.sharing().problem
    workbench.edit("agents.agent_1.joints", ".*hip.*")
    assert "belongs to the agent" in model.sharing().problem
    workbench.edit("agents.agent_1.joints", "tail")
    assert model.sharing().joints["agent_1"] == [] and "picks nothing" in model.sharing().problem


def test_the_last_agent_goes_and_one_moves_everything_again(workbench: Workbench) -> None:
    model = AgentsModel(workbench)
    workbench.edit("agents", {"all": {"joints": ".*"}})
    assert model.note == "1" and model.remove("all") == "" and model.note == "one"


@pytest.mark.parametrize("workbench", ["humanoid_walk_agents"], indirect=True)
def test_what_an_agent_sees_is_a_list_and_rewards_may_be_for_some(workbench: Workbench) -> None:
    model = AgentsModel(workbench)
    assert model.names == FOUR
    joints, observes = model.fields("left_leg")
    assert (joints.kind, observes.kind) == ("pattern", "texts")
    seen = workbench.draft.value("agents.left_leg.observes")
    assert observes.parse(observes.format(seen)) == seen and observes.parse("all") == "all"
    rewards = RewardsModel(workbench)
    paid = next(row for row in rewards.rows() if row.path == "rewards.feet_slide").params[-1]
    assert paid.path == "rewards.feet_slide.agents" and paid.parse("") is None
    workbench.edit(paid.path, paid.parse("left_leg, right_leg"))
    assert workbench.draft.task.reward_per_agent
    assert (
        model.remove("left_leg") == "rewards.feet_slide.agents: there is no agent 'left_leg' in this task (it has: "
        "right_leg, arms, trunk)"
    )


@pytest.mark.parametrize("workbench", ["walker_pair"], indirect=True)
def test_a_team_says_so(workbench: Workbench) -> None:
    model = AgentsModel(workbench)
    assert model.note == "a team of 2 robots" and model.names == ()


def test_nothing_is_split_before_the_robot_is_known(workbench: Workbench) -> None:
    workbench.robot = None
    model = AgentsModel(workbench)
    assert model.limbs() == {} and model.sharing().joints == {}


def section(driver, workbench: Workbench):
    return in_window(driver, TaskSection(workbench), height=710, position_x=24, position_y=4, flags=FIXED)


def test_a_robot_is_shared_out_by_hand(driver, pictures, workbench):
    async def use() -> None:
        with section(driver, workbench) as window:
            await driver.frames(4)
            await driver.click(driver.find(window, id="task.Agents"))
            await driver.frames(3)
            assert not driver.find_all(window, id="agents:add")
            await driver.screenshot(pictures / "agents_one.png")
            await driver.click(driver.find(window, id="agents:split"))
            await driver.frames(3)
            assert driver.find(window, id="agents.trunk:moves").text.startswith("moves abdomen_")
            assert not driver.find(window, id="agents:add").enabled and not driver.find_all(window, id="agents:problem")
            await driver.screenshot(pictures / "agents_five.png")
            await driver.click(driver.find(window, id="agents.left_leg:remove"))
            await driver.frames(3)
            await driver.screenshot(pictures / "agents_missing.png")
            assert driver.find(window, id="agents:problem").text.startswith("agents: nobody moves left_hip_yaw")
            await driver.type_into(driver.find(window, id="agents.right_leg.joints"), ".*_(hip|knee|ankle).*")
            await driver.frames(2)
            assert driver.find(window, id="agents.right_leg:moves").text.startswith("moves left_hip_yaw, right_hip_yaw")
            assert not driver.find_all(window, id="agents:problem")
            await driver.type_into(driver.find(window, id="agents.right_leg.observes"), "own, contact_force")
            assert workbench.draft.value("agents.right_leg.observes") == ["own", "contact_force"]
            await driver.screenshot(pictures / "agents_four.png")
            assert not flaws(window)
            await driver.click(driver.find(window, id="agents:join"))
            await driver.frames(3)
            assert workbench.draft.task.agents is None and not driver.find_all(window, id="agents.trunk:moves")

    driver.run(use())


def test_agents_that_come_while_the_fold_is_shut_are_there_when_it_opens(driver, workbench):
    async def use() -> None:
        with section(driver, workbench) as window:
            await driver.frames(4)
            for _ in range(2):
                await driver.click(driver.find(window, id="task.Agents"))
                await driver.frames(2)
            workbench.load_task("humanoid_walk_agents")
            await driver.frames(3)
            workbench.edit("agents.arms.observes", "all")
            await driver.frames(3)
            await driver.click(driver.find(window, id="task.Agents"))
            await driver.frames(3)
            assert driver.find(window, id="agents.arms.observes").model.as_string == "all"

    driver.run(use())
