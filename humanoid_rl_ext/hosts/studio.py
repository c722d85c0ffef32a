"""The Studio: the panel, a viewport and plots in one window of plain omni.ui, without Isaac Sim."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import time
from typing import TYPE_CHECKING

from humanoid_rl_ext.errors import DisplayError
from humanoid_rl_ext.home import home
from humanoid_rl_ext.hosts.desk import Desk
from humanoid_rl_ext.hosts.libcuda import ensure_libcuda
from humanoid_rl_ext.hosts.pacing import Pacing, renders_in_software, work_until
from humanoid_rl_ext.hosts.remembered import Remembered

if TYPE_CHECKING:
    from humanoid_rl_ext.hosts.glfw import Glfw
    from humanoid_rl_ext.ui.draft import Draft
    from humanoid_rl_ext.ui.host import StageAccess

TITLE = "Humanoid RL"
SMALLEST = (1280, 720)
PIECE_S = 0.008
"""Work is done in pieces of about this length; between two of them waiting input is noticed."""
IDLE_S = 0.005
"""How long the loop sleeps at a time while there is no work."""


class Studio(Desk):
    """One main window: panel right, viewport left, plots below, status bar. Implements ``ui.host.Host``."""

    stage_access: StageAccess | None = None

    def __init__(self, draft: Draft, *, size: tuple[int, int] | None = None) -> None:
        """Opens the window; ``size`` (pixels) is the monitor's usable part when None, or 1280 x 720 without a monitor.

        Raises:
            DisplayError: where no window can be opened; the message says what is missing.
        """
        self.remembered = Remembered(home() / "studio.json")
        self.glfw = _open_window(size)
        from humanoid_rl_ext.ui.workbench import Workbench

        self.pacing = Pacing(software=renders_in_software())
        self.workbench = Workbench(self, draft)
        self.closing = False
        """Whether the Studio is about to end."""
        from humanoid_rl_ext.hosts.studio_window import StudioWindow

        self.window = StudioWindow(self.workbench, size or _window_size())
        self.file_dialog = self.window.file_dialog
        self.window.dock(self.draw)

    def run(self) -> None:
        """Works and draws until the user quits, or a signal asks for it; then everything is saved and freed."""
        asked = {number: signal.signal(number, lambda *_: self.quit()) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self.closing:
                self.work()
                self.draw()
                if self.glfw is not None and self.glfw.close_asked():
                    self.glfw.stay_open()
                    self.ask_to_quit()
        finally:
            self.close()
            for number, handler in asked.items():
                signal.signal(number, handler)

    def work(self) -> None:
        """Trains, plays or waits until the next frame is due: at its time, or as soon as the user does something."""
        scene = self.window.scene()
        work_until(lambda: self.pacing.due(scene), self._work, time.perf_counter)

    def draw(self) -> None:
        """Brings everything in view up to date and draws one frame."""
        from omni.ui.standalone import _tick_one_frame

        self.window.update(time.perf_counter())
        _tick_one_frame()
        self.pacing.drawn(time.perf_counter())

    def ask_to_quit(self) -> None:
        """Ends the Studio, after asking when a run is under way."""
        if self.workbench.state in ("training", "paused", "starting"):
            self.window.ask_to_quit(self.quit)
        else:
            self.quit()

    def quit(self) -> None:
        """Ends the Studio before the next frame."""
        self.closing = True

    def close(self) -> None:
        """Saves what is being learned and closes the window."""
        from omni import ui

        self.closing = True
        try:
            self.workbench.close()
        finally:
            self.window.destroy()
            if self.glfw is not None:
                self.glfw.close()
            ui.shutdown()

    # What the panel asks of its host

    def interacted(self) -> None:
        """Makes frames come fast for a moment."""
        self.pacing.input_arrived(time.perf_counter())

    def _work(self, left: float) -> None:
        now = time.perf_counter()
        if self.glfw is not None and (waiting := self.glfw.input_waits()):
            self.pacing.input_arrived(now, pressed=waiting == "press")
            return
        if self.pacing.answering(now) or not self.workbench.pump(min(PIECE_S, left)):
            time.sleep(min(IDLE_S, left))


def _open_window(size: tuple[int, int] | None) -> Glfw | None:
    """Starts omni.ui; the GLFW window where it has one."""
    headless = bool(os.environ.get("OMNIUI_HEADLESS"))
    if not headless and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise DisplayError(
            "the Studio needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set: start it on a desktop, "
            "or under 'xvfb-run -s \"-screen 0 1600x1000x24\"'; training works without a screen: ./hrl train"
        )
    folder = home() / "studio"
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)  # omni.ui keeps its own settings file in the current folder
    load_usd()
    ensure_libcuda()
    try:
        from omni import ui
        from omni.ui.standalone import _tick_one_frame
    except ImportError as error:
        raise DisplayError(f"omni.ui cannot be loaded: {error}; './hrl doctor' says what is missing") from error
    try:
        ui.init(TITLE, *(size or SMALLEST))
    except RuntimeError as error:
        raise DisplayError(f"no window could be opened: {error}; './hrl doctor' says what is missing") from error
    _tick_one_frame()
    if headless:
        return None
    from humanoid_rl_ext.hosts.glfw import Glfw

    try:
        window = Glfw()
    except OSError:  # a window of another kind: input is noticed with every frame instead of at once
        return None
    width, height = window.work_area()
    if size is None and width > SMALLEST[0]:
        ui.standalone.set_window_size(round(0.9 * width), round(0.9 * height))
    return window


def load_usd() -> None:
    """Loads all of USD before anything is drawn.

    Its libraries let go of Python's lock while the system loads them. On the thread that reads robots that can meet the
    renderer compiling its shaders, which also loads code, and then each waits for the other for ever.
    """
    import pxr
    import usdex.core  # noqa: F401

    for module in pkgutil.iter_modules(pxr.__path__, "pxr."):
        importlib.import_module(module.name)


def _window_size() -> tuple[int, int]:
    from omni.ui.standalone import get_window_size

    width, height = get_window_size()
    return (width, height) if width else SMALLEST
