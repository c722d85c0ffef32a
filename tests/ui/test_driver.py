"""The tests' own user can click, type and see."""

from __future__ import annotations

from omni import ui


def test_a_click_a_typed_text_and_a_picture(driver, pictures):
    from humanoid_rl_ext.ui import theme

    async def use() -> None:
        clicked, window = [], ui.Window("driver", width=300, height=200, position_x=20, position_y=20)
        window.frame.style = theme.style()
        with window.frame, ui.VStack(spacing=4):
            ui.Button("Press", clicked_fn=lambda: clicked.append(1), height=24)
            field = ui.StringField(height=24)
            big = ui.Label("Scaled", style={"font_size": 40})
            ui.Label("small letters", name="small")
        await driver.frames(4)
        await driver.click(driver.find(window, ui.Button, text="Press"))
        await driver.type_into(field, "12.5")
        picture = await driver.screenshot(pictures / "driver.png")
        assert clicked == [1] and field.model.as_string == "12.5" and big.computed_height > 0
        assert picture.stat().st_size > 1000
        window.destroy()

    driver.run(use())
