"""What omni.ui's GLFW knows and does not hand on: waiting input, the close button, the monitor."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Literal

_DOUBLE, _INT, _WINDOW = ctypes.c_double, ctypes.c_int, ctypes.c_void_p
Waiting = Literal["", "move", "press"]
"""Nothing; the mouse has only moved; a button, a key or the wheel."""
MOVED = "glfwSetCursorPosCallback"
_EVENTS = {
    MOVED: (_DOUBLE, _DOUBLE),
    "glfwSetMouseButtonCallback": (_INT, _INT, _INT),
    "glfwSetScrollCallback": (_DOUBLE, _DOUBLE),
    "glfwSetKeyCallback": (_INT, _INT, _INT, _INT),
}
"""Functions that set what is called when the user does something, and what it is called with after the window."""


class Glfw:
    """The window that omni.ui opened. Only for the thread that draws."""

    def __init__(self) -> None:
        """Raises OSError where omni.ui draws without a GLFW window of its own."""
        self._glfw = ctypes.CDLL(_loaded_library("libomniui_standalone.so"))
        try:
            self._glfw.glfwGetCurrentContext.restype = _WINDOW
            self._glfw.glfwGetPrimaryMonitor.restype = ctypes.c_void_p
            self._window = _WINDOW(self._glfw.glfwGetCurrentContext())
        except AttributeError as error:
            raise OSError(str(error)) from None
        if not self._window:
            raise OSError("no GLFW window")
        self._came: set[str] = set()
        self._before: dict[str, Any] = {}
        self._listeners = [self._listen(name, kinds) for name, kinds in _EVENTS.items()]

    def input_waits(self) -> Waiting:
        """What mouse or keyboard did since the last call; omni.ui takes it in with its next frame."""
        self._glfw.glfwPollEvents()
        came, self._came = self._came, set()
        if came - {MOVED} or self.close_asked():
            return "press"
        return "move" if came else ""

    def close_asked(self) -> bool:
        """Whether the user pressed the window's close button."""
        return bool(self._glfw.glfwWindowShouldClose(self._window))

    def stay_open(self) -> None:
        """Takes the press of the close button back."""
        self._glfw.glfwSetWindowShouldClose(self._window, 0)

    def work_area(self) -> tuple[int, int]:
        """Width and height of the monitor's usable part (screen coordinates); (0, 0) where it is unknown."""
        monitor = self._glfw.glfwGetPrimaryMonitor()
        x, y, width, height = (_INT() for _ in range(4))
        if monitor:
            self._glfw.glfwGetMonitorWorkarea(ctypes.c_void_p(monitor), *map(ctypes.byref, (x, y, width, height)))
        return width.value, height.value

    def close(self) -> None:
        """Puts omni.ui's own listeners back; call it before the window goes."""
        for name, before in self._before.items():
            getattr(self._glfw, name)(self._window, before)

    def _listen(self, setter: str, kinds: tuple[Any, ...]) -> Any:
        """Notes events of one kind on their way to omni.ui."""
        kind = ctypes.CFUNCTYPE(None, _WINDOW, *kinds)
        set_callback = getattr(self._glfw, setter)
        set_callback.restype = ctypes.c_void_p

        def called(window: int, *values: float) -> None:
            self._came.add(setter)
            if forward is not None:
                forward(window, *values)

        listener = kind(called)
        before = set_callback(self._window, listener)
        self._before[setter] = ctypes.c_void_p(before)
        forward = kind(before) if before else None
        return listener


def _loaded_library(name: str) -> str:
    """Path of a shared library of this process; several files may bear the name, and only one of them is in use."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        path = line.rpartition(" ")[2]
        if f"/{name}" in path:
            return path
    raise OSError(f"{name} is not loaded")
