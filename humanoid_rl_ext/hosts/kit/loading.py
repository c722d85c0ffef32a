"""Fills the extension's windows for the first time: what is slow is imported on a thread while Isaac Sim goes on."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import carb
import carb.eventdispatcher
import omni.kit.app
from omni import ui

if TYPE_CHECKING:
    from humanoid_rl_ext.hosts.kit.app import KitApp

APP = "humanoid_rl_ext.hosts.kit.app"


class Loading:
    """Calls ``done`` with the built panel in one of the next updates of the application, unless it is cancelled."""

    def __init__(self, ext_id: str, panel: ui.Window, plots: ui.Window, done: Callable[[KitApp], None]) -> None:
        self._ext_id, self._windows, self._done = ext_id, (panel, plots), done
        with panel.frame:
            self._label = ui.Label("Loading ...", alignment=ui.Alignment.CENTER, word_wrap=True)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="humanoid_rl_ext")
        self._imported = self._pool.submit(_load)
        self._subscription: Any = carb.eventdispatcher.get_eventdispatcher().observe_event(
            event_name=omni.kit.app.GLOBAL_EVENT_UPDATE,
            on_event=self._on_update,
            observer_name="humanoid_rl_ext.Loading",
        )

    def cancel(self) -> None:
        """Waits for the thread and gives up the rest."""
        self._subscription = None
        self._pool.shutdown(wait=True)

    def _on_update(self, event: Any) -> None:
        if not self._imported.done():
            return
        self.cancel()
        try:
            module, draft = self._imported.result()
            self._windows[0].frame.clear()
            app = module.KitApp(self._ext_id, *self._windows, draft)
        except Exception as error:
            carb.log_error("".join(traceback.format_exception(error)))
            with self._windows[0].frame:
                ui.Label(f"Humanoid RL cannot be shown: {error}", alignment=ui.Alignment.CENTER, word_wrap=True)
            return
        self._done(app)


def _load() -> tuple[Any, Any]:
    """The module of the panel, and the draft that it shows first."""
    module = importlib.import_module(APP)
    return module, module.first_draft()
