"""A section of the panel in a window of its own, with a user in front of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from omni import ui
from quiet import QuietHost

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.workbench import Workbench

FIXED = ui.WINDOW_FLAGS_NO_MOVE | ui.WINDOW_FLAGS_NO_RESIZE | ui.WINDOW_FLAGS_NO_TITLE_BAR


class Shown:
    """A section of a class of one's own, and the workbench behind it; work goes on between frames."""

    section_type: Callable[[Workbench], Any]

    def __init__(self, driver, task: str, size: tuple[int, int]) -> None:
        self.driver = driver
        self.bench = Workbench(QuietHost(), Draft.load(task))
        self.section = self.section_type(self.bench)
        self.window = ui.Window(
            f"{type(self.section).__name__} {id(self)}",
            width=size[0],
            height=size[1],
            position_x=4,
            position_y=4,
            flags=FIXED,
        )
        self.window.frame.style = theme.style()
        with (
            self.window.frame,
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
        self.bench.background.poll()
        if self.bench.state == "starting":
            time.sleep(0.03)  # drawing as fast as it goes would hold the start up
        self.section.update(self.now)

    def widget(self, id: str):
        return self.driver.find(self.window, id=id)

    def there(self, id: str) -> bool:
        return bool(self.driver.find_all(self.window, id=id))

    def close(self) -> None:
        self.section.destroy()
        self.window.visible = False
        self.bench.close()


@contextmanager
def in_window(driver, section: Any, **window: Any) -> Iterator[ui.Window]:
    """A section in a window as wide as the panel, updated before every frame."""
    shown = ui.Window(type(section).__name__, width=440, **window)
    shown.frame.style = theme.style()
    with shown.frame, ui.ScrollingFrame(), ui.VStack(height=0):
        section.build()
    driver.each_frame = lambda: section.update(time.perf_counter())
    yield shown
    section.destroy()
    shown.destroy()


@contextmanager
def showing(kind: type[Shown], driver, tmp_path, monkeypatch) -> Iterator[Callable[..., Any]]:
    """Opens sections of a kind, all closed in the end; runs go to a folder of the test's."""
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    opened: list[Shown] = []

    def open_it(task: str = "cartpole_balance", **options):
        opened.append(kind(driver, task, **options))
        return opened[-1]

    yield open_it
    for shown in opened:
        shown.close()
    theme.set_scale(1.0)
