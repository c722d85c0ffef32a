"""Stand-in for ``omni.kit.viewport.utility``: one viewport, in a real window of omni.ui, or none."""

from __future__ import annotations

import weakref
from typing import Any


class ViewportAPI:
    """What one viewport shows."""

    def __init__(self) -> None:
        self._camera_path = "/OmniverseKit_Persp"
        self._updates_enabled = True
        self._scene_views: list[Any] = []
        self._view = [1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, -10.0, 1.0]
        self._projection = [1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, -1.0, -1.0, 0, 0, -0.02, 0]

    @property
    def camera_path(self) -> str:
        """Path of the camera prim."""
        return self._camera_path

    @camera_path.setter
    def camera_path(self, path: Any) -> None:
        self._camera_path = str(path)

    @property
    def updates_enabled(self) -> bool:
        """Whether the viewport is drawn anew."""
        return self._updates_enabled

    @updates_enabled.setter
    def updates_enabled(self, enabled: bool) -> None:
        self._updates_enabled = enabled

    @property
    def view(self) -> list[float]:
        """World to camera, 16 numbers, row vectors."""
        return list(self._view)

    @property
    def projection(self) -> list[float]:
        """Camera to screen, 16 numbers, row vectors."""
        return list(self._projection)

    def add_scene_view(self, scene_view: Any, /) -> None:
        """Keeps a scene view's camera equal to the viewport's."""
        self._scene_views.append(scene_view)
        self._sync()

    def remove_scene_view(self, scene_view: Any, /) -> None:
        """Lets a scene view go."""
        self._scene_views.remove(scene_view)

    def _look(self, view: list[float], projection: list[float]) -> None:
        self._view, self._projection = list(view), list(projection)
        self._sync()

    def _sync(self) -> None:
        for scene_view in self._scene_views:
            scene_view.model.set_floats("view", self._view)
            scene_view.model.set_floats("projection", self._projection)


class ViewportWindow:
    """A viewport's window."""

    def __init__(self, window: Any, frames: Any) -> None:
        self._window = window
        self._stack = frames
        self._frames: dict[str, Any] = {}
        self._api = ViewportAPI()

    @property
    def viewport_api(self) -> ViewportAPI:
        """What it shows."""
        return self._api

    def get_frame(self, frame_id: str, /) -> Any:
        """The omni.ui frame of that name over the picture."""
        from omni import ui

        if frame_id not in self._frames:
            with self._stack:
                self._frames[frame_id] = ui.Frame()
        return self._frames[frame_id]


_active: ViewportWindow | None = None


def get_active_viewport_window() -> ViewportWindow | None:
    """The viewport in use, as a weak reference, or None."""
    return None if _active is None else weakref.proxy(_active)


def get_active_viewport() -> ViewportAPI | None:
    """What the viewport in use shows, or None."""
    return None if _active is None else _active.viewport_api


def _show() -> ViewportWindow:
    from omni import ui

    global _active
    window = ui.Window("Viewport", width=640, height=480)
    with window.frame:
        stack = ui.ZStack()
    _active = ViewportWindow(window, stack)
    return _active


def _hide() -> None:
    global _active
    if _active is not None:
        _active._window.destroy()
        _active = None
