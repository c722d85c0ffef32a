"""What is drawn badly: text that does not fit, widgets that stick out of their window or lie over each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omni import ui

LEAVES = (ui.Label, ui.Button, ui.StringField, ui.CheckBox, ui.ComboBox, ui.FloatSlider, ui.IntSlider, ui.ProgressBar)
SLACK = 2.0  # pixels that rounding may cost


@dataclass(frozen=True)
class Placed:
    """A widget, where it is on the screen, and the containers around it, outermost first."""

    widget: Any
    left: float
    top: float
    right: float
    bottom: float
    parents: tuple[Any, ...]

    def __str__(self) -> str:
        text = getattr(self.widget, "text", "") or self.widget.identifier
        place = f"{self.left:.0f},{self.top:.0f} to {self.right:.0f},{self.bottom:.0f}"
        return f"{type(self.widget).__name__} '{text}' ({place})"


def flaws(window: ui.Window) -> list[str]:
    """One line for each thing that a user would call broken in a window's visible widgets."""
    frame = window.frame
    placed = _leaves(frame, ())
    left, top = frame.screen_position_x, frame.screen_position_y
    right = window.position_x + window.width  # the frame itself grows with what does not fit
    bottom = window.position_y + window.height
    found = []
    for item in placed:
        scrolls = any(type(parent) is ui.ScrollingFrame for parent in item.parents)
        if item.left < left - SLACK or item.right > right + SLACK:
            found.append(f"{item} sticks out of its window ({left:.0f} to {right:.0f})")
        if not scrolls and (item.top < top - SLACK or item.bottom > bottom + SLACK):
            found.append(f"{item} sticks out of its window ({top:.0f} to {bottom:.0f} high)")
        if type(item.widget) is ui.Label and item.widget.exact_content_height > item.bottom - item.top + SLACK:
            found.append(f"{item} is {item.widget.exact_content_height:.0f} pixels high and is cut")
    for index, one in enumerate(placed):
        found += [f"{one} lies over {other}" for other in placed[index + 1 :] if _overlap(one, other)]
    return found


def _leaves(widget: Any, parents: tuple[Any, ...]) -> list[Placed]:
    if not widget.visible:
        return []
    x, y, width, height = (
        widget.screen_position_x,
        widget.screen_position_y,
        widget.computed_width,
        widget.computed_height,
    )
    if type(widget) in LEAVES:
        empty = type(widget) is ui.Label and not widget.text
        return [] if empty or width <= 0 else [Placed(widget, x, y, x + width, y + height, parents)]
    return [leaf for child in ui.Inspector.get_children(widget) for leaf in _leaves(child, (*parents, widget))]


def _overlap(one: Placed, other: Placed) -> bool:
    """Whether two widgets cover each other where nobody meant it: a ZStack is for that."""
    shared = [a for a, b in zip(one.parents, other.parents, strict=False) if a is b]
    if shared and type(shared[-1]) is ui.ZStack:
        return False
    return (
        min(one.right, other.right) - max(one.left, other.left) > SLACK
        and min(one.bottom, other.bottom) - max(one.top, other.top) > SLACK
    )
