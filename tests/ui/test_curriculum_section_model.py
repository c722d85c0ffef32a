"""The Curriculum section without a window: what can be set, presets, stages, rules, schedules, a run's standing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from quiet import QuietHost, pump_until, small_workbench

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import curriculum_names, edited, load_task
from humanoid_rl_ext.ui.curriculum.model import BY_HAND, NONE, OWN, CurriculumModel
from humanoid_rl_ext.ui.curriculum.paths import Target, is_live, target_of, targets
from humanoid_rl_ext.ui.curriculum.progress import RunProgress
from humanoid_rl_ext.ui.curriculum.schedules import SchedulesModel
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.task.model import TaskModel
from humanoid_rl_ext.ui.workbench import Workbench

WEIGHT, SCALE = "rewards.alive.weight", "reward_scale"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    workbench = Workbench(QuietHost(), Draft.load("cartpole_balance"))
    yield workbench
    workbench.close()


@pytest.fixture
def small(tmp_path, monkeypatch) -> Iterator[Workbench]:
    yield from small_workbench(tmp_path, monkeypatch)


@pytest.fixture
def model(bench: Workbench) -> CurriculumModel:
    return CurriculumModel(bench)


def add_stages(model: CurriculumModel, *weights: float) -> None:
    """As many stages, which set one weight."""
    for index, weight in enumerate(weights):
        assert model.add_stage() == ""
        stage = model.stages()[-1]
        assert index or model.set_value(stage, target(model, WEIGHT)) == ""
        model.value_binding(model.stages()[-1], target(model, WEIGHT)).type(str(weight))


def target(model: CurriculumModel, path: str) -> Target:
    return targets(model.workbench.draft.task)[path]


def sets(model: CurriculumModel) -> dict[str, dict]:
    return {name: stage.set for name, stage in model.plan.stages.items()}


# What can be set


@pytest.mark.parametrize("name", ["cartpole_balance", "humanoid_walk_stages"])
def test_everything_that_is_offered_can_change_in_an_environment_at_work(name):
    from humanoid_rl_ext.env.make import make_env

    task = load_task(name)
    env = make_env(task, num_envs=2, device="cpu")
    try:
        assert [path for path in targets(task) if not env.can_edit(path)] == []
    finally:
        env.close()


def test_intervals_and_timers_are_offered_only_where_there_are_some():
    task = load_task("humanoid_walk_stages")
    assert "randomisation.push.interval_s" in targets(task)
    assert "randomisation.mass.interval_s" not in targets(task)
    assert "sim.dt" not in targets(task) and not is_live(task, "sim.dt")


def test_what_the_task_has_not_got_is_shown_by_what_its_value_looks_like():
    assert target_of("a.b", [1, 2], {}).spec.parts == 2
    assert target_of("a.b", True, {}).spec.kind == "switch" and target_of("a.b", "x", {}).spec.kind == "text"


# Presets


def test_a_preset_is_one_edit_and_is_recognised(model, bench):
    assert model.chosen == NONE and model.choices == [NONE, *curriculum_names()]
    assert model.choose("locomotion_four") == ""
    assert model.chosen == "locomotion_four" and len(bench.undoable) == 1
    bench.edit("curriculum.stages.easy.advance.above", 0.5)
    assert model.chosen == OWN and model.choices[-1] == OWN
    model.undo()
    assert model.chosen == "locomotion_four"
    assert model.choose(NONE) == "" and not model.plan.in_use


def test_a_preset_that_does_not_fit_changes_nothing_and_names_what_is_missing(model, bench):
    before = bench.draft.task
    assert "commands.velocity.params.lin_vel_x" in model.choose("locomotion_five")
    assert bench.draft.task is before and bench.undoable == []


def test_the_whole_curriculum_goes_back_to_the_preset_of_the_task(model):
    assert not model.whole().changed
    add_stages(model, 1.0)
    assert model.whole().changed
    model.whole().reset()
    assert not model.plan.in_use


def test_what_would_keep_a_run_from_starting_is_said_beforehand(model, bench):
    assert model.warning == ""
    bench.edit("curriculum.stages", {"a": {"set": {"sim.dt": 0.01}}})
    assert model.warning.startswith("sim.dt cannot change while training")


# Stages


def test_a_new_stage_sets_what_the_last_one_sets_which_gets_a_rule(model):
    add_stages(model, 1.0, 2.0, 3.0)
    assert sets(model) == {"stage_1": {WEIGHT: 1.0}, "stage_2": {WEIGHT: 2.0}, "stage_3": {WEIGHT: 3.0}}
    assert [stage.ends for stage in model.stages()] == ["success > 70 %", "success > 70 %", "the last one"]


def test_the_order_of_stages_can_be_changed_and_undone(model, bench):
    add_stages(model, 1.0, 2.0)
    steps = len(bench.undoable)
    assert model.shift_stage(model.stages()[1], -1) == ""
    assert list(model.plan.stages) == ["stage_2", "stage_1"] and len(bench.undoable) == steps + 1
    model.undo()
    assert list(model.plan.stages) == ["stage_1", "stage_2"]


def test_another_order_than_the_preset_s_is_a_change(model, bench):
    bench.load_task("humanoid_walk_stages")
    assert bench.draft.differences() == []
    model.shift_stage(model.stages()[0], 1)
    assert [change.path for change in bench.draft.differences()] == ["curriculum.stages"]


def test_a_stage_that_was_removed_comes_back_in_its_place(model):
    add_stages(model, 1.0, 2.0, 3.0)
    model.remove_stage(model.stages()[1])
    assert list(model.plan.stages) == ["stage_1", "stage_3"]
    model.undo()
    assert list(model.plan.stages) == ["stage_1", "stage_2", "stage_3"]


def test_a_name_has_to_fit_a_path_and_be_free(model):
    add_stages(model, 1.0, 2.0)
    name = model.name_binding(model.stages()[0])
    assert not name.type("a b") and "spaces" in name.reason
    assert not name.type("stage_2") and "taken" in name.reason
    assert name.type("first") and list(model.plan.stages) == ["first", "stage_2"]


def test_a_value_starts_as_an_earlier_stage_left_it_and_keeps_its_bounds(model):
    add_stages(model, 1.0, 2.0)
    first, second = model.stages()
    assert model.set_value(first, target(model, SCALE)) == ""
    model.value_binding(first, target(model, SCALE)).type("1.5")
    assert model.set_value(second, target(model, SCALE)) == ""
    assert sets(model)["stage_2"][SCALE] == 1.5
    scale = model.value_binding(second, target(model, SCALE))
    assert not scale.type("-1") and "above 0" in scale.reason
    assert model.unset_value(model.stages()[1], target(model, SCALE)) == "" and SCALE not in sets(model)["stage_2"]
    assert SCALE in [one.path for one in model.settable(model.stages()[1])]


def test_a_threshold_that_the_new_kind_of_rule_does_not_allow_becomes_seven_tenths(model):
    add_stages(model, 1.0, 2.0)
    rule = model.rule_binding(model.stages()[0])
    assert rule.type("return")
    model.workbench.edit("curriculum.stages.stage_1.advance.above", 12.0)
    assert model.stages()[0].ends == "return > 12"
    assert rule.type("episodes") and model.stages()[0].ends == "after 100, success > 70 %"
    assert rule.type(BY_HAND) and model.stages()[0].rule is None and model.rule_specs(model.stages()[0]) == []


def test_every_difference_from_the_preset_can_be_put_back(model, bench):
    bench.load_task("humanoid_walk_stages")
    task, before = TaskModel(bench), bench.draft.preset.curriculum
    model.value_binding(model.stages()[1], target(model, "scene.terrain.max_difficulty")).type("0.2")
    model.rule_binding(model.stages()[2]).type("success")
    assert len(task.changes) == 2
    assert [task.put_back(change) for change in task.changes] == ["", ""] and model.plan == before
    model.remove_stage(model.stages()[1])
    assert [task.put_back(change) for change in task.changes] == [""] and model.plan == before
    assert list(model.plan.stages) == list(before.stages)


def test_the_search_of_the_task_finds_rules_too(model, bench):
    add_stages(model, 1.0, 2.0)
    found = dict(TaskModel(bench).find("stage window"))
    assert [spec.path for spec in found["Curriculum: stage_1"]] == ["curriculum.stages.stage_1.advance.window"]


# Schedules


def test_a_schedule_is_level_until_its_points_are_changed(model):
    schedules = SchedulesModel(model)
    assert schedules.add(target(model, WEIGHT)) == ""
    plan = schedules.schedules()[0]
    assert plan.name == "alive_weight" and model.plan.schedules["alive_weight"].value_at(10**9) == 1.0
    assert schedules.value_binding(plan, 1).type("3") and schedules.schedules()[0].words == "1 to 3"
    assert schedules.add_point(plan) == "" and schedules.schedules()[0].points == 3
    steps = schedules.steps_binding(plan, 2)
    assert not steps.type("7") and steps.reason.startswith("must be at rising environment steps")
    assert schedules.remove_point(plan, 1) == "" and schedules.schedules()[0].points == 2


def test_a_value_has_one_master(model, bench):
    add_stages(model, 1.0)
    schedules = SchedulesModel(model)
    assert WEIGHT not in [one.path for one in schedules.free()]
    assert "set by a stage" in schedules.add(target(model, WEIGHT))
    schedules.add(target(model, SCALE))
    assert SCALE not in [one.path for one in model.settable(model.stages()[0])]
    assert schedules.aim(schedules.schedules()[0], target(model, "episode_length_s")) == ""
    assert schedules.schedules()[0].words == f"{bench.draft.task.episode_length_s:g}"


# A run at work


def test_a_run_keeps_its_stage_through_edits_and_takes_them_over(small):
    model, progress = CurriculumModel(small), RunProgress(small)
    add_stages(model, 1.5, 2.0, 3.0)
    assert progress.standing() is None and progress.why_not("stage_1") == "No run is at work"
    small.start()
    pump_until(small, lambda: small.session is not None)

    def rewards() -> float:
        return small.session.task.rewards["alive"].weight

    assert rewards() == 1.5 and small.draft.value(WEIGHT) == 1.0
    assert progress.go_to("stage_2") == "" and progress.stage == "stage_2" and rewards() == 2.0
    assert (small.marks[-1].change.old, small.marks[-1].change.new) == ("stage_1", "stage_2")  # in the plots too
    model.shift_stage(model.stages()[0], 2)
    assert progress.standing().heading == "Stage 1 of 3: stage_2" and rewards() == 2.0
    model.value_binding(model.stages()[0], target(model, WEIGHT)).type("2.5")
    assert rewards() == 2.5
    model.undo()
    assert rewards() == 2.0
    model.unset_value(model.stages()[0], target(model, WEIGHT))
    assert rewards() == 1.5  # as when the run began
    model.remove_stage(model.stages()[0])
    assert progress.standing().heading == "Stage 1 of 2: stage_3" and rewards() == 3.0
    assert "no stage" in progress.go_to("elsewhere")


def test_a_run_refuses_a_stage_that_sets_what_cannot_change(small):
    small.start()
    pump_until(small, lambda: small.session is not None)
    before = small.draft.task
    with pytest.raises(TaskError, match=r"'sim\.dt' cannot change while training"):
        small.edit("curriculum.stages.a", {"set": {"sim.dt": 0.01}})
    assert small.draft.task is before and not small.session.task.curriculum.in_use


def test_the_standing_says_episodes_metric_and_threshold(small):
    model, progress = CurriculumModel(small), RunProgress(small)
    add_stages(model, 1.0, 2.0)
    small.start()
    pump_until(small, lambda: small.session is not None)
    run = small.session.curriculum
    for success in (0.25, 0.35):
        figures = {"episode/episodes": 40.0, "episode/return": 1.0, "episode/success_rate": success}
        small.history.append(run.take_in(figures) | {"env_steps": 0})
    standing = progress.standing()
    assert (standing.counted, standing.metric, standing.needed) == (
        "80 of 100 episodes",
        "Success 30 %",
        "needs more than 70 %",
    )
    assert standing.progress == pytest.approx(0.8) and standing.trend == pytest.approx((0.25, 0.3))
    progress.go_to("stage_2")
    assert progress.standing().counted == "0 episodes, the last stage" and progress.standing().trend == ()


def test_curricula_that_are_edited_stay_valid_tasks():
    task = edited(load_task("cartpole_balance"), "curriculum.stages", {"b": {"set": {WEIGHT: 2.0}}, "a": {}})
    assert list(task.curriculum.stages) == ["b", "a"]
