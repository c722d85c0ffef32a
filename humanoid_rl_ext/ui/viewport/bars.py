"""The rows of buttons beside a 3D view: environment, pause and speed, camera, overlays, and a caption."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.viewport.model import SPEEDS, ViewportModel
from humanoid_rl_ext.ui.viewport.overlays import OVERLAYS
from humanoid_rl_ext.ui.workbench import Workbench


class ViewportBars:
    """What the user clicks to change what ``model`` shows; ``refresh`` after every look at it."""

    def __init__(self, workbench: Workbench, model: ViewportModel, frame: Callable[[], None] | None = None) -> None:
        """``frame`` moves the camera of a view that is not the model's; such a camera follows nothing."""
        self._workbench, self._model = workbench, model
        self._frame = frame or model.frame
        self._follow: ui.Button | None = None
        self._follows = frame is None

    def build_top(self) -> None:
        """Builds the row of environment, pace and camera inside the current frame."""
        model = self._model
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Spacer(width=px(2))
            self._watched = _button("Watched", "Show the watched environment", 76, lambda: model.choose(None))
            self._previous = _button("-", "The environment before", 22, partial(self._step_environment, -1), "previous")
            self._index = ui.IntField(
                width=px(52),
                identifier="viewport.environment",
                tooltip="Number of the environment that is shown",
            )
            self._index.model.add_end_edit_fn(lambda value: model.choose(value.as_int))
            self._following = _button("+", "The next environment", 22, partial(self._step_environment, 1), "next")
            ui.Spacer()
            self._pause = _button("Pause", "Hold or continue", 72, model.pause_or_resume)
            self._step = _button("Step", "One control step, while held", 48, self._workbench.step_once)
            speeds = ui.ComboBox(
                [*SPEEDS.values()].index(self._workbench.slow_motion),
                *SPEEDS,
                width=px(108),
                identifier="viewport.speed",
                tooltip="Slow motion: shares of real time",
            )
            speeds.model.add_item_changed_fn(
                lambda items, _: model.set_speed([*SPEEDS.values()][items.get_item_value_model().as_int])
            )
            ui.Spacer()
            if self._follows:
                tooltip = "Let the camera move with the robot"
                self._follow = _button("Follow", tooltip, 60, lambda: model.set_follow(not model.follow))
            hint = "Show the whole robot (F)" if self._follows else "Show the whole robot"
            _button("Frame", hint, 56, self._frame)
            ui.Spacer(width=px(2))

    def build_bottom(self) -> None:
        """Builds the row of overlays and the caption inside the current frame."""
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Spacer(width=px(2))
            self._toggles = {
                name: _button(
                    overlay.label,
                    overlay.help,
                    72,
                    partial(self._model.toggle_overlay, name),
                    f"overlay.{name}",
                )
                for name, overlay in OVERLAYS.items()
            }
            ui.Spacer()
            self._caption = ui.Label("", name="small", width=0, identifier="viewport.caption")
            ui.Spacer(width=px(6))

    def refresh(self) -> None:
        """Brings the buttons up to date."""
        model = self._model
        running = model.env is not None
        _name(self._watched, "on" if model.chosen is None and running else "")
        if self._follow is not None:
            _name(self._follow, "on" if model.follow else "")
        for name, toggle in self._toggles.items():
            _name(toggle, "on" if name in model.overlays else "")
        for chooser in (self._watched, self._previous, self._index, self._following):
            chooser.enabled = running
        self._pause.enabled = not model.idle
        self._step.enabled = model.paused
        text = "Continue" if model.paused else "Pause"
        if self._pause.text != text:
            self._pause.text = text
        if running and self._index.model.as_int != model.index:
            self._index.model.as_int = model.index
        if self._caption.text != model.caption:
            self._caption.text = model.caption

    def _step_environment(self, step: int) -> None:
        self._model.choose(self._model.index + step)


def _button(text: str, tooltip: str, width: int, clicked: Callable[[], Any], identifier: str = "") -> ui.Button:
    """A button of the viewport; ``width`` before ``px``."""
    return ui.Button(
        text,
        width=px(width),
        tooltip=tooltip,
        identifier=f"viewport.{identifier or text.lower()}",
        clicked_fn=lambda: clicked(),
    )


def _name(widget: ui.Widget, name: str) -> None:
    if widget.name != name:
        widget.name = name
