"""Questions in front of everything else, answered with mouse and keys."""

from __future__ import annotations

from layout import flaws
from omni import ui

LONG = (
    "/home/someone/humanoid_rl/runs/humanoid_walk/2026-05-04_12-30-00\n\n"
    "184 MB and 12 checkpoints are gone for good. Nothing else uses them."
)


def test_a_question_is_answered_by_a_button_by_enter_or_not_at_all(driver, pictures):
    from humanoid_rl_ext.ui.dialog import Dialog

    async def use() -> None:
        done: list[str] = []
        below = ui.Window("below", width=500, height=300, position_x=0, position_y=0)
        with below.frame:
            ui.Button("Below", clicked_fn=lambda: done.append("below"))
        dialog = Dialog("question")

        async def ask() -> None:
            dialog.confirm("Delete this run of humanoid_walk?", LONG, [("Delete", lambda: done.append("gone"))])
            await driver.frames(5)

        await ask()
        await driver.screenshot(pictures / "dialog_confirm.png")
        assert flaws(dialog.window) == []
        text = driver.find(dialog.window, ui.Label, id="dialog.text")
        assert text.computed_height > 60 and dialog.window.height > 140
        middle = dialog.window.position_y + dialog.window.height / 2
        assert abs(middle - 360) < 3 and abs(dialog.window.position_x + dialog.window.width / 2 - 640) < 3
        await driver.click(driver.find(below, ui.Button, text="Below"))
        assert done == [] and dialog.visible
        await driver.press("Escape")
        assert done == [] and not dialog.visible
        await ask()
        await driver.click(driver.find(dialog.window, ui.Button, text="Cancel"))
        assert done == [] and not dialog.visible
        await ask()
        await driver.click(driver.find(dialog.window, ui.Button, text="Delete"))
        assert done == ["gone"] and not dialog.visible
        await ask()
        await driver.press("Enter")
        assert done == ["gone", "gone"] and not dialog.visible
        await driver.click(driver.find(below, ui.Button, text="Below"))
        assert done[-1] == "below"
        dialog.window.destroy()
        below.destroy()

    driver.run(use())


def test_enter_does_nothing_where_no_button_is_the_usual_one(driver):
    from humanoid_rl_ext.ui.dialog import Dialog

    async def use() -> None:
        done: list[str] = []
        dialog = Dialog("danger")
        dialog.confirm("Replace it?", "", [("Replace", lambda: done.append("replaced"), "danger")])
        await driver.frames(4)
        await driver.press("Enter")
        assert dialog.visible and done == []
        await driver.click(driver.find(dialog.window, ui.Button, text="Replace"))
        assert not dialog.visible and done == ["replaced"]
        dialog.window.destroy()

    driver.run(use())


def test_a_text_is_asked_for_and_a_wrong_one_refused_in_place(driver, pictures):
    from humanoid_rl_ext.ui.dialog import Dialog

    async def use() -> None:
        done: list[str] = []
        dialog = Dialog("text")

        def check(name: str) -> str:
            return "There is already a preset of that name" if name == "walk" else ""

        dialog.ask_text("Name of the new task", "It is saved beside the presets.", "walk", done.append, check)
        await driver.frames(5)
        await driver.press("Enter")
        await driver.frames(3)
        await driver.screenshot(pictures / "dialog_text.png")
        assert flaws(dialog.window) == []
        assert dialog.visible and done == []
        field = driver.find(dialog.window, ui.StringField)
        assert field.name == "invalid"
        await driver.type_into(field, "my_walk")
        assert done == ["my_walk"] and not dialog.visible
        dialog.window.destroy()

    driver.run(use())


def test_a_dialog_on_a_large_screen_is_as_large(driver, pictures):
    from humanoid_rl_ext.ui import theme
    from humanoid_rl_ext.ui.dialog import Dialog

    async def use() -> None:
        dialog = Dialog("large")
        theme.set_scale(2.0)
        dialog.confirm("Delete this run of humanoid_walk?", LONG, [("Delete", lambda: None)])
        await driver.frames(5)
        await driver.screenshot(pictures / "dialog_large.png")
        assert flaws(dialog.window) == []
        assert dialog.window.width >= 840
        dialog.close()
        dialog.window.destroy()

    try:
        driver.run(use())
    finally:
        theme.set_scale(1.0)
