"""The Studio's main window: docks, status bar, dialogs."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.hosts.pacing import Scene, scene_in_view
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.dialog import Dialog
from humanoid_rl_ext.ui.file_dialog import FileDialog
from humanoid_rl_ext.ui.panel import TOOLTIPS, Panel
from humanoid_rl_ext.ui.plots.view import PlotsView
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.viewport.view import BACKGROUND, ViewportView
from humanoid_rl_ext.ui.workbench import Workbench

PANEL, VIEWPORT, PLOTS = "Humanoid RL", "Viewport", "Plots"
PANEL_WIDTH, PLOTS_HEIGHT = 460, 250
"""Before ``px``."""
STATUS_INTERVAL_S = 0.5


class StudioWindow:
    """Builds the windows once and keeps them up to date."""

    def __init__(self, workbench: Workbench, size: tuple[int, int]) -> None:
        theme.set_scale(max(1.0, round(4 * size[1] / 1080) / 4))
        self._size, self._workbench = size, workbench
        ui.style.default = theme.style()
        self.main = ui.MainWindow()
        self.file_dialog, self.dialog = FileDialog(), Dialog()
        self.viewport = ViewportView(workbench)
        self.plots = PlotsView(workbench)
        self.panel = Panel(workbench, self.viewport.model, self.plots.model)
        self.windows = {title: ui.Window(title) for title in (VIEWPORT, PLOTS, PANEL)}
        for window, build in zip(
            self.windows.values(), (self.viewport.build, self.plots.build, self.panel.build), strict=True
        ):
            window.set_docked_changed_fn(lambda docked, window=window: _colour(window, docked))
            _colour(window, docked=True)
            with window.frame:
                build()
            window.set_key_pressed_fn(self._key)
        self._switches: dict[str, ui.Button] = {}
        self._status = self._build_status()
        self.main.main_menu_bar.visible = False
        self._next_status = 0.0

    def dock(self, draw: Callable[[], None]) -> None:
        """Puts the windows in their places and opens every section once, which takes some frames."""
        width, height = self._size
        places = (
            (VIEWPORT, "DockSpace", ui.DockPosition.SAME, 0.5),
            (PANEL, VIEWPORT, ui.DockPosition.RIGHT, px(PANEL_WIDTH) / width),
            (PLOTS, VIEWPORT, ui.DockPosition.BOTTOM, px(PLOTS_HEIGHT) / height),
        )
        for title, beside, position, share in places:
            for _ in range(3):
                draw()
            self.windows[title].dock_in(ui.Workspace.get_window(beside), position, share)
        for _ in range(3):
            draw()
        for window in self.windows.values():
            window.dock_tab_bar_visible = False  # its letters do not grow with the rest on a large screen
        for _ in range(3):
            draw()
        # The first picture of a section takes long; later ones are at hand when their tab is clicked.
        for title in reversed(TOOLTIPS):
            self.panel.show(title)
            for _ in range(3):
                draw()

    def scene(self) -> Scene:
        """What there is to see now, for the pace of frames."""
        live = any(self.windows[title].visible and self._shown(title) for title in (VIEWPORT, PLOTS))
        return scene_in_view(self._workbench.state, live)

    def update(self, now: float) -> None:
        """Brings what is in view up to date; call it before every frame."""
        for title, view in ((VIEWPORT, self.viewport), (PLOTS, self.plots), (PANEL, self.panel)):
            if self._shown(title):
                view.update(now)
        if now >= self._next_status:
            self._next_status = now + STATUS_INTERVAL_S
            self._status.text = self._status_text()
            for title, switch in self._switches.items():
                switch.name = "on" if self.windows[title].visible else "flat"

    def show_views(self, visible: bool) -> None:
        """Opens or closes the viewport and the plots."""
        for title in (VIEWPORT, PLOTS):
            self.windows[title].visible = visible

    def ask_to_quit(self, quit: Callable[[], None]) -> None:
        """Asks what shall become of the run that is under way."""
        self.dialog.confirm(
            "Training is under way",
            "Save the run and quit? It can go on later from where it is now.",
            [("Save and quit", quit, "primary"), ("Keep training", lambda: None, "")],
        )

    def destroy(self) -> None:
        """Disconnects everything and closes the windows."""
        for part in (self.panel, self.plots, self.viewport):
            part.destroy()
        for window in self.windows.values():
            window.destroy()

    def _shown(self, title: str) -> bool:
        window = self.windows[title]
        return window.visible and window.selected_in_dock

    def _build_status(self) -> ui.Label:
        with self.main.status_bar_frame, ui.HStack(style=theme.style(), spacing=px(theme.SPACING)):
            ui.Spacer(width=px(theme.SPACING))
            status = ui.Label("", name="small", identifier="status", tooltip="What is at work")
            for title in (VIEWPORT, PLOTS):
                self._switches[title] = ui.Button(
                    title,
                    name="flat",
                    width=0,
                    identifier=f"switch.{title}",
                    tooltip=f"Show or hide: {title}. What is hidden costs training nothing",
                    clicked_fn=lambda title=title: self._toggle(title),
                )
        return status

    def _status_text(self) -> str:
        task, run = self._workbench.draft.task, self._workbench.draft.config.run
        return f"  {task.name}  |  {self._workbench.state}  |  {run.num_envs} environments, {run.device}, {run.engine}"

    def _toggle(self, title: str) -> None:
        self.windows[title].visible = not self.windows[title].visible
        self._next_status = 0.0

    def _key(self, key: int, modifiers: int, pressed: bool) -> None:
        self._workbench.host.interacted()
        if not pressed or not ui.standalone.is_text_input_active():
            self.panel.on_key(key, modifiers, pressed)
            self.viewport.on_key(key, modifiers, pressed)


def _colour(window: ui.Window, docked: bool) -> None:
    """Lets the main window shine through a docked one: a renderer on the CPU pays for every layer of pixels."""
    background = BACKGROUND if window.title == VIEWPORT else theme.CLEAR if docked else theme.SURFACE
    window.frame.style = {**theme.style(), "Window": {"background_color": background, "border_width": 0}}
