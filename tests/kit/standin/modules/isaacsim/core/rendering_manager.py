"""Stand-in for ``isaacsim.core.rendering_manager``."""

from __future__ import annotations

from typing import Any


class ViewportManager:
    """Viewports and their cameras; all of it is class methods."""

    _views: dict[str, tuple[Any, Any]] = {}  # noqa: RUF012

    @classmethod
    def set_camera_view(
        cls, camera: Any, *, eye: Any = None, target: Any = None, relative_tracking: bool = False
    ) -> None:
        """Puts a camera at ``eye`` (m, world) and points it at ``target``."""
        cls._views[str(camera)] = (eye, target)
