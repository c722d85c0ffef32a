"""What a rebuilt frame showed before is let go, however its callbacks are tied to it."""

from __future__ import annotations

import gc
import weakref

from omni import ui

from humanoid_rl_ext.ui.release import release


class Row:
    """A view object as the sections have them: it holds widgets whose callbacks hold it."""

    def __init__(self) -> None:
        self.field = ui.StringField()
        self.field.model.add_end_edit_fn(lambda model: self.taken())

    def taken(self) -> None:
        self.text = self.field.model.as_string


def test_released_rows_of_a_rebuilt_frame_are_gone(driver):
    async def rebuild() -> None:
        rows: list[Row] = []
        seen: list[weakref.ref[Row]] = []

        def build() -> None:
            release(rows)
            rows[:] = [Row()]
            seen.append(weakref.ref(rows[0]))

        window = ui.Window("release", width=200, height=100, position_x=20, position_y=20)
        with window.frame:
            frame = ui.Frame(build_fn=build)
        await driver.frames(3)
        for _ in range(3):
            frame.rebuild()
            await driver.frames(3)
        gc.collect()
        assert len(seen) == 4 and [row() is None for row in seen] == [True, True, True, False]
        window.visible = False

    driver.run(rebuild())


def test_models_are_left_alone():
    model = {"weights": [1.0, 2.0]}
    release(model)
    assert model == {"weights": [1.0, 2.0]}
