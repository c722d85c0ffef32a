"""The Policy section under a real mouse, on a real run: play, drive, push, evaluate, follow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_runs_section_model import RecordingHost

from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.workbench import Workbench

W, SPACE = 87, 32


@pytest.fixture(scope="session")
def walked(tmp_path_factory) -> Path:
    """A run of the walking humanoid that is much too short to walk, with two checkpoints."""
    from humanoid_rl_ext.train.start import open_session, plan_run

    path = tmp_path_factory.mktemp("home") / "runs" / "humanoid_walk" / "2026-01-01_10-00-00"
    plan = plan_run(
        "humanoid_walk",
        ["episode_length_s=0.6", "learner.num_steps=8", "run.save_interval=1"],
        run=path,
        num_envs=4,
        env_steps=96,
    )
    session = open_session(plan)
    session.run()
    session.close()
    return path


@pytest.fixture
def workbench(walked, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(walked.parents[2]))
    draft = Draft.load(walked / "task.yaml")
    for path, value in {"run.num_envs": 4, "learner.num_steps": 8, "run.save_interval": 2}.items():
        draft.edit(path, value)
    workbench = Workbench(RecordingHost(), draft)
    yield workbench
    workbench.close()


def open_window(section, name: str):
    from omni import ui

    window = ui.Window(name, width=theme.px(440), height=715, position_x=0, position_y=0)
    window.frame.style = theme.style()
    with window.frame:
        scroll = ui.ScrollingFrame(horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF)
        with scroll, ui.VStack(height=0):
            section.build()
    return window, scroll


async def scroll_down(driver, scroll) -> None:
    for _ in range(10):
        await driver.scroll(scroll, -10)


def test_a_checkpoint_is_played_driven_pushed_and_evaluated(driver, pictures, workbench, walked):
    from layout import flaws

    from humanoid_rl_ext.ui.policy.view import PolicySection

    section = PolicySection(workbench)
    model = section.model

    def each_frame() -> None:
        workbench.pump(0.004)
        section.update(time.perf_counter())

    async def use() -> None:
        window, scroll = open_window(section, "policy")
        driver.each_frame = each_frame
        await driver.until(lambda: len(model.checkpoints) == 3)
        await driver.frames(3)
        await driver.click(driver.find(window, id="policy.play.64"))
        await driver.until(lambda: workbench.state == "playing")
        await driver.until(lambda: model.control.bars.names)
        await driver.frames(3)
        assert driver.find(window, id="policy.status").text == "Playing step 64 of humanoid_walk"
        assert driver.find(window, id="policy.play.64").name == "on"
        assert driver.find(window, id="policy.terms.alive").text == "0.500"
        assert driver.find(window, id="policy.play.96").name == ""

        slider = driver.find(window, id="policy.drive.lin_vel_y")
        y = slider.screen_position_y + slider.computed_height / 2
        x = slider.screen_position_x + slider.computed_width / 2
        await driver.drag((x, y), (x + 0.4 * slider.computed_width, y))
        assert workbench.player.watch.drives["velocity"][1] == pytest.approx(0.4, abs=0.02)
        assert driver.find(window, id="policy.drive.state").text == "You drive"
        assert section.on_key(W, 0, True)
        await driver.until(lambda: workbench.player.watch.drives["velocity"][0] == 1.5)
        await driver.frames(2)
        assert driver.find(window, id="policy.drive.lin_vel_x").model.as_float == 1.5
        assert section.on_key(SPACE, 0, True)
        await driver.frames(2)
        assert workbench.player.watch.drives["velocity"] == (0.0, 0.0, 0.0)

        velocity = workbench.player.env.engine.state.root_velocity
        before = float(velocity[0, :2].norm())
        driver.each_frame = lambda: section.update(time.perf_counter())  # time stands still
        await driver.click(driver.find(window, id="policy.push.left"))
        assert abs(float(velocity[0, :2].norm()) - before) > 0.1 or before > 0.5
        driver.each_frame = each_frame
        await driver.click(driver.find(window, id="policy.drive.release"))
        assert workbench.player.watch.drives == {}
        assert driver.find(window, id="policy.drive.state").text == "The task commands"
        await driver.screenshot(pictures / "policy_playing.png")
        assert not flaws(window)

        await scroll_down(driver, scroll)
        await driver.type_into(driver.find(window, id="policy.evaluate.episodes"), "none")
        assert model.episodes == 10 and driver.find(window, id="policy.evaluate.episodes").name == "invalid"
        await driver.type_into(driver.find(window, id="policy.evaluate.episodes"), "2")
        await driver.click(driver.find(window, id="policy.evaluate"))
        assert model.watch.progress == (0, 2) and driver.find(window, id="policy.evaluate.progress").visible
        await driver.until(lambda: len(model.table.rows) == 1)
        workbench.play(walked / "checkpoints" / "step_96")
        await driver.until(lambda: workbench.state == "playing")
        model.evaluate()
        model.cancel_evaluation()
        model.evaluate()
        await driver.until(lambda: len(model.table.rows) == 2)
        assert [row.subject.env_steps for row in model.table.rows] == [64, 96]
        assert all(row.result.mean_episode_length <= 30 for row in model.table.rows)
        await driver.frames(3)
        await scroll_down(driver, scroll)
        await driver.screenshot(pictures / "policy_results.png")
        await driver.click(driver.find(window, id="policy.results.clear"))
        assert model.table.rows == []
        model.stop_playing()
        await driver.frames(3)
        assert workbench.state == "idle" and driver.find(window, id="policy.status").text == "Nothing is played"
        assert driver.find(window, id="policy.terms.total").text == "Nothing is played"
        window.destroy()

    driver.run(use())
    section.destroy()


def test_the_policy_being_learned_is_followed_again_after_a_checkpoint(
    driver, pictures, workbench, walked, monkeypatch
):
    from humanoid_rl_ext.ui.policy.view import PolicySection

    monkeypatch.setattr(theme, "_scale", 2.0)
    section = PolicySection(workbench)
    model = section.model

    def each_frame() -> None:
        workbench.pump(0.004)
        section.update(time.perf_counter())

    async def use() -> None:
        window, scroll = open_window(section, "policy while training")
        driver.each_frame = each_frame
        workbench.start()
        await driver.until(
            lambda: model.checkpoints and model.checkpoints[0].path.is_relative_to(workbench.run_path or "/x")
        )
        await driver.until(lambda: model.control.bars.names)
        assert model.follows and model.status == "Following the policy being learned"
        first = model.checkpoints[-1]
        model.play(first.path)
        await driver.frames(3)
        assert driver.find(window, id=f"policy.play.{first.env_steps}").name == "on"
        assert workbench.state == "training" and workbench.session.watched.source == first.path
        assert driver.find(window, id="policy.status").text.startswith(f"Playing step {first.env_steps}")
        await driver.screenshot(pictures / "policy_training_2.png")
        await driver.click(driver.find(window, id="policy.follow"))
        assert model.follows and workbench.session.watched.source is None
        scroll.scroll_y = 600
        await driver.frames(3)
        await driver.screenshot(pictures / "policy_training_2_below.png")
        window.destroy()

    driver.run(use())
    section.destroy()


def test_a_policy_is_exported_and_its_file_is_played(driver, pictures, workbench, walked):
    from layout import flaws

    from humanoid_rl_ext.ui.policy.view import PolicySection

    class Access:
        """A stage whose robot is selected."""

        def stage(self):
            from pxr import Usd

            stage = Usd.Stage.CreateInMemory()
            stage.DefinePrim("/World/mine").GetReferences().AddReference(str(bundled_path("walker")))
            self.kept = stage
            return stage

        def selection(self):
            return ["/World/mine/trunk"]

        def asset_root(self):
            raise AssertionError("nobody asks for assets here")

    workbench.host.stage_access = Access()
    section = PolicySection(workbench)
    model = section.model

    def each_frame() -> None:
        workbench.pump(0.004)
        section.update(time.perf_counter())

    async def use() -> None:
        window, _ = open_window(section, "policy on a stage")
        driver.each_frame = each_frame
        section.show_run(walked)
        await driver.until(lambda: len(model.checkpoints) == 3)
        await driver.frames(3)
        await driver.click(driver.find(window, id="policy.use_selection"))
        assert model.on == "/World/mine"
        await driver.frames(2)
        assert driver.find(window, id="policy.on").model.as_string == "/World/mine"
        await driver.click(driver.find(window, id="policy.export"))
        await driver.until(lambda: "Exported" in workbench.message.text)
        folder = walked / "exports" / "step_96"
        assert (folder / "policy.pt").is_file() and (folder / "env.yaml").is_file()

        await driver.type_into(driver.find(window, id="policy.on"), "")
        assert model.on == ""
        workbench.host.file = folder / "policy.pt"
        await driver.click(driver.find(window, id="policy.open"))
        await driver.until(lambda: workbench.state == "playing")
        await driver.frames(3)
        assert driver.find(window, id="policy.status").text == "Playing the policy step_96"
        assert not driver.find(window, id="policy.play.96").name
        model.episodes = 1
        model.evaluate()
        await driver.until(lambda: model.table.rows)
        assert model.table.rows[0].subject.label == "step_96"
        await driver.frames(3)
        await driver.screenshot(pictures / "policy_on_a_stage.png")
        assert flaws(window) == []
        window.destroy()

    driver.run(use())
    section.destroy()
