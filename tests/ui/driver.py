"""A user for tests: finds widgets, moves the mouse, types, takes screenshots, and sees what is drawn badly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from omni import ui
from omni.ui import _ui
from omni.ui import testing as inject

KEYS = {"Enter": 525, "Escape": 526, "LeftCtrl": 527, "Tab": 512, "Backspace": 523, "Space": 524}
"""ImGui's codes; letters follow ``A``."""
KEY_A = 546


class Driver:
    """Drives whatever windows are open; ``each_frame`` is called before every frame, as a host's loop would."""

    def __init__(self, each_frame: Callable[[], None] = lambda: None) -> None:
        self.each_frame = each_frame

    def run(self, test: Coroutine[Any, Any, None]) -> None:
        """Runs an ``async`` test to its end."""
        asyncio.run(test)

    async def frames(self, count: int = 3) -> None:
        """Draws some frames."""
        for _ in range(count):
            self.each_frame()
            await inject.next_frame()

    async def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Draws frames until ``condition`` holds; fails after ``seconds``."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not condition():
            assert loop.time() < end, f"not within {seconds} s: {condition.__doc__ or condition}"
            await self.frames(1)

    def find(
        self, window: ui.Window, kind: type | None = None, *, id: str | None = None, text: str | None = None
    ) -> Any:
        """The one widget of a window with this type, identifier or text."""
        found = self.find_all(window, kind, id=id, text=text)
        assert len(found) == 1, f"{len(found)} widgets match kind={kind} id={id} text={text}"
        return found[0]

    def find_all(
        self, window: ui.Window, kind: type | None = None, *, id: str | None = None, text: str | None = None
    ) -> list[Any]:
        """All visible widgets of a window with this type, identifier or text."""
        return [
            widget
            for widget in walk(window.frame)
            if (kind is None or type(widget) is kind)
            and (id is None or widget.identifier == id)
            and (text is None or getattr(widget, "text", None) == text)
        ]

    async def click(self, widget: Any) -> None:
        """Clicks a widget in its middle (a check box at its left)."""
        await self.frames(1)
        x = widget.screen_position_x + (8 if type(widget) is ui.CheckBox else widget.computed_width / 2)
        y = widget.screen_position_y + widget.computed_height / 2
        _ui._inject_mouse_move(x, y)
        await self.frames(2)
        _ui._inject_mouse_button(0, True)
        await self.frames(1)
        _ui._inject_mouse_button(0, False)
        await self.frames(2)

    async def drag(self, start: tuple[float, float], end: tuple[float, float], button: int = 0, steps: int = 6) -> None:
        """Drags the mouse from one place (pixels) to another."""
        _ui._inject_mouse_move(*start)
        await self.frames(2)
        _ui._inject_mouse_button(button, True)
        await self.frames(1)
        for step in range(1, steps + 1):
            share = step / steps
            _ui._inject_mouse_move(start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            await self.frames(1)
        _ui._inject_mouse_button(button, False)
        await self.frames(2)

    async def scroll(self, widget: Any, amount: float) -> None:
        """Turns the mouse wheel over a widget."""
        _ui._inject_mouse_move(
            widget.screen_position_x + widget.computed_width / 2, widget.screen_position_y + widget.computed_height / 2
        )
        await self.frames(2)
        _ui._inject_mouse_scroll(0, amount)
        await self.frames(2)

    async def type_into(self, field: Any, text: str) -> None:
        """Replaces a text field's content by ``text`` and presses Enter."""
        await self.click(field)
        _ui._inject_key_event(KEYS["LeftCtrl"], True)
        await self.press("A")
        _ui._inject_key_event(KEYS["LeftCtrl"], False)
        await self.frames(1)
        if text:
            _ui._inject_text_input(text)
        else:
            await self.press("Backspace")
        await self.frames(2)
        await self.press("Enter")
        await self.frames(2)

    async def press(self, key: str, frames: int = 1) -> None:
        """Presses a key, named as in ``KEYS`` or by its letter, for some frames."""
        code = KEYS[key] if key in KEYS else KEY_A + ord(key) - ord("A")
        _ui._inject_key_event(code, True)
        await self.frames(frames)
        _ui._inject_key_event(code, False)
        await self.frames(1)

    async def park_mouse(self) -> None:
        """Moves the mouse to the corner, so that nothing is hovered in a picture."""
        _ui._inject_mouse_move(1, 1)
        await self.frames(2)

    async def screenshot(self, path: Path) -> Path:
        """Writes what is on the screen to a PNG file."""
        await self.park_mouse()
        assert _ui._schedule_screenshot(str(path))
        for _ in range(4):
            await self.frames(1)
            if _ui._poll_screenshot_done():
                break
        assert _ui._get_screenshot_result().get("success"), path
        return path


def walk(widget: Any) -> Iterator[Any]:
    """A widget and all visible ones below it."""
    if not widget.visible:
        return
    yield widget
    for child in ui.Inspector.get_children(widget):
        yield from walk(child)
