"""The table of rewards without a window: what it lists, its figures by hand, what can be added, undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from quiet import QuietHost

from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.rewards.model import Earned, RewardsModel, usual_weights
from humanoid_rl_ext.ui.workbench import Workbench


@pytest.fixture
def bench() -> Iterator[Workbench]:
    workbench = Workbench(QuietHost(), Draft.load("cartpole_balance"))
    yield workbench
    workbench.close()


@pytest.fixture
def model(bench: Workbench) -> RewardsModel:
    return RewardsModel(bench)


def earn(bench: Workbench, episodes: float = 1.0, **rewards: float) -> None:
    bench.history.append({"episode/episodes": episodes, **{f"reward/{name}": x for name, x in rewards.items()}})


def row(model: RewardsModel, name: str):
    return next(row for row in model.rows() if row.name == name)


def candidate(model: RewardsModel, name: str):
    return next(candidate for candidate in model.candidates() if candidate.name == name)


def test_a_row_has_the_fields_of_its_term(model):
    pole = row(model, "pole_angle")
    assert pole.term.name == "joint_deviation" and "Term: joint_deviation" in pole.help
    assert (pole.weight.path, pole.enabled.path) == ("rewards.pole_angle.weight", "rewards.pole_angle.enabled")
    assert [spec.path for spec in pole.params] == ["rewards.pole_angle.params.joints"]


def test_shares_are_signed_parts_of_the_sum_of_sizes(model, bench):
    earn(bench, alive=6.0, pole_angle=-1.0, cart_position=-1.0, termination=-2.0)
    earned = model.earned()
    assert earned["alive"] == Earned(6.0, 0.6) and earned["termination"] == Earned(-2.0, -0.2)
    assert model.total(earned) == Earned(2.0, pytest.approx(0.2))


def test_means_count_every_episode_of_the_last_ten_iterations_once(model, bench):
    earn(bench, episodes=1000, alive=100.0)
    for _ in range(8):
        bench.history.append({"episode/episodes": 0})
    earn(bench, episodes=3, alive=1.0)
    earn(bench, episodes=1, alive=5.0)
    assert model.earned()["alive"].value == 2.0


def test_before_an_episode_has_ended_nothing_is_said(model):
    earned = model.earned()
    assert set(earned.values()) == {Earned()} and model.total(earned) == Earned()
    assert model.trend("alive") == []


def test_rewards_that_all_earn_nothing_have_no_share(model, bench):
    earn(bench, alive=0.0)
    assert model.earned()["alive"] == Earned(0.0, 0.0)


def test_a_reward_that_is_switched_off_earns_nothing_any_more(model, bench):
    earn(bench, alive=6.0, termination=-2.0)
    bench.edit("rewards.alive.enabled", False)
    assert model.earned()["alive"] == Earned()
    assert model.earned()["termination"] == Earned(-2.0, -1.0)


def test_the_trend_is_the_last_sixty_iterations_without_gaps(model, bench):
    for iteration in range(100):
        if iteration % 2:
            earn(bench, alive=float(iteration))
        else:
            bench.history.append({"episode/episodes": 0})
    assert model.trend("alive") == [float(iteration) for iteration in range(41, 100, 2)]


def test_a_term_is_added_with_the_weight_that_presets_give_it(model, bench):
    assert usual_weights()["energy"] == (-0.0002, "humanoid_reach")
    assert model.add(candidate(model, "energy")) == ""
    assert bench.draft.task.rewards["energy"].weight == -0.0002
    assert model.rows()[-1].name == "energy"
    assert candidate(model, "effort").entry == {"weight": 0.0}


def test_a_term_in_use_can_be_added_once_more_under_another_name(model, bench):
    assert model.add(candidate(model, "alive_2")) == ""
    assert bench.draft.task.rewards["alive_2"].spec.name == "alive"
    assert candidate(model, "alive_3").term.name == "alive"


def test_a_term_whose_command_the_task_lacks_says_so_and_is_refused(model, bench):
    lacking = candidate(model, "track_lin_vel")
    assert "needs a command 'velocity'" in lacking.obstacle
    assert "no command 'velocity'" in model.add(lacking)
    assert "track_lin_vel" not in bench.draft.task.rewards


def test_the_search_looks_at_name_term_and_description(model):
    def found(text: str) -> set[str]:
        return {one.name for one in model.candidates() if one.matches(text)}

    assert {"feet_slide", "feet_contact"} <= found("FEET") and "energy" not in found("feet")
    assert found("mechanical power") == {"energy"} and found("joint vel") == {"joint_velocity"}
    assert not found("no such thing")


def test_a_removed_reward_of_the_preset_can_be_brought_back_as_it_was(model, bench):
    before = bench.draft.task.rewards["pole_angle"]
    assert model.remove(row(model, "pole_angle")) == ""
    assert "pole_angle" not in bench.draft.task.rewards
    assert model.candidates()[0].origin == "as in the preset"
    assert model.add(model.candidates()[0]) == ""
    assert bench.draft.task.rewards["pole_angle"] == before
    assert [row.name for row in model.rows()] == list(bench.draft.preset.rewards)


def test_the_last_reward_cannot_be_removed(model, bench):
    *others, last = model.rows()
    assert [model.remove(row) for row in others] == [""] * len(others)
    assert model.remove(last) != "" and list(bench.draft.task.rewards) == [last.name]


def test_a_row_goes_back_to_the_preset_as_a_whole(model, bench):
    whole = model.whole(row(model, "pole_angle"))
    assert not whole.changed
    bench.edit("rewards.pole_angle.weight", -3.0)
    bench.edit("rewards.pole_angle.params.joints", ".*")
    assert whole.changed and whole.default == "weight -1.0, joints hinge"
    whole.reset()
    assert not whole.changed and bench.draft.task == bench.draft.preset


def test_undo_says_what_it_does_and_does_it(model, bench):
    assert model.undo_help == "" and model.undo() == ""
    bench.edit("rewards.alive.weight", 2.5)
    model.add(candidate(model, "energy"))
    model.remove(row(model, "termination"))
    assert model.undo_help == "Brings rewards.termination back"
    model.undo()
    assert model.undo_help == "Removes rewards.energy again"
    model.undo()
    assert model.undo_help == "rewards.alive.weight: 2.5 becomes 1 again"
    model.undo()
    assert bench.draft.task.rewards == bench.draft.preset.rewards
