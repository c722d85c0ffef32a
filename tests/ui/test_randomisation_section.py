"""Randomisation in a window: entries, distributions, presets, and what the environments of a run have."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from layout import flaws
from omni import ui
from quiet import QuietHost
from shown import FIXED, Shown, showing

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.task.view import TaskSection
from humanoid_rl_ext.ui.workbench import Workbench


class ShownTask(Shown):
    """The Task section in a window as wide as the panel, with a user in front of it."""

    def __init__(self, driver, task: str, size: tuple[int, int] = (440, 710)) -> None:
        self.driver, self.bench = driver, Workbench(QuietHost(), Draft.load(task))
        self.section = TaskSection(self.bench)
        self.window = ui.Window(
            f"randomisation {id(self)}", width=size[0], height=size[1], position_x=24, position_y=4, flags=FIXED
        )
        self.window.frame.style = theme.style()
        with (
            self.window.frame,
            ui.ScrollingFrame(horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF) as self.scroll,
            ui.HStack(height=0),
        ):
            with ui.VStack(height=0):
                self.section.build()
            ui.Spacer(width=theme.px(10))
        driver.each_frame = self._frame

    def _frame(self) -> None:
        self.bench.background.poll()
        if self.bench.state == "starting":
            time.sleep(0.03)  # drawing as fast as it goes would hold the start up
        self.section.update(time.perf_counter())

    async def press(self, *ids: str) -> None:
        for id in ids:
            await self.see(id)
            await self.driver.click(self.widget(id))
            await self.driver.frames(4)

    async def see(self, id: str) -> None:
        """Scrolls until a widget is in view."""
        widget = self.widget(id)
        if not 8 < widget.screen_position_y < self.window.height - 40:
            widget.scroll_here_y(0.5)
            await self.driver.frames(3)

    async def type(self, id: str, text: str) -> None:
        await self.see(id)
        await self.driver.type_into(self.widget(id), text)
        await self.driver.frames(2)

    async def pick(self, id: str, choice: str) -> None:
        """Takes a choice of a list."""
        box = self.widget(id)
        spec = next(spec for entry in self.table.model.entries() for spec in entry.specs if spec.path == id)
        box.model.get_item_value_model().set_value(spec.choices.index(choice))
        await self.driver.frames(4)

    @property
    def table(self):
        return next(table for table in self.section._tables if hasattr(table, "_failures"))

    def work_until(self, condition: Callable[[], bool]) -> None:
        """Trains without drawing until something holds."""
        for _ in range(30_000):
            if condition():
                return
            self.bench.pump(0.02)
        raise AssertionError(self.bench.message)


@pytest.fixture
def show(driver, tmp_path, monkeypatch) -> Iterator[Callable[..., ShownTask]]:
    with showing(ShownTask, driver, tmp_path, monkeypatch) as open_it:
        yield open_it


def test_a_quantity_is_added_shaped_switched_off_removed_and_brought_back(driver, pictures, show):
    async def use() -> None:
        shown = show()
        value = shown.bench.draft.value
        await driver.frames(4)
        await shown.press("task.randomisation", "randomisation:add")
        await driver.screenshot(pictures / "randomisation_add.png")
        assert flaws(shown.window) == []
        await shown.press("randomisation:add:mass")
        assert shown.widget("randomisation.mass:range").text == "0.8 to 1.2"
        assert not shown.there("randomisation:add:mass")
        await shown.type("randomisation.mass.params.scale[0]", "0.9")
        assert value("randomisation.mass.params.scale") == [0.9, 1.2]
        assert shown.widget("randomisation.mass:range").text == "0.9 to 1.2"
        await shown.type("randomisation.mass.params.scale[1]", "1000")
        assert "must lie between" in shown.widget("randomisation.mass.params.scale:reason").text
        assert value("randomisation.mass.params.scale") == [0.9, 1.2]
        await shown.type("randomisation.mass.params.scale[1]", "1.3")
        assert not shown.there("randomisation.mass.interval_s[0]")
        await shown.pick("randomisation.mass.mode", "interval")
        await shown.type("randomisation.mass.interval_s[0]", "2")
        assert shown.widget("randomisation.mass:when").text == "2 to 10 s"
        await driver.screenshot(pictures / "randomisation_added.png")
        assert flaws(shown.window) == []
        await shown.press("randomisation.mass.enabled")
        assert value("randomisation.mass.enabled") is False
        await shown.press("randomisation.mass:remove")
        assert not shown.there("randomisation.mass:range") and "mass" not in shown.bench.draft.task.randomisation
        await shown.press("task.undo")
        assert shown.widget("randomisation.mass:range").text == "0.9 to 1.3"

    driver.run(use())


def test_the_fields_follow_the_distribution(driver, pictures, show):
    async def use() -> None:
        shown = show()
        shown.bench.edit("randomisation.friction", {})
        await driver.frames(4)
        await shown.press("task.randomisation", "randomisation.friction:open")
        assert not shown.there("randomisation.friction.deviations")
        await shown.pick("randomisation.friction.distribution", "normal")
        await shown.type("randomisation.friction.deviations", "3")
        assert shown.bench.draft.value("randomisation.friction.deviations") == 3.0
        await driver.screenshot(pictures / "randomisation_normal.png")
        await shown.pick("randomisation.friction.distribution", "choice")
        assert shown.bench.draft.value("randomisation.friction.choices") == [0.5, 1.0, 1.5]
        assert not shown.widget("randomisation.friction.params.scale[0]").enabled
        assert "choices" in shown.widget("randomisation.friction.params.scale[0]").tooltip
        await shown.type("randomisation.friction.choices", "0.2, 0.4, 1, 1")
        assert shown.bench.draft.value("randomisation.friction.params.scale") == [0.2, 1.0]
        assert shown.widget("randomisation.friction.params.scale[0]").model.as_string == "0.2"
        assert shown.widget("randomisation.friction:range").text == "4 values"
        await driver.screenshot(pictures / "randomisation_choice.png")
        assert flaws(shown.window) == []
        await shown.pick("randomisation.friction.distribution", "log_uniform")
        assert shown.widget("randomisation.friction.params.scale[0]").enabled
        await driver.screenshot(pictures / "randomisation_log.png")

    driver.run(use())


def test_a_preset_is_added_by_a_click_and_taken_back_by_undo(driver, pictures, show):
    async def use() -> None:
        shown = show("humanoid_walk")
        before = shown.bench.draft.task
        await driver.frames(4)
        await shown.press("task.randomisation", "randomisation:presets")
        await driver.screenshot(pictures / "randomisation_presets.png")
        assert flaws(shown.window) == []
        await shown.press("randomisation:preset:common")
        task = shown.bench.draft.task
        assert {"mass", "friction", "gravity", "action_delay"} <= set(task.randomisation)
        assert task.observations["policy"]["joint_pos"].noise > 0
        assert shown.bench.message.text == "Added from 'common': 6 quantities to vary, noise on 7 observations"
        await driver.screenshot(pictures / "randomisation_preset.png")
        assert flaws(shown.window) == []
        await shown.press("randomisation:presets")
        assert not shown.widget("randomisation:preset:common").enabled
        await shown.press("task.undo", "task.undo")
        assert shown.bench.draft.task == before and not shown.there("randomisation.mass:range")

    driver.run(use())


def test_everything_fits_at_twice_the_scale(driver, pictures, show):
    async def use() -> None:
        theme.set_scale(2.0)
        shown = show("humanoid_walk", size=(880, 710))
        await driver.frames(4)
        await shown.press("task.randomisation", "randomisation.initial_root:open")
        await driver.screenshot(pictures / "randomisation_2.png")
        assert flaws(shown.window) == []

    driver.run(use())


def test_observations_offer_noise_bias_delay_and_history(driver, show):
    async def use() -> None:
        shown = show()
        await driver.frames(4)
        await shown.press("task.observations.policy", "observations.policy.joint_pos:edit")
        for field in ("noise", "noise_distribution", "bias", "delay_s[1]", "history"):
            assert shown.there(f"observations.policy.joint_pos.{field}"), field
        await shown.type("observations.policy.joint_pos.history", "3")
        assert shown.bench.draft.value("observations.policy.joint_pos.history") == 3

    driver.run(use())


def test_a_run_shows_what_its_environments_have_and_who_fails(driver, pictures, show):
    async def use() -> None:
        shown = show()
        bench = shown.bench
        bench.edit("run.num_envs", 128)
        bench.edit("run.env_steps", 4_000_000)
        for name, entry in {
            "mass": {"params": {"scale": [0.5, 2.0]}, "distribution": "log_uniform"},
            "motor_strength": {"params": {"scale": [0.02, 1.0]}, "distribution": "normal"},
            "gravity": {"params": {"magnitude": [5.0, 20.0]}},
            "joint_damping": {},
        }.items():
            bench.edit(f"randomisation.{name}", entry)
        await driver.frames(4)
        await shown.press("task.randomisation", "randomisation.motor_strength:open")
        assert "run at work" in shown.widget("randomisation:batching").text
        bench.start()
        await driver.until(lambda: bench.session is not None, 120.0)
        failures = shown.table.model.failures
        if worth_looking_at := "HUMANOID_RL_SCREENSHOTS" in os.environ:
            shown.work_until(lambda: bench.session.env_steps > 300_000)
            shown.table.model.clear_failures()
        shown.work_until(lambda: failures().episodes > (1000 if worth_looking_at else 150))
        await driver.until(lambda: shown.there("randomisation.failures:mass"))
        caption = shown.widget("randomisation.motor_strength:caption").text
        assert caption.startswith("Bars: the 128 environments now: 0.")
        assert "Episodes" in shown.widget("randomisation.failures:caption").text
        assert "ovphysx" in shown.widget("randomisation:batching").text
        await shown.see("randomisation.motor_strength:caption")
        await driver.frames(4)
        await driver.screenshot(pictures / "randomisation_training.png")
        assert flaws(shown.window) == []
        await shown.press("randomisation.motor_strength:open")
        await shown.see("randomisation.failures:mass")
        await driver.frames(4)
        await driver.screenshot(pictures / "randomisation_failures.png")
        assert flaws(shown.window) == []
        await shown.press("randomisation.failures:clear")
        assert failures().episodes == 0
        bench.edit("randomisation.friction", {})
        await driver.frames(6)
        assert shown.widget("randomisation.friction:when").text == "next run"
        assert shown.widget("randomisation.mass:when").text == "per episode"
        bench.edit("randomisation.mass.params.scale", [0.9, 1.1])
        await driver.frames(6)
        assert shown.widget("randomisation.mass:when").text == "per episode"
        bench.edit("randomisation.mass.mode", "start")
        await driver.frames(6)
        assert shown.widget("randomisation.mass:when").text == "next run"

    driver.run(use())
