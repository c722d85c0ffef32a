"""Where Isaac Sim takes hold of Humanoid RL: life cycle only; what the windows show begins in ``hosts.kit.app``."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import carb.settings
import omni.ext
import omni.kit.actions.core
from omni import ui
from omni.kit.menu.utils import MenuItemDescription, add_menu_items, remove_menu_items

if TYPE_CHECKING:
    from humanoid_rl_ext.hosts.kit.app import KitApp
    from humanoid_rl_ext.hosts.kit.loading import Loading

TITLE, PLOTS_TITLE = "Humanoid RL", "Humanoid RL Plots"
MENU, SUBMENU = "Tools", "Robotics"
ACTION = "show_window"
PANEL_SIZE, PLOTS_SIZE = (470, 900), (900, 280)


_extension: HumanoidRLExtension | None = None


def get_extension() -> HumanoidRLExtension | None:
    """The enabled extension, for scripts: its ``app.workbench`` does all that the panel does."""
    return _extension


class HumanoidRLExtension(omni.ext.IExt):
    """Puts Tools > Robotics > Humanoid RL into the menu; its windows are filled when they are first shown."""

    app: KitApp | None = None
    """The panel, once it has been shown."""

    def on_startup(self, ext_id: str) -> None:
        """Adds windows, action and menu entry; shows the panel unless the user closed it last time."""
        global _extension
        _extension = self
        self._ext_id, self.name = ext_id, omni.ext.get_extension_name(ext_id)
        self._loading: Loading | None = None
        self._visible_setting = f"/persistent/exts/{self.name}/visible"
        self._panel = ui.Window(TITLE, width=PANEL_SIZE[0], height=PANEL_SIZE[1], visible=False)
        self._plots = ui.Window(PLOTS_TITLE, width=PLOTS_SIZE[0], height=PLOTS_SIZE[1], visible=False)
        self._panel.deferred_dock_in("Property", ui.DockPolicy.CURRENT_WINDOW_IS_ACTIVE)
        self._plots.deferred_dock_in("Content", ui.DockPolicy.CURRENT_WINDOW_IS_ACTIVE)
        self._panel.set_visibility_changed_fn(self._on_visibility)
        ui.Workspace.set_show_window_fn(TITLE, self._show_panel)
        ui.Workspace.set_show_window_fn(PLOTS_TITLE, self._show_plots)
        omni.kit.actions.core.get_action_registry().register_action(
            self.name, ACTION, self._focus, description="Opens the Humanoid RL panel"
        )
        entry = MenuItemDescription(name=TITLE, onclick_action=(self.name, ACTION))
        self._menu = [MenuItemDescription(name=SUBMENU, sub_menu=[entry])]
        add_menu_items(self._menu, MENU)
        if carb.settings.get_settings().get(self._visible_setting) is not False:
            self._focus()

    def on_shutdown(self) -> None:
        """Saves what is being learned, and leaves nothing behind."""
        global _extension
        _extension = None
        remove_menu_items(self._menu, MENU)
        omni.kit.actions.core.get_action_registry().deregister_action(self.name, ACTION)
        for window, title in ((self._panel, TITLE), (self._plots, PLOTS_TITLE)):
            window.set_visibility_changed_fn(None)
            ui.Workspace.set_show_window_fn(title, None)
        if self._loading is not None:
            self._loading.cancel()
        if self.app is not None:
            self.app.close()
            self.app = None
        for window in (self._panel, self._plots):
            window.visible = False
            window.destroy()
        del self._panel, self._plots, self._menu
        gc.collect()

    def _focus(self) -> None:
        self._show_panel(True)
        self._panel.focus()

    def _show_panel(self, visible: bool) -> None:
        self._panel.visible = visible

    def _show_plots(self, visible: bool) -> None:
        self._plots.visible = visible

    def _on_visibility(self, visible: bool) -> None:
        """Fills the windows when they are first shown, and listens to the application while they are."""
        carb.settings.get_settings().set(self._visible_setting, visible)
        if visible and self._loading is None:
            from humanoid_rl_ext.hosts.kit.loading import Loading

            self._loading = Loading(self._ext_id, self._panel, self._plots, self._on_loaded)
        if self.app is not None and visible:
            self.app.connect()
        elif self.app is not None:
            self.app.disconnect()

    def _on_loaded(self, app: KitApp) -> None:
        self.app = app
        self._plots.visible = True
        if self._panel.visible:
            app.connect()
