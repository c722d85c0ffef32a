"""The Robot section in a window, used with mouse and keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from layout import flaws
from omni import ui
from test_robot_section_model import Access, Host, Viewport, joint, silent_copy

from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.workbench import Workbench


@pytest.fixture
def workbench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path / "home"))
    workbench = Workbench(Host(), Draft.load("humanoid_stand"))
    yield workbench
    workbench.close()


class Shown:
    """The section in a window of the panel's size, brought up to date before every frame."""

    def __init__(self, driver, workbench: Workbench, scale: float = 1.0) -> None:
        from humanoid_rl_ext.ui import theme
        from humanoid_rl_ext.ui.robot.view import RobotSection

        theme.set_scale(scale)
        self.driver, self.workbench = driver, workbench
        self.viewport = Viewport()
        self.section = RobotSection(workbench, self.viewport)
        self.model = self.section.model
        self.window = ui.Window("robot", width=440 * scale, height=min(700, 650 * scale), position_x=10, position_y=10)
        self.window.frame.style = theme.style()
        with self.window.frame, ui.ScrollingFrame(horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF):
            self.section.build()
        driver.each_frame = self._tick

    def _tick(self) -> None:
        self.workbench.background.poll()
        self.section.update(time.perf_counter())

    async def ready(self) -> None:
        await self.driver.until(lambda: not self.workbench.background.busy)
        await self.driver.frames(4)

    def find(self, id: str):
        return self.driver.find(self.window, id=id)

    def close(self) -> None:
        from humanoid_rl_ext.ui import theme

        self.driver.each_frame = lambda: None
        self.section.destroy()
        self.window.destroy()
        theme.set_scale(1.0)


@pytest.fixture
def show(driver, workbench) -> Iterator[Callable[..., Shown]]:
    """Opens the section; it is closed after the test."""
    opened: list[Shown] = []

    def open_it(scale: float = 1.0) -> Shown:
        opened.append(Shown(driver, workbench, scale))
        return opened[-1]

    yield open_it
    for shown in opened:
        shown.close()


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("robot", ["humanoid", "walker", "cartpole"])
def test_every_table_is_drawn_well(driver, pictures, show, robot, scale):
    async def use() -> None:
        shown = show(scale)
        await shown.ready()
        shown.model.choose(robot)
        await shown.ready()
        for group in ("Limits", "Drive", "Friction", "Pose"):
            await driver.click(shown.find(f"robot.group.{group}"))
            await driver.frames(4)
            await driver.screenshot(pictures / f"robot_{robot}_{group}_{scale:g}.png")
            assert flaws(shown.window) == []
        await driver.click(shown.find("robot.tab.Bodies"))
        await driver.frames(4)
        await driver.screenshot(pictures / f"robot_{robot}_Bodies_{scale:g}.png")
        assert flaws(shown.window) == []

    driver.run(use())


def test_numbers_are_typed_into_the_table_refused_and_put_back(driver, pictures, show, workbench):
    async def use() -> None:
        shown = show()
        await shown.ready()
        await driver.click(shown.find("robot.group.Drive"))
        await driver.frames(4)
        field = shown.find("robot.joints.left_hip_yaw.stiffness")
        assert "N m/rad" in field.tooltip
        await driver.type_into(field, "95")
        await shown.ready()
        assert workbench.draft.task.robot.joints["left_hip_yaw"].stiffness == 95.0
        assert shown.find("robot.joints.left_hip_yaw:reset").visible
        wrong = shown.find("robot.joints.abdomen_roll.damping")
        await driver.type_into(wrong, "-3")
        await driver.frames(3)
        await driver.screenshot(pictures / "robot_refused.png")
        assert wrong.name == "invalid" and driver.find(
            shown.window, ui.Label, text="abdomen_roll: damping cannot be negative"
        )
        assert joint(shown.model, "abdomen_roll").damping == pytest.approx(6.0) and flaws(shown.window) == []
        await driver.type_into(wrong, "6")
        assert wrong.name == "" and not driver.find_all(
            shown.window, ui.Label, text="abdomen_roll: damping cannot be negative"
        )
        await driver.click(shown.find("robot.joints.left_hip_yaw:reset"))
        await shown.ready()
        assert field.model.as_string == "80" and workbench.draft.task.robot.joints == {}

    driver.run(use())


def test_one_value_is_typed_for_all_joints_that_a_word_finds(driver, pictures, show, workbench):
    async def use() -> None:
        shown = show()
        await shown.ready()
        await driver.click(shown.find("robot.group.Drive"))
        await driver.frames(3)
        await driver.type_into(shown.find("robot.joints.filter"), "knee")
        await driver.frames(3)
        assert [row.joint.name for row in shown.section._table._rows] == ["left_knee", "right_knee"]
        await driver.type_into(shown.find("robot.joints.*.stiffness"), "80")
        await shown.ready()
        await driver.screenshot(pictures / "robot_knees.png")
        assert shown.find("robot.joints.right_knee.stiffness").model.as_string == "80"
        assert workbench.draft.task.robot.joints[".*knee.*"].stiffness == 80.0
        await driver.type_into(shown.find("robot.joints.filter"), "wing")
        await driver.frames(2)
        assert driver.find(shown.window, ui.Label, text="no joint has 'wing' in its name")
        await driver.type_into(shown.find("robot.joints.filter"), "")
        await driver.frames(3)
        assert len(shown.section._table._rows) == 21

    driver.run(use())


def test_a_slider_poses_the_robot_and_the_pose_is_kept(driver, pictures, show, workbench):
    async def use() -> None:
        shown = show()
        await shown.ready()
        await driver.click(shown.find("robot.group.Pose"))
        await driver.frames(4)
        adopt = shown.find("robot.preview.adopt")
        assert not adopt.enabled
        slider = shown.find("robot.preview.abdomen_roll")
        y = slider.screen_position_y + slider.computed_height / 2
        left, width = slider.screen_position_x, slider.computed_width
        await driver.drag((left + width / 2, y), (left + 0.9 * width, y))
        await driver.frames(2)
        value = shown.viewport.preview_joints["abdomen_roll"]
        assert 0.35 < value < 0.45 and adopt.enabled
        await driver.screenshot(pictures / "robot_posed.png")
        await driver.click(adopt)
        await shown.ready()
        assert joint(shown.model, "abdomen_roll").default == pytest.approx(value, abs=1e-3)
        assert shown.viewport.preview_joints == {} and not adopt.enabled
        await driver.drag((left + 0.9 * width, y), (left + 0.2 * width, y))
        await driver.click(shown.find("robot.preview.stand"))
        await driver.frames(2)
        assert shown.viewport.preview_joints == {}
        assert slider.model.as_float == pytest.approx(value, abs=1e-3)
        workbench._enter("starting")
        await driver.frames(3)
        assert not slider.enabled
        await driver.screenshot(pictures / "robot_waits.png")
        workbench._enter("idle")

    driver.run(use())


def test_robots_are_chosen_by_button_path_and_list(driver, pictures, show, workbench, tmp_path):
    async def use() -> None:
        shown = show()
        await shown.ready()
        await driver.click(shown.find("robot.bundled.walker"))
        await shown.ready()
        assert workbench.robot.name == "walker" and shown.find("robot.bundled.walker").name == "on"
        path = shown.find("robot.source")
        await driver.type_into(path, str(tmp_path / "gone.usda"))
        await shown.ready()
        await driver.screenshot(pictures / "robot_missing.png")
        assert "no such file" in shown.find("robot.error").text and path.name == "invalid"
        assert not driver.find_all(shown.window, id="robot.undo")
        assert workbench.robot.name == "walker" and flaws(shown.window) == []
        mine = silent_copy(tmp_path, "humanoid")
        await driver.type_into(path, str(mine))
        await shown.ready()
        assert workbench.draft.task.robot.source == str(mine) and path.name == ""
        workbench.host.file = silent_copy(tmp_path, "cartpole")
        await driver.click(shown.find("robot.browse"))
        await shown.ready()
        assert workbench.robot.name == "my_cartpole" and path.model.as_string == str(workbench.host.file)
        await driver.click(shown.find("robot.recent"))
        await driver.frames(4)
        await driver.screenshot(pictures / "robot_recent.png")
        assert flaws(shown.window) == []
        await driver.click(shown.find("robot.recent.my_humanoid.usda"))
        await shown.ready()
        assert workbench.robot.name == "my_humanoid"

    driver.run(use())


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_robots_of_the_stage_and_of_the_library_are_taken_by_button(driver, pictures, show, workbench, tmp_path, scale):
    async def use() -> None:
        access = workbench.host.stage_access = Access(tmp_path)
        access.add("/World/strider", "walker")
        shown = show(scale)
        await shown.ready()
        await driver.click(shown.find("robot.use_selection"))
        await shown.ready()
        await driver.screenshot(pictures / f"robot_nothing_selected_{scale:g}.png")
        assert "nothing is selected" in shown.find("robot.error").text and flaws(shown.window) == []
        access.selected = ["/World/strider/trunk"]
        await driver.click(shown.find("robot.use_selection"))
        await shown.ready()
        await driver.screenshot(pictures / f"robot_from_stage_{scale:g}.png")
        assert workbench.robot.name == "strider" and not driver.find_all(shown.window, id="robot.error")
        assert flaws(shown.window) == []
        await driver.click(shown.find("robot.library.H1"))
        await shown.ready()
        assert workbench.robot.name == "humanoid" and "Unitree" in shown.find("robot.library.H1").tooltip
        access.root = None
        await driver.click(shown.find("robot.library.ANYmal C"))
        await shown.ready()
        await driver.screenshot(pictures / f"robot_library_silent_{scale:g}.png")
        assert shown.find("robot.error").text == "the asset library does not answer" and flaws(shown.window) == []
        assert workbench.robot.name == "humanoid"

    driver.run(use())


def test_without_a_stage_the_section_offers_none(driver, show):
    async def use() -> None:
        shown = show()
        await shown.ready()
        assert not driver.find_all(shown.window, id="robot.use_selection")
        assert not driver.find_all(shown.window, ui.Label, text="Library")

    driver.run(use())


def test_a_warning_is_mended_and_roles_are_changed_by_a_press(driver, pictures, show, workbench, tmp_path):
    async def use() -> None:
        text = bundled_path("walker").read_text()
        path = tmp_path / "weak.usda"
        path.write_text("\n".join(line for line in text.splitlines() if "maxForce" not in line and "mass" not in line))
        shown = show()
        await shown.ready()
        shown.model.choose(str(path))
        await shown.ready()
        await driver.screenshot(pictures / "robot_warnings.png")
        assert flaws(shown.window) == []
        await driver.click(shown.find("robot.fix.effort_limit_missing"))
        await shown.ready()
        assert "effort_limit_missing" not in [warning.code for warning in workbench.robot.warnings]
        await driver.click(shown.find("robot.tab.Bodies"))
        await driver.frames(4)
        button = shown.find("robot.roles.front_left_hip.head")
        await driver.click(button)
        await shown.ready()
        assert workbench.robot.with_role("head") == ["front_left_hip"] and button.name == "on"
        workbench.edit("robot.roles", {"foot": ["wing"]})
        await shown.ready()
        await driver.screenshot(pictures / "robot_undo.png")
        await driver.click(shown.find("robot.undo"))
        await shown.ready()
        assert workbench.robot.with_role("head") == ["front_left_hip"]
        assert not driver.find_all(shown.window, id="robot.error")

    driver.run(use())
