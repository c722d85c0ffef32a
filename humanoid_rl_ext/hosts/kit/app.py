"""The panel inside Isaac Sim: its windows, and the work behind them, pumped from the application's update event."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

import carb
import carb.eventdispatcher
import carb.settings
import omni.ext
import omni.kit.app
import omni.timeline
import omni.usd
from omni import ui
from omni.kit.notification_manager import NotificationStatus, post_notification

from humanoid_rl_ext.errors import HumanoidRLError
from humanoid_rl_ext.home import home
from humanoid_rl_ext.hosts.desk import Desk
from humanoid_rl_ext.hosts.kit.opener import KitOpener
from humanoid_rl_ext.hosts.kit.stage import KitStage
from humanoid_rl_ext.hosts.kit.viewport import KitViewport
from humanoid_rl_ext.hosts.remembered import Remembered
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.background import Background
from humanoid_rl_ext.ui.dialog import Dialog, destroy_shared
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.file_dialog import FileDialog
from humanoid_rl_ext.ui.host import StageAccess
from humanoid_rl_ext.ui.panel import Panel
from humanoid_rl_ext.ui.plots.view import PlotsView
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.workbench import Workbench

FIRST_TASK = "humanoid_walk"
BUDGET_MS = 12.0
"""Where the setting is silent: work per update of the application, of the 16.7 ms that a smooth frame has."""


def remembered() -> Remembered:
    """What the panel remembers inside Isaac Sim."""
    return Remembered(home() / "kit.json")


def first_draft() -> Draft:
    """What the panel shows first: the task that was open last, or one to begin with."""
    try:
        return Draft.load(remembered().get("task", FIRST_TASK))
    except HumanoidRLError:
        return Draft.load(FIRST_TASK)


class KitApp(Desk):
    """Lives as long as the extension's windows; implements ``ui.host.Host``."""

    def __init__(self, ext_id: str, panel: ui.Window, plots: ui.Window, draft: Draft) -> None:
        """Builds the panel and the plots into their windows; nothing is subscribed to before ``connect``."""
        self._name = omni.ext.get_extension_name(ext_id)
        self._windows = (panel, plots)
        self.remembered = remembered()
        self._settings = carb.settings.get_settings()
        self._timeline = omni.timeline.get_timeline_interface()
        self._subscriptions: list[Any] = []
        self._updating = False
        self.stage_access: StageAccess | None = KitStage()
        self._background = Background()
        self._dialog, self.file_dialog = Dialog(), FileDialog()
        self.opener = KitOpener(self._background, self._ask)
        self.workbench = Workbench(self, draft, self._background, self.opener)
        self._stop_listening = [
            self.workbench.message_changed.connect(self._notify),
            self.workbench.draft_changed.connect(self._remember_task),
        ]
        theme.set_scale(1.0)  # Kit scales everything by the monitor itself
        self.viewport = KitViewport(self.workbench, ext_id)
        self.plots = PlotsView(self.workbench)
        self.panel = Panel(self.workbench, self.viewport.model, self.plots.model)
        for window, build in ((panel, self.panel.build), (plots, self.plots.build)):
            window.frame.style = theme.style()
            with window.frame:
                build()
        panel.set_key_pressed_fn(self._key)

    @property
    def connected(self) -> bool:
        """Whether the application's events reach the panel."""
        return bool(self._subscriptions)

    @property
    def at_work(self) -> bool:
        """Whether something has to go on, seen or not."""
        return self.workbench.state != "idle" or self.opener.busy

    def connect(self) -> None:
        """Listens to the application's updates, stage and timeline; twice is fine."""
        if self._subscriptions:
            return
        stage_event, types = omni.usd.get_context().stage_event_name, omni.usd.StageEventType
        for event, act in (
            (omni.kit.app.GLOBAL_EVENT_UPDATE, self._on_update),
            (stage_event(types.CLOSING), self._on_stage),
            (stage_event(types.OPENED), self._on_stage),
            (omni.timeline.GLOBAL_EVENT_STOP, self._on_stop),
            (omni.timeline.GLOBAL_EVENT_PAUSE, self._on_pause),
            (omni.timeline.GLOBAL_EVENT_PLAY, self._on_play),
        ):
            self._subscriptions.append(
                carb.eventdispatcher.get_eventdispatcher().observe_event(
                    event_name=event, on_event=act, observer_name=f"{self._name}.KitApp.{act.__name__}"
                )
            )

    def disconnect(self) -> None:
        """Listens no longer, unless something is at work: then as soon as that has ended."""
        if not self.at_work:
            self._subscriptions.clear()
            self.viewport.hide()

    def close(self) -> None:
        """Saves what is being learned and lets go of everything."""
        self._subscriptions.clear()
        self.workbench.abandon("Humanoid RL was switched off.")
        self.opener.close()
        for stop in self._stop_listening:
            stop()
        self.panel.destroy()
        self.plots.destroy()
        self.viewport.destroy()
        self.workbench.close()
        self._windows[0].set_key_pressed_fn(None)
        for window in self._windows:
            window.frame.clear()
        for dialog in (self._dialog, self.file_dialog):
            dialog.destroy()
        destroy_shared()
        release([self.panel, self.plots, self.viewport, self._dialog, self.file_dialog])

    # What the panel asks of its host

    def interacted(self) -> None:
        """Isaac Sim draws all the time; there is nothing to hurry."""

    # What the application tells

    def _on_update(self, event: Any) -> None:
        """One piece of work, then the views. Kit would log an exception and go on, so it is said here."""
        if self._updating:
            return
        self._updating = True
        try:
            self._update(time.perf_counter())
        except Exception as error:
            carb.log_error("".join(traceback.format_exception(error)))
            self.workbench.say(f"{type(error).__name__}: {error}", "error")
        finally:
            self._updating = False

    def _update(self, now: float) -> None:
        self.opener.advance()
        self.workbench.pump(self._budget())
        if self.opener.physics is not None:
            self.opener.physics.show()
        panel, plots = self._windows
        if panel.visible and panel.selected_in_dock:
            self.panel.update(now)
        if plots.visible and plots.selected_in_dock:
            self.plots.update(now)
        self.viewport.update(now)
        if not panel.visible:
            self.disconnect()

    def _budget(self) -> float:
        """Seconds of work per update."""
        value = self._settings.get(f"/exts/{self._name}/budget_ms")
        return (float(value) if value else BUDGET_MS) / 1000.0

    def _on_stage(self, event: Any) -> None:
        self.workbench.abandon("The stage was closed.")

    def _on_stop(self, event: Any) -> None:
        """The timeline's stop button ends physics, and with it what is at work."""
        if self.workbench.session is not None or self.workbench.player is not None:
            self.workbench.abandon("The timeline was stopped.")

    def _on_pause(self, event: Any) -> None:
        self.workbench.pause()

    def _on_play(self, event: Any) -> None:
        work = self.workbench.session or self.workbench.player
        if work is not None and work.paused:
            self.workbench.resume()

    def _key(self, key: int, modifiers: int, pressed: bool) -> None:
        if not pressed or self.panel.section.title == "Policy":  # elsewhere letters go into text fields
            self.panel.on_key(key, modifiers, pressed)

    def _ask(self, title: str, text: str, yes: str) -> Callable[[], bool | None]:
        answers: list[bool] = []
        actions = [(yes, lambda: answers.append(True), "primary"), ("Not now", lambda: answers.append(False), "")]
        self._dialog.confirm(title, text, actions)
        return lambda: answers[0] if answers else None if self._dialog.visible else False

    def _remember_task(self, path: str) -> None:
        if path == "" and self.setting("task") != self.workbench.draft.source:
            self.remember("task", self.workbench.draft.source)

    def _notify(self) -> None:
        """Says what matters also when the panel is out of sight."""
        message, panel = self.workbench.message, self._windows[0]
        if message.kind != "info" and not (panel.visible and panel.selected_in_dock):
            status = NotificationStatus.WARNING
            post_notification(f"Humanoid RL: {message.text}", hide_after_timeout=True, duration=6, status=status)
