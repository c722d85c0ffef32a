"""Names, colours and values of a chart's curves; a click switches one off, or on again."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.axis import value_text
from humanoid_rl_ext.ui.plots.charts import Chart
from humanoid_rl_ext.ui.plots.figure import Curve, Figure
from humanoid_rl_ext.ui.plots.labels import LETTER
from humanoid_rl_ext.ui.plots.model import PlotsModel
from humanoid_rl_ext.ui.theme import px

ROW = 20
SWATCH = 9
VALUE = 56
LETTERS = 9
"""Letters that a value and its swatch are as wide as."""


@dataclass(slots=True)
class Entry:
    """The widgets of one curve."""

    swatch: ui.Rectangle
    name: ui.Label | None
    value: ui.Label


class Legend:
    """A row of entries, or a ``column`` of them."""

    def __init__(self, model: PlotsModel, chart: Chart, *, column: bool) -> None:
        self._model, self._chart, self._column = model, chart, column
        self._curves: list[Curve] = []
        self._entries: list[Entry] = []
        self._shown: list[tuple[str, str]] = []

    def build(self) -> None:
        """Builds the legend inside the current container."""
        self._frame = ui.Frame(width=ui.Fraction(1) if self._column else 0, build_fn=self._build_entries)

    def show(self, figure: Figure, env_steps: float | None, room: float) -> None:
        """Shows the values at ``env_steps``, or the newest ones for None; a row of them is ``room`` pixels wide."""
        curves = [curve for curve in figure.curves if curve.main or not self._chart.many]
        if not self._column:
            widths = [px(LETTER) * (LETTERS + self._chart.many * len(curve.label)) for curve in curves]
            curves = [curve for curve, end in zip(curves, accumulate(widths), strict=True) if end <= room]
        keys = [(curve.key, curve.label) for curve in curves]
        self._curves = curves
        if keys != self._shown:
            self._shown = keys
            self._entries = []
            self._frame.rebuild()
            return
        for entry, curve in zip(self._entries, curves, strict=False):
            self._show_entry(entry, curve, curve.last if env_steps is None else curve.at(env_steps))

    def _build_entries(self) -> None:
        stack = ui.VStack(height=0) if self._column else ui.HStack(width=0, spacing=px(8))
        with stack:
            self._entries = [self._build_entry(curve) for curve in self._curves]
        for entry, curve in zip(self._entries, self._curves, strict=True):
            self._show_entry(entry, curve, curve.last)

    def _build_entry(self, curve: Curve) -> Entry:
        with ui.ZStack(width=ui.Fraction(1) if self._column else 0, height=px(ROW)):
            ui.Button(
                name="flat",
                height=px(ROW),
                identifier=f"plots.{self._chart.id}.legend.{curve.key}",
                tooltip=f"{curve.column} of {curve.run}\nClick to show or hide it",
                clicked_fn=lambda key=curve.key: self._model.toggle(key),
            )
            with ui.HStack(spacing=px(5)):
                with ui.VStack(width=px(SWATCH)):
                    ui.Spacer()
                    swatch = ui.Rectangle(height=px(SWATCH))
                    ui.Spacer()
                name = None
                if self._chart.many:
                    width = ui.Fraction(1) if self._column else 0
                    name = ui.Label(curve.label, name="small", width=width, elided_text=self._column)
                value = ui.Label(
                    "",
                    name="small",
                    width=px(VALUE) if self._column else 0,
                    alignment=ui.Alignment.RIGHT_CENTER if self._column else ui.Alignment.LEFT_CENTER,
                    identifier=f"plots.{self._chart.id}.value.{curve.key}",
                )
        return Entry(swatch, name, value)

    def _show_entry(self, entry: Entry, curve: Curve, value: float | None) -> None:
        text = value_text(value) if curve.visible else "off"
        if entry.value.text != text:
            entry.value.text = text
        color = curve.color if curve.visible else theme.BORDER
        if entry.swatch.style != {"background_color": color}:
            entry.swatch.style = {"background_color": color}
