"""The file dialog, clicked and typed into."""

from __future__ import annotations

from pathlib import Path

from layout import flaws
from omni import ui
from omni.ui import _ui


async def double_click(driver, widget) -> None:
    _ui._inject_mouse_move(
        widget.screen_position_x + widget.computed_width / 2, widget.screen_position_y + widget.computed_height / 2
    )
    await driver.frames(2)
    for down in (True, False, True, False):
        _ui._inject_mouse_button(0, down)
        await driver.frames(1)
    await driver.frames(3)


def robots(folder: Path) -> Path:
    (folder / "robots" / "arms").mkdir(parents=True)
    for name in ("walker.usd", "biped_with_a_rather_long_name.usda", "g1.xml", "notes.txt", "task.yaml"):
        (folder / "robots" / name).write_text("x" * 4321)
    return folder


def test_a_file_is_found_with_the_mouse(driver, pictures, tmp_path):
    from humanoid_rl_ext.ui.file_dialog import FileDialog

    async def use() -> None:
        chosen: list[Path] = []
        dialog = FileDialog()
        dialog.open("Choose a robot", (".usd", ".usda", ".xml"), chosen.append, robots(tmp_path))
        await driver.frames(5)
        await double_click(driver, driver.find(dialog.window, ui.Button, id="files.row.robots"))
        assert dialog.listing.folder == tmp_path / "robots"
        await driver.click(driver.find(dialog.window, ui.Button, id="files.row.g1.xml"))
        assert driver.find(dialog.window, ui.StringField, id="files.name").model.as_string == "g1.xml"
        await driver.screenshot(pictures / "file_dialog_open.png")
        assert flaws(dialog.window) == []
        await driver.click(driver.find(dialog.window, ui.Button, id="files.accept"))
        assert chosen == [tmp_path / "robots" / "g1.xml"] and not dialog.visible

        dialog.open("Choose a robot", (".usd",), chosen.append, tmp_path / "robots")
        await driver.frames(5)
        await double_click(driver, driver.find(dialog.window, ui.Button, id="files.row.walker.usd"))
        assert chosen[-1] == tmp_path / "robots" / "walker.usd" and not dialog.visible
        dialog.window.destroy()

    driver.run(use())


def test_a_file_is_found_with_the_keyboard_alone(driver, pictures, tmp_path):
    from humanoid_rl_ext.ui.file_dialog import FileDialog

    async def use() -> None:
        chosen: list[Path] = []
        dialog = FileDialog()
        dialog.open("Choose a robot", (".usd", ".usda"), chosen.append, robots(tmp_path))
        await driver.frames(5)
        _ui._inject_text_input("robots/nothing.usd")
        await driver.frames(2)
        await driver.press("Enter")
        await driver.frames(2)
        await driver.screenshot(pictures / "file_dialog_error.png")
        assert flaws(dialog.window) == []
        assert "no such file" in driver.find(dialog.window, ui.Label, id="files.error").text and dialog.visible
        folder = driver.find(dialog.window, ui.StringField, id="files.folder")
        await driver.type_into(folder, str(tmp_path / "robots"))
        assert dialog.listing.folder == tmp_path / "robots" and dialog.visible and chosen == []
        await driver.type_into(driver.find(dialog.window, ui.StringField, id="files.name"), "biped")
        assert chosen == [tmp_path / "robots" / "biped_with_a_rather_long_name.usda"]
        dialog.open("Choose a robot", (".usd",), chosen.append, tmp_path)
        await driver.frames(4)
        await driver.press("Escape")
        assert not dialog.visible and len(chosen) == 1
        dialog.window.destroy()

    driver.run(use())


def test_a_file_is_replaced_only_after_asking(driver, pictures, tmp_path):
    from humanoid_rl_ext.ui import theme
    from humanoid_rl_ext.ui.file_dialog import FileDialog

    async def use() -> None:
        chosen: list[Path] = []
        dialog = FileDialog()
        theme.set_scale(1.5)
        dialog.save("Save the task as", "task.yaml", chosen.append, robots(tmp_path) / "robots")
        await driver.frames(5)
        await driver.press("Enter")
        await driver.press("Enter")
        await driver.frames(2)
        assert chosen == [] and dialog.visible
        await driver.screenshot(pictures / "file_dialog_replace.png")
        assert flaws(dialog.window) == []
        await driver.click(driver.find(dialog.window, ui.Button, text="Replace"))
        assert chosen == [tmp_path / "robots" / "task.yaml"] and not dialog.visible
        dialog.window.destroy()

    try:
        driver.run(use())
    finally:
        theme.set_scale(1.0)
