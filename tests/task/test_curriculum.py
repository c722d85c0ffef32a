"""What a Task says about its curriculum: values are checked where they will be set, schedules give their numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.curriculum import CurriculumSection, ScheduleSection
from humanoid_rl_ext.task.loading import CURRICULA, edited, load_task, save_task
from humanoid_rl_ext.task.schema import Task

VARIED = ("randomisation.push={mode: interval}", "randomisation.mass={}", "randomisation.friction={}")


def with_curriculum(**curriculum) -> Task:
    return edited(load_task("humanoid_walk"), "curriculum", curriculum)


def schedule(**fields) -> ScheduleSection:
    return ScheduleSection(path="rewards.alive.weight", **fields)


def test_a_linear_schedule_is_a_straight_line_between_its_points_and_level_outside() -> None:
    line = schedule(points=[(1000, 1.0), (2000, 3.0), (4000, 2.0)], increments=100)
    steps = (0, 1000, 1500, 2000, 3000, 4000, 9000)
    assert [line.value_at(at) for at in steps] == pytest.approx([1.0, 1.0, 2.0, 3.0, 2.5, 2.0, 2.0])


def test_a_line_is_walked_in_as_many_parts_as_it_says() -> None:
    line = schedule(points=[(0, 0.0), (1000, 1.0)], increments=4)
    assert sorted({line.value_at(at) for at in range(1001)}) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert [line.value_at(at) for at in (249, 250, 999, 1000)] == [0.0, 0.25, 0.75, 1.0]


def test_a_step_schedule_holds_each_value_until_the_next_point() -> None:
    steps = schedule(kind="step", points=[(0, 1.0), (100, 5.0), (200, 2.0)])
    assert [steps.value_at(at) for at in (0, 99, 100, 199, 200, 10**9)] == [1.0, 1.0, 5.0, 5.0, 2.0, 2.0]


def test_both_ends_of_a_range_are_scheduled() -> None:
    wider = schedule(points=[(0, (0.0, 1.0)), (100, (-1.0, 3.0))], increments=100)
    assert wider.value_at(50) == pytest.approx((-0.5, 2.0))


@pytest.mark.parametrize(
    ("curriculum", "said"),
    [
        ({"stages": {"a": {"set": {"rewards.alivee.weight": 1}}}}, "there is no 'alivee'; did you mean 'alive'"),
        ({"stages": {"a": {"set": {"commands.velocity.params.lin_vel_x": [2, 1]}}}}, "low 2 is above high 1"),
        ({"stages": {"a": {"set": {"sim.dt": -1}}}}, "greater than 0"),
        ({"schedules": {"a": {"path": "sim.dtt", "points": [[0, 0.01]]}}}, "did you mean 'dt'"),
        ({"schedules": {"a": {"path": "sim.dt", "points": [[0, 0.01], [10, 5.0]]}}}, "less than or equal to 0.1"),
        ({"schedules": {"a": {"path": "sim.dt", "points": [[10, 0.01], [0, 0.02]]}}}, "rising environment steps"),
        ({"schedules": {"a": {"path": "sim.dt", "points": [[0, 0.01], [5, [0, 1]]]}}}, "all be ranges"),
        ({"stages": {"a": {"advance": {"by": "success", "above": 1.5}}}}, "must be a share of episodes"),
        ({"stages": {"a": {"advance": {"by": "luck", "above": 0.5}}}}, "'return', 'success' or 'episodes'"),
        (
            {
                "stages": {"a": {"set": {"rewards.alive.weight": 1}}},
                "schedules": {"b": {"path": "rewards.alive.weight", "points": [[0, 1]]}},
            },
            "is set by a stage as well",
        ),
    ],
)
def test_a_value_that_could_not_be_set_is_found_when_the_task_is_read(curriculum, said) -> None:
    with pytest.raises(TaskError, match=said):
        with_curriculum(**curriculum)


def test_a_stage_is_added_changed_and_removed_by_its_path() -> None:
    task = edited(load_task("humanoid_walk"), "curriculum.stages.easy", {"set": {"rewards.alive.weight": 2}})
    task = edited(task, "curriculum.stages.easy.advance", {"by": "return", "above": 5})
    task = edited(task, "curriculum.stages.easy.advance.above", 7)
    assert task.curriculum.stages["easy"].advance.above == 7
    assert edited(task, "curriculum.stages.easy", None).curriculum == CurriculumSection()


@pytest.mark.parametrize("name", sorted(path.stem for path in CURRICULA.glob("*.yaml")))
def test_every_preset_fits_a_walking_task_and_comes_back_from_a_file(name: str, tmp_path: Path) -> None:
    task = load_task("humanoid_walk", [*VARIED, f"curriculum={name}"])
    assert task.curriculum.description and len(task.curriculum.stages) in (4, 5)
    *leading, last = task.curriculum.stages.values()
    assert all(stage.advance for stage in leading) and last.advance is None
    save_task(task, tmp_path / "task.yaml")
    assert load_task(tmp_path / "task.yaml") == task


def test_the_five_stages_are_as_fast_and_as_pushed_as_they_should_be() -> None:
    plan = load_task("humanoid_walk_stages").curriculum
    values = [plan.values_at_stage(index) for index in range(5)]
    assert [stage["commands.velocity.params.lin_vel_x"][1] for stage in values] == [1.0, 1.5, 2.0, 2.5, 3.0]
    rates = [0.0] + [2 / sum(stage["randomisation.push.interval_s"]) for stage in values[1:]]
    assert rates == pytest.approx([0.0, 0.01, 0.02, 0.05, 0.1])
    assert values[0]["randomisation.push.params.lin_vel_x"] == [0.0, 0.0]
    assert [stage["scene.terrain.max_difficulty"] for stage in values] == [0.0, 0.1, 0.3, 0.5, 0.8]
    for quantity, spreads in (("mass", (0, 0.05, 0.1, 0.15, 0.2)), ("friction", (0, 0.1, 0.2, 0.3, 0.5))):
        scales = [stage[f"randomisation.{quantity}.params.scale"] for stage in values]
        assert scales == [pytest.approx([1 - spread, 1 + spread]) for spread in spreads]
    rules = [stage.advance for stage in plan.stages.values()][:-1]
    assert [(rule.by, rule.min_episodes, rule.above) for rule in rules] == [
        ("episodes", count, 0.7) for count in (100, 300, 600, 1000)
    ]


def test_a_mistake_in_a_curriculum_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("stages:\n  a:\n    set:\n      rewards.alivee.weight: 1\n")
    with pytest.raises(TaskError, match=r"mine\.yaml:4: .*did you mean 'alive'"):
        load_task("humanoid_walk", [f"curriculum={file}"])
    with pytest.raises(TaskError, match="unknown curriculum 'locomotion_fife'; did you mean 'locomotion_five'"):
        load_task("humanoid_walk", ["curriculum=locomotion_fife"])
