"""Stand-in for ``omni.kit.app``: one update is timeline, physics, update event, coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import carb
import carb.eventdispatcher

GLOBAL_EVENT_UPDATE = "omni.kit.app:update"
_FRAME = 1.0 / 60.0


class ExtensionManager:
    """Which extensions are enabled, and where they lie."""

    def __init__(self) -> None:
        self._enabled: set[str] = set()
        self._paths: dict[str, str] = {}

    def get_extension_path(self, ext_id: str, /) -> str:
        """The folder of an enabled extension, empty for an unknown one."""
        return self._paths.get(ext_id, "")

    def is_extension_enabled(self, name: str, /) -> bool:
        """Whether an extension of that name is enabled."""
        return name in self._enabled

    def set_extension_enabled_immediate(self, name: str, enabled: bool, /) -> bool:
        """Enables or disables an extension now."""
        (self._enabled.add if enabled else self._enabled.discard)(name)
        return True


class IApp:
    """The application: whoever runs the test calls ``update``."""

    def __init__(self) -> None:
        self._manager = ExtensionManager()
        self._updating = False
        self._stage_updates: list[Callable[[float], None]] = []
        self._loop = asyncio.new_event_loop()
        self._waiting: list[asyncio.Future[None]] = []

    def update(self) -> None:
        """One frame of 1/60 s.

        Raises:
            RuntimeError: inside an update.
        """
        if self._updating:
            raise RuntimeError("app.update() was called inside app.update()")
        self._updating = True
        try:
            for stage_update in self._stage_updates:
                stage_update(_FRAME)
            carb.eventdispatcher.get_eventdispatcher().dispatch_event(GLOBAL_EVENT_UPDATE, payload={"dt": _FRAME})
            waiting, self._waiting = self._waiting, []
            for frame in waiting:
                if not frame.cancelled():
                    frame.set_result(None)
            self._run_coroutines()
        finally:
            self._updating = False

    async def next_update_async(self) -> float:
        """Returns after the next update, with its length in seconds."""
        self._waiting.append(self._loop.create_future())
        await self._waiting[-1]
        return _FRAME

    def get_extension_manager(self) -> ExtensionManager:
        """The extension manager."""
        return self._manager

    def _run_coroutines(self) -> None:
        """Lets each coroutine go on once; also where a test itself is a coroutine."""
        outer = asyncio.events._get_running_loop()
        asyncio.events._set_running_loop(None)
        try:
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()
        finally:
            asyncio.events._set_running_loop(outer)

    def _is_updating(self) -> bool:
        return self._updating

    def _place(self, ext_id: str, folder: Path) -> None:
        self._manager._paths[ext_id] = str(folder)


_APP = IApp()


def get_app() -> IApp:
    """The one application."""
    return _APP
