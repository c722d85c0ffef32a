"""When the Studio draws: often while the user is at work, seldom while nobody is, so that training keeps the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

Scene = Literal["still", "playing", "training", "hidden"]
"""What there is to see: nothing moves; a robot plays; training goes on in view; training with nothing live in view."""

ANSWER_S = 0.15
"""For this long after an input frames follow each other as fast as they can be seen: a click takes several."""
AT_WORK_S = 0.8
"""For this long after an input the user counts as being at work."""
ANSWERING, FASTEST, SMOOTH = 1 / 120, 1 / 60, 1 / 30
SOFTWARE: dict[Scene, float] = {"still": 1 / 10, "playing": SMOOTH, "training": 1 / 13, "hidden": 1 / 4}
HARDWARE: dict[Scene, float] = {"still": SMOOTH, "playing": FASTEST, "training": SMOOTH, "hidden": 1 / 4}
"""Seconds between frames while the user is not at work, for drawing by the CPU and by a GPU."""


class Pacing:
    """Says when the next frame is due. Times are ``time.perf_counter()``'s."""

    def __init__(self, software: bool) -> None:
        self.software = software
        """Whether the CPU draws, so that every frame is taken from training."""
        self._last_input = self._last_press = float("-inf")
        self._last_frame = float("-inf")

    def input_arrived(self, now: float, *, pressed: bool = False) -> None:
        """The user moved the mouse, or ``pressed`` something: the next frame is due at once."""
        self._last_input = now
        if pressed:
            self._last_press = now

    def answering(self, now: float) -> bool:
        """Whether frames come before work: for a moment after a press, and only where the CPU draws."""
        return self.software and now - self._last_press < ANSWER_S

    def drawn(self, now: float) -> None:
        """A frame was handed to the renderer."""
        self._last_frame = now

    def due(self, scene: Scene) -> float:
        """When the next frame has to begin."""
        return self._last_frame + self.interval(scene)

    def interval(self, scene: Scene) -> float:
        """Seconds between two frames now."""
        if self.answering(self._last_frame):
            return ANSWERING
        since = self._last_frame - self._last_input
        usual = (SOFTWARE if self.software else HARDWARE)[scene]
        if since < ANSWER_S:
            return min(usual, FASTEST)
        return min(usual, SMOOTH) if since < AT_WORK_S else usual


def renders_in_software(tasks: Path = Path("/proc/self/task")) -> bool:
    """Whether Mesa's software renderer is at work in this process; call it after the first frame."""
    return any(name.startswith("llvmpipe") for name in _thread_names(tasks))


def _thread_names(tasks: Path) -> list[str]:
    names = []
    for task in tasks.glob("*/comm"):
        try:
            names.append(task.read_text(encoding="ascii", errors="replace"))
        except OSError:  # the thread has just ended
            continue
    return names


def work_until(due: Callable[[], float], work: Callable[[float], None], clock: Callable[[], float]) -> None:
    """Calls ``work(seconds left)`` until ``due()``, which an input may bring forward; once at least."""
    work(max(due() - clock(), 0.0))
    while (left := due() - clock()) > 0.0:
        work(left)


def scene_in_view(state: str, live_view: bool) -> Scene:
    """What there is to see: from the workbench's state, and whether the viewport or the plots are open."""
    if state == "training":
        return "training" if live_view else "hidden"
    return "playing" if state == "playing" and live_view else "still"
