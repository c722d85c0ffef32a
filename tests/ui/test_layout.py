"""The judge of layouts sees what is wrong and lets be what is right."""

from __future__ import annotations

from omni import ui


def test_a_text_that_is_too_long_is_found_and_a_fitting_one_is_not(driver):
    from layout import flaws

    async def look() -> None:
        window = ui.Window("layout", width=220, height=200, position_x=20, position_y=20)
        with window.frame, ui.VStack(height=0):
            ui.Label("fits", height=20)
        await driver.frames(4)
        assert flaws(window) == []
        window.frame.clear()
        with window.frame, ui.HStack(height=0):
            ui.Label("This text is much longer than the window is wide, so its end cannot be read", height=20)
            ui.Button("Start")
        await driver.frames(4)
        assert any("sticks out" in flaw for flaw in flaws(window))
        window.visible = False

    driver.run(look())


def test_widgets_on_top_of_each_other_are_found_unless_they_are_stacked_on_purpose(driver):
    from layout import flaws

    async def look() -> None:
        window = ui.Window("layout 2", width=220, height=200, position_x=300, position_y=20)
        with window.frame, ui.ZStack():
            ui.Label("under", height=20)
            ui.Label("over", height=20)
        await driver.frames(4)
        assert flaws(window) == []
        window.frame.clear()
        with window.frame, ui.VStack(), ui.HStack():
            ui.Label("first", width=100, height=20)
            with ui.Placer(offset_x=-60):
                ui.Label("second", width=100, height=20)
        await driver.frames(4)
        assert any("lies over" in flaw for flaw in flaws(window)), flaws(window)
        window.visible = False

    driver.run(look())
