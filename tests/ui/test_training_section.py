"""The run bar and the Training section in a window, on a real run of the cart-pole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from omni import ui
from quiet import QuietHost

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.learn import LEARNERS
from humanoid_rl_ext.train.warning_signs import SIGNS
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.training.bar import HEIGHT, RunBar
from humanoid_rl_ext.ui.training.view import TrainingSection
from humanoid_rl_ext.ui.workbench import Workbench

FIXED = ui.WINDOW_FLAGS_NO_MOVE | ui.WINDOW_FLAGS_NO_RESIZE | ui.WINDOW_FLAGS_NO_TITLE_BAR


class Shown:
    """The bar above the section, as in the panel, with a user in front of them; work goes on between frames."""

    def __init__(self, driver, size: tuple[int, int]) -> None:
        self.driver = driver
        draft = Draft.load("cartpole_balance")
        draft.edit("run.num_envs", 8)
        self.bench = Workbench(QuietHost(), draft)
        self.bar, self.section = RunBar(self.bench), TrainingSection(self.bench)
        self.window = ui.Window(
            f"training {id(self)}", width=size[0], height=size[1], position_x=4, position_y=4, flags=FIXED
        )
        self.window.frame.style = theme.style()
        with self.window.frame, ui.VStack(spacing=px(theme.SPACING)):
            self.bar.build()
            with (
                ui.ScrollingFrame(
                    horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF,
                    vertical_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_AS_NEEDED,
                ),
                ui.VStack(height=0),
            ):
                self.section.build()
        self.now = 0.0
        driver.each_frame = self._frame

    def _frame(self) -> None:
        self.now += 0.1
        self.bench.pump(0.005)
        if self.bench.state == "starting":
            time.sleep(0.03)  # drawing as fast as it goes would hold the start up
        self.bar.update(self.now)
        self.section.update(self.now)

    def widget(self, id: str):
        return self.driver.find(self.window, id=id)

    def there(self, id: str) -> bool:
        return bool(self.driver.find_all(self.window, id=id))

    def close(self) -> None:
        self.bar.destroy()
        self.section.destroy()
        self.window.visible = False
        self.bench.close()


@pytest.fixture
def show(driver, tmp_path, monkeypatch) -> Iterator[Callable[..., Shown]]:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    opened: list[Shown] = []

    def open_it(size: tuple[int, int] = (440, 690)) -> Shown:
        opened.append(Shown(driver, size))
        return opened[-1]

    yield open_it
    for shown in opened:
        shown.close()
    theme.set_scale(1.0)


def test_a_run_is_started_paused_saved_and_stopped_with_the_buttons(driver, pictures, show):
    from layout import flaws

    async def use() -> None:
        shown = show()
        bench = shown.bench
        await driver.frames(6)
        await driver.screenshot(pictures / "training_idle.png")
        assert flaws(shown.window) == []
        assert not shown.widget("bar.pause").enabled and shown.widget("bar.line").text.startswith("Next: cartpole")
        await driver.click(shown.widget("bar.start"))
        await driver.frames(2)
        assert shown.widget("bar.start").text.startswith("Starting...") and not shown.widget("bar.start").enabled
        await driver.screenshot(pictures / "training_starting.png")
        await driver.until(lambda: len(bench.history) >= 3, 120.0)
        await driver.frames(4)
        await driver.screenshot(pictures / "training_running.png")
        assert flaws(shown.window) == []
        assert shown.widget("bar.done").text.endswith(f"iteration {bench.session.iteration}")
        await driver.click(shown.widget("bar.pause"))
        assert bench.state == "paused" and shown.widget("bar.pause").text == "Resume"
        await driver.click(shown.widget("bar.pause"))
        await driver.click(shown.widget("bar.save"))
        await driver.until(lambda: bench.message.text.startswith("Saved"))
        await driver.frames(4)
        assert shown.widget("bar.message").tooltip == bench.message.text
        bench.session.on_warning[0](SIGNS[0].said)
        await driver.frames(4)
        await driver.screenshot(pictures / "training_warning.png")
        assert flaws(shown.window) == []
        assert shown.there("bar.done") and shown.widget("bar.message").text.startswith("The policy is stuck")
        await driver.click(shown.widget("bar.stop"))
        await driver.until(lambda: bench.state == "idle")
        await driver.frames(4)
        assert shown.widget("bar.start").enabled and not shown.there("bar.done")

    driver.run(use())


def test_an_engine_that_fails_is_told_in_red_and_training_can_start_again(driver, pictures, show):
    from layout import flaws

    async def use() -> None:
        shown = show()
        bench = shown.bench
        bench.start()
        await driver.until(lambda: len(bench.history) >= 1, 120.0)

        def fail(substeps: int) -> None:
            raise EngineError(
                "PhysX failed to step: the solver ran out of memory for the contact pairs of 65,536 environments on "
                "cuda:0; use fewer environments, or raise sim.physx.max_contact_pairs in the task's YAML file and "
                "start the run again from its last checkpoint in /home/someone/humanoid_rl/runs/humanoid_walk"
            )

        bench.session.env.engine.step = fail
        await driver.until(lambda: bench.state == "idle")
        await driver.frames(6)
        await driver.screenshot(pictures / "training_error.png")
        assert flaws(shown.window) == []
        problem = shown.widget("bar.problem")
        assert problem.text.startswith("PhysX failed") and problem.tooltip == bench.message.text
        assert problem.screen_position_y + problem.computed_height <= 4 + HEIGHT + 8
        assert shown.widget("bar.start").enabled
        await driver.click(shown.widget("bar.dismiss"))
        await driver.frames(4)
        assert not shown.there("bar.problem") and bench.message.text == ""

    driver.run(use())


def test_settings_are_typed_refused_and_put_back(driver, show):
    async def use() -> None:
        shown = show()
        await driver.frames(6)
        await driver.type_into(shown.widget("run.num_envs"), "16")
        assert shown.bench.draft.config.run.num_envs == 16
        assert "16 environments" in shown.widget("bar.line").text
        await driver.type_into(shown.widget("run.num_envs"), "none")
        assert shown.bench.draft.config.run.num_envs == 16 and shown.widget("run.num_envs:reason").text
        await driver.type_into(shown.widget("run.num_envs"), "32")
        assert "of 1,024 steps" in shown.widget("training.summary").text
        await driver.click(shown.widget("training.reset"))
        await driver.frames(3)
        assert shown.widget("run.num_envs").model.as_string == "64" and not shown.widget("training.reset").enabled

    driver.run(use())


def test_while_training_live_settings_act_and_others_wait(driver, pictures, show):
    async def use() -> None:
        shown = show()
        bench = shown.bench
        bench.start()
        await driver.until(lambda: bench.state == "training", 120.0)
        await driver.frames(6)
        field = shown.widget("learner.entropy_coef")
        field.scroll_here_y(0.5)
        await driver.frames(3)
        await driver.type_into(field, "0.02")
        assert bench.session.settings.entropy_coef == 0.02 and bench.marks[-1].change.new == 0.02
        bench.edit("run.num_envs", 16)
        assert bench.session.config.run.num_envs == 8
        await driver.frames(3)
        await driver.screenshot(pictures / "training_live.png")

    driver.run(use())


def test_at_twice_the_scale_nothing_is_cut(driver, pictures, show):
    from layout import flaws

    async def look() -> None:
        theme.set_scale(2.0)
        shown = show(size=(880, 710))
        shown.bench.start()
        await driver.until(lambda: len(shown.bench.history) >= 2, 120.0)
        await driver.frames(6)
        await driver.screenshot(pictures / "training_2.png")
        assert flaws(shown.window) == []

    driver.run(look())


def test_the_list_of_algorithms_follows_the_task(driver, pictures, show, monkeypatch):
    from layout import flaws

    for name in [name for name in LEARNERS if name != "ppo"]:
        monkeypatch.delitem(LEARNERS, name)
    for name, kind in (("numbers", "box"), ("choices", "discrete")):
        monkeypatch.setitem(LEARNERS, name, replace(LEARNERS["ppo"], name=name, action_kinds=(kind,)))

    def offered(shown: Shown) -> list[str]:
        model = shown.widget("training.algorithm").model
        return [model.get_item_value_model(item).as_string for item in model.get_item_children()]

    async def use() -> None:
        shown = show()
        await driver.frames(6)
        assert offered(shown) == ["ppo", "numbers"]
        assert "choices learns discrete actions" in shown.widget("training.algorithm").tooltip
        shown.bench.edit("control.bins", [-1.0, 0.0, 1.0])
        await driver.frames(6)
        assert offered(shown) == ["ppo", "choices"]
        assert "numbers learns continuous actions" in shown.widget("training.algorithm").tooltip
        await driver.screenshot(pictures / "training_discrete.png")
        assert flaws(shown.window) == []

    driver.run(use())
