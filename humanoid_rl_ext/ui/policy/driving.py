"""Sliders and buttons that drive and push the watched robot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.policy.control import MAX_PUSH, PUSHES, Control
from humanoid_rl_ext.ui.policy.drive import Component
from humanoid_rl_ext.ui.theme import px

KEYS_HELP = "W S, up down: forward, back.  A D: sideways.  Left right: turn.\nSpace: stand."
LABEL_WIDTH = 150


class DriveView:
    """Rebuilt when other commands can be driven; its sliders follow the keys."""

    def __init__(self, control: Control, interacted: Callable[[], None]) -> None:
        self._control, self._interacted = control, interacted
        self._sliders: list[ui.FloatSlider] = []
        self._shown: list[float] = []
        self._setting = False
        self._state: ui.Label | None = None

    def build(self) -> None:
        """Builds it inside the current container."""
        self._frame = ui.Frame(build_fn=self._build_command)
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label("Push with", width=px(LABEL_WIDTH))
            strength = _slider(
                0.1, MAX_PUSH, "%.1f m/s", "policy.push.speed", "Velocity that a push adds to the robot's base"
            )
            strength.model.set_value(self._control.push_speed)
            strength.model.add_value_changed_fn(self._set_strength)
        with ui.HStack(height=px(theme.ROW_HEIGHT + 2), spacing=px(theme.SPACING)):
            self._pushes = [
                ui.Button(
                    direction.capitalize(),
                    identifier=f"policy.push.{direction}",
                    clicked_fn=lambda direction=direction: self._control.push(direction),
                )
                for direction in PUSHES
            ]

    def rebuild(self) -> None:
        """Takes over other commands, or none."""
        self._frame.rebuild()
        for direction, button in zip(PUSHES, self._pushes, strict=True):
            button.enabled = self._control.can_push
            button.tooltip = (
                f"Push the robot {direction}, seen from itself"
                if self._control.can_push
                else "Nothing is played"
                if not self._control.watching
                else "This robot's base is fixed"
            )

    def update(self) -> None:
        """Shows the values that keys have driven, or that the task commands."""
        drive = self._control.drive
        style = "accent" if drive.active else "muted"
        if self._state is not None and self._state.name != style:
            self._state.name, self._state.text = style, "You drive" if drive.active else "The task commands"
        if drive.values == self._shown or len(drive.values) != len(self._sliders):
            return
        self._shown = list(drive.values)
        self._setting = True
        for slider, value in zip(self._sliders, self._shown, strict=True):
            slider.model.set_value(value)
        self._setting = False

    def _build_command(self) -> None:
        control = self._control
        self._sliders, self._shown, self._state = [], [], None
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            if not control.commands:
                text = (
                    "This task has no commands to drive" if control.watching else "Play a policy, or train, to drive it"
                )
                ui.Label(text, name="muted", height=px(theme.ROW_HEIGHT), identifier="policy.drive.none")
                return
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                self._build_choice()
                self._state = ui.Label("", identifier="policy.drive.state")
                ui.Button(
                    "Stand" if control.drive.has_keys else "Zero",
                    width=px(64),
                    identifier="policy.drive.stop",
                    tooltip="Command zero at once (space bar)",
                    clicked_fn=control.drive.stop,
                )
                ui.Button(
                    "Release",
                    width=px(72),
                    identifier="policy.drive.release",
                    tooltip="Give the command back to the task, which draws a new one",
                    clicked_fn=control.release,
                )
            for index, component in enumerate(control.drive.components):
                self._build_slider(index, component)
            if control.drive.has_keys:
                ui.Label(KEYS_HELP, name="small", height=0, word_wrap=True)

    def _build_choice(self) -> None:
        control = self._control
        if len(control.commands) == 1:
            ui.Label(control.command, width=px(LABEL_WIDTH), name="heading")
            return
        combo = ui.ComboBox(
            control.commands.index(control.command),
            *control.commands,
            width=px(LABEL_WIDTH),
            identifier="policy.drive.command",
            tooltip="The command that sliders and keys move",
        )
        combo.model.add_item_changed_fn(
            lambda model, _: self._choose(control.commands[model.get_item_value_model().as_int])
        )

    def _build_slider(self, index: int, component: Component) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label(component.label, width=px(LABEL_WIDTH), tooltip=component.help)
            slider = _slider(
                component.low,
                component.high,
                f"%.2f {component.unit}",
                f"policy.drive.{component.name}",
                f"{component.help}: drag to command it",
            )
            slider.model.add_value_changed_fn(lambda model: self._moved(index, model))
            self._sliders.append(slider)

    def _choose(self, name: str) -> None:
        self._control.choose_command(name)
        self._frame.rebuild()

    def _moved(self, index: int, model: Any) -> None:
        if not self._setting:
            self._interacted()
            self._control.drive.set(index, model.as_float)

    def _set_strength(self, model: Any) -> None:
        self._interacted()
        self._control.push_speed = model.as_float


def _slider(low: float, high: float, format: str, identifier: str, tooltip: str) -> ui.FloatSlider:
    """A slider as high as its border: in a higher one the filled part stands out below."""
    with ui.VStack():
        ui.Spacer()
        slider = ui.FloatSlider(
            min=low, max=high, format=format, height=px(theme.FONT + 4), identifier=identifier, tooltip=tooltip
        )
        ui.Spacer()
    return slider
