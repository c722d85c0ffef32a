"""The widget that shows and takes one value: text fields, a check box or a list of choices, chosen by its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.binding import Binding
from humanoid_rl_ext.ui.fields.spec import UNSET
from humanoid_rl_ext.ui.theme import px


class TextCell:
    """One text field, or several side by side for a range or a vector; writes on Enter and when it loses focus."""

    def __init__(self, binding: Binding, identifier: str, after: Callable[[], None]) -> None:
        self._binding, self._after = binding, after
        self._editing: int | None = None
        parts = binding.spec.parts
        with ui.HStack(spacing=px(theme.SPACING)):
            self.widgets = [
                ui.StringField(identifier=identifier if parts == 1 else f"{identifier}[{part}]")
                for part in range(parts)
            ]
        for part, field in enumerate(self.widgets):
            field.model.set_value(binding.texts[part])
            field.model.add_begin_edit_fn(lambda model, part=part: self._begin(part))
            field.model.add_end_edit_fn(lambda model, part=part: self._end(part, model.as_string))

    @property
    def editing(self) -> bool:
        """Whether the user is typing in it."""
        return self._editing is not None

    def show(self, text: str | None = None) -> None:
        """Shows the binding's text, or another one while it is dragged; leaves a field alone that is typed in."""
        texts = self._binding.texts if text is None else [text]
        for part, field in enumerate(self.widgets):
            if part != self._editing and field.model.as_string != texts[part]:
                field.model.set_value(texts[part])
            field.name = "invalid" if self._binding.reason else ""

    def _begin(self, part: int) -> None:
        self._editing = part

    def _end(self, part: int, text: str) -> None:
        self._editing = None
        if text != self._binding.texts[part] or self._binding.reason:  # what was refused may be allowed by now
            self._binding.type_part(part, text)
        self._after()


class SwitchCell:
    """A check box."""

    def __init__(self, binding: Binding, identifier: str, after: Callable[[], None]) -> None:
        self._binding, self._after, self._showing = binding, after, False
        self.editing = False
        with ui.VStack():
            ui.Spacer(height=px(3))
            box = ui.CheckBox(width=px(20), identifier=identifier)
        self.widgets = [box]
        self.show()
        box.model.add_value_changed_fn(self._changed)

    def show(self, text: str | None = None) -> None:
        """Shows the binding's value."""
        self._showing = True
        self.widgets[0].model.set_value(self._binding.text == "yes")
        self._showing = False

    def _changed(self, model: Any) -> None:
        if not self._showing:
            self._binding.set(model.as_bool)
            self._after()


class ChoiceCell:
    """A list to choose from; a value that is none of the choices is shown as one more."""

    def __init__(self, binding: Binding, identifier: str, after: Callable[[], None]) -> None:
        self._binding, self._after, self._showing = binding, after, False
        self.editing = False
        spec = binding.spec
        choices = [*([UNSET] if spec.optional else []), *(spec.choices or ("yes", "no"))]
        self._choices = choices if binding.text in choices else [*choices, binding.text]
        with ui.VStack():
            ui.Spacer(height=px(2))
            box = ui.ComboBox(self._index, *self._choices, identifier=identifier)
        self.widgets = [box]
        box.model.add_item_changed_fn(self._changed)

    @property
    def _index(self) -> int:
        return self._choices.index(self._binding.text) if self._binding.text in self._choices else 0

    def show(self, text: str | None = None) -> None:
        """Shows the binding's choice."""
        self._showing = True
        self.widgets[0].model.get_item_value_model().set_value(self._index)
        self._showing = False

    def _changed(self, model: Any, item: Any) -> None:
        if not self._showing:
            self._binding.type(self._choices[model.get_item_value_model().as_int])
            self._after()


Cell = TextCell | SwitchCell | ChoiceCell


def make_cell(binding: Binding, identifier: str, after: Callable[[], None]) -> Cell:
    """The cell that suits a binding, built in the current frame; ``after`` is called after every edit."""
    kind = binding.spec.kind
    if kind == "choice" or (kind == "switch" and binding.spec.optional):
        return ChoiceCell(binding, identifier, after)
    return (SwitchCell if kind == "switch" else TextCell)(binding, identifier, after)
