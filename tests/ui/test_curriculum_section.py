"""The Curriculum section in a window: presets, stages and schedules by clicks and typing, and a run that is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from shown import Shown, showing

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.curriculum.view import CurriculumSection
from humanoid_rl_ext.ui.workbench import Workbench

WEIGHT = "rewards.alive.weight"


class ShownCurriculum(Shown):
    section_type = CurriculumSection

    def __init__(self, driver, task: str, size: tuple[int, int] = (440, 690)) -> None:
        super().__init__(driver, task, size)

    async def click(self, id: str) -> None:
        await self.driver.click(self.widget(id))
        await self.driver.frames(4)

    async def choose(self, id: str, choice: int) -> None:
        self.widget(id).model.get_item_value_model().set_value(choice)
        await self.driver.frames(6)

    async def type(self, id: str, text: str) -> None:
        await self.driver.type_into(self.widget(id), text)
        await self.driver.frames(4)

    @property
    def stages(self) -> dict:
        return self.bench.draft.value("curriculum.stages")


@pytest.fixture
def show(driver, tmp_path, monkeypatch) -> Iterator[Callable[..., ShownCurriculum]]:
    with showing(ShownCurriculum, driver, tmp_path, monkeypatch) as open_it:
        yield open_it


def ladder(bench: Workbench) -> None:
    """Three stages that raise one weight, each after ten episodes with some return."""
    rule = {"by": "return", "above": 50.0, "window": 10, "min_episodes": 10}
    for index, name in enumerate(("easy", "medium", "hard")):
        entry = {"set": {WEIGHT: 1.0 + index}, "advance": rule if index < 2 else None}
        bench.edit(f"curriculum.stages.{name}", entry)


def test_the_stages_of_a_humanoid_are_shown_with_their_values_and_rules(driver, pictures, show):
    from layout import flaws

    async def look() -> None:
        shown = show("humanoid_walk_stages")
        await driver.frames(8)
        assert shown.widget("curriculum.stages.walking:words").text == "after 300, success > 70 %"
        assert shown.widget("curriculum.stages.running:words").text == "the last one"
        await shown.click("curriculum.stages.walking:open")
        await driver.screenshot(pictures / "curriculum.png")
        assert flaws(shown.window) == []
        field = shown.widget("curriculum.stages.walking.set.randomisation.mass.params.scale[0]")
        assert field.model.as_string == "0.95"

    driver.run(look())


def test_at_twice_the_scale_everything_is_twice_as_large(driver, pictures, show):
    from layout import flaws

    async def look() -> None:
        theme.set_scale(2.0)
        shown = show("cartpole_balance", size=(880, 700))
        ladder(shown.bench)
        await driver.frames(8)
        await shown.click("curriculum.stages.easy:open")
        await driver.screenshot(pictures / "curriculum_2.png")
        assert flaws(shown.window) == []

    driver.run(look())


def test_a_preset_is_chosen_and_one_that_does_not_fit_says_why(driver, pictures, show):
    async def use() -> None:
        shown = show()
        await driver.frames(6)
        choices = shown.section.model.choices
        await shown.choose("curriculum.preset", choices.index("locomotion_five"))
        assert "'locomotion_five' does not fit this task: " in shown.widget("curriculum.problem").text
        assert shown.stages == {} and shown.section.model.chosen == "none"
        await driver.screenshot(pictures / "curriculum_refused.png")
        await shown.choose("curriculum.preset", choices.index("locomotion_four"))
        assert list(shown.stages) == ["easy", "medium", "hard", "hardest"] and not shown.there("curriculum.problem")
        await shown.click("curriculum.undo")
        assert shown.stages == {} and not shown.widget("curriculum.undo").enabled

    driver.run(use())


def test_a_stage_is_added_named_filled_and_given_a_rule(driver, pictures, show):
    from layout import flaws

    async def use() -> None:
        shown = show()
        await driver.frames(6)
        await shown.click("curriculum.add_stage")
        await shown.type("curriculum.stages.stage_1.name", "first steps")
        assert "without spaces" in shown.widget("curriculum.stages.stage_1.name:reason").text
        await shown.type("curriculum.stages.stage_1.name", "first")
        await shown.click("curriculum.stages.first:open")
        await shown.click("curriculum.stages.first:set")
        await driver.screenshot(pictures / "curriculum_picker.png")
        assert flaws(shown.window) == []
        await shown.type("curriculum.stages.first:set:search", "alive weight")
        assert not shown.there("curriculum.stages.first:set:reward_scale")
        await shown.click(f"curriculum.stages.first:set:{WEIGHT}")
        await shown.type(f"curriculum.stages.first.set.{WEIGHT}", "0.5")
        await shown.click("curriculum.add_stage")
        assert shown.stages["first"]["set"] == shown.stages["stage_2"]["set"] == {WEIGHT: 0.5}
        await shown.type("curriculum.stages.first.advance.above", "7")
        assert "share" in shown.widget("curriculum.stages.first.advance.above:reason").text
        await shown.choose("curriculum.stages.first.advance", 2)
        assert shown.stages["first"]["advance"]["by"] == "return"
        await shown.type("curriculum.stages.first.advance.above", "7")
        assert shown.stages["first"]["advance"]["above"] == 7.0
        await driver.screenshot(pictures / "curriculum_own.png")
        assert flaws(shown.window) == []

    driver.run(use())


def test_stages_change_places_go_and_come_back(driver, show):
    async def use() -> None:
        shown = show()
        ladder(shown.bench)
        await driver.frames(8)
        await shown.click("curriculum.stages.hard:up")
        assert list(shown.stages) == ["easy", "hard", "medium"]
        await shown.click("curriculum.undo")
        assert list(shown.stages) == ["easy", "medium", "hard"]
        await shown.click("curriculum.stages.easy:remove")
        assert list(shown.stages) == ["medium", "hard"] and not shown.there("curriculum.stages.easy:open")
        await shown.click("curriculum.undo")
        assert list(shown.stages) == ["easy", "medium", "hard"]

    driver.run(use())


def test_a_schedule_is_added_and_its_points_are_typed(driver, pictures, show):
    from layout import flaws

    async def use() -> None:
        shown = show()
        await driver.frames(6)
        await shown.click("curriculum.add_schedule")
        await shown.type("curriculum.add_schedule:search", "alive")
        await shown.click(f"curriculum.add_schedule:{WEIGHT}")
        path = "curriculum.schedules.alive_weight"
        await shown.type(f"{path}.points.1.value", "3")
        await shown.type(f"{path}.points.1.steps", "2e6")
        assert shown.bench.draft.value(f"{path}.points") == [[0, 1.0], [2000000, 3.0]]
        assert shown.widget(f"{path}:words").text == "1 to 3"
        await shown.type(f"{path}.points.0.steps", "3e6")
        refused = "Environment steps: must be at rising environment steps"
        assert shown.widget(f"{path}.points.0:reason").text.startswith(refused)
        await driver.screenshot(pictures / "curriculum_schedule.png")
        assert flaws(shown.window) == []
        await shown.click(f"{path}:remove")
        assert shown.bench.draft.value("curriculum.schedules") == {}

    driver.run(use())


def work_until(bench: Workbench, condition: Callable[[], bool]) -> None:
    """Trains without drawing until something holds."""
    for _ in range(3000):
        if condition():
            return
        bench.pump(0.02)
    raise AssertionError(bench.message)


def test_a_run_shows_its_stage_is_moved_by_hand_and_takes_edits_at_once(driver, pictures, show):
    from layout import flaws

    async def use() -> None:
        shown = show()
        bench = shown.bench
        ladder(bench)
        bench.draft.edit("run.num_envs", 16)
        bench.start()
        await driver.until(lambda: bench.session is not None, 120.0)
        assert bench.draft.preset.curriculum.stages == {}  # the draft stays what the user made of its preset
        work_until(bench, lambda: len(shown.section.progress.standing().trend) > 4)
        await driver.frames(8)
        await driver.screenshot(pictures / "curriculum_training.png")
        assert flaws(shown.window) == []
        assert shown.widget("curriculum.stage").text == "Stage 1 of 3: easy"
        assert "more than 50" in shown.widget("curriculum.needed").text
        assert shown.widget("curriculum.trend").visible
        assert not shown.widget("curriculum.stages.easy:go").enabled
        await shown.click("curriculum.stages.hard:go")
        assert bench.session.curriculum.stage == 2 and bench.session.task.rewards["alive"].weight == 3.0
        assert shown.widget("curriculum.stage").text == "Stage 3 of 3: hard"
        await shown.click("curriculum.stages.hard:open")
        await shown.type(f"curriculum.stages.hard.set.{WEIGHT}", "4")
        assert bench.session.task.rewards["alive"].weight == 4.0
        await shown.click("curriculum.stages.easy:remove")
        assert shown.widget("curriculum.stage").text == "Stage 2 of 2: hard"
        await shown.click("curriculum.stages.medium:go")
        assert bench.session.task.rewards["alive"].weight == 2.0

    driver.run(use())
