"""One entry of the table: a line that sums it up, and below it the distribution and all fields."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.binding import touches
from humanoid_rl_ext.ui.fields.buttons import BUTTON, cross
from humanoid_rl_ext.ui.fields.fold import Arrow
from humanoid_rl_ext.ui.fields.numbers import format_number
from humanoid_rl_ext.ui.fields.row import FieldRow, NumberField
from humanoid_rl_ext.ui.randomisation.drawing import Drawing
from humanoid_rl_ext.ui.randomisation.figure import Array
from humanoid_rl_ext.ui.randomisation.model import NEXT_RUN, RandomisationModel, Ranged
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.task.model import Entry, enabled_field
from humanoid_rl_ext.ui.theme import px

SWITCH, RANGE, WHEN, CURVE = 20, 104, 74, 42
"""Widths of columns, before ``px``."""
GAP = 4
PLOT, SMALL_PLOT = 84, 50
"""Heights of a single distribution and of one among several, before ``px``."""
WHEN_HELP = "How often it is drawn anew: once, with every episode, again and again after so many seconds, in every step"
PLOT_HELP = "Line: how values are to be distributed. Bars: what the environments have, once a second"


def header() -> None:
    """The names of the columns, in the current frame."""
    with ui.HStack(height=px(18), spacing=px(GAP)):
        ui.Spacer(width=px(SWITCH))
        ui.Label("Quantity", name="small", tooltip="Click a name to see its distribution and parameters")
        ui.Label("Range", width=px(RANGE), name="small")
        ui.Label("Drawn", width=px(WHEN), name="small", tooltip=WHEN_HELP)
        ui.Spacer(width=px(CURVE + BUTTON + GAP))


class EntryRow:
    """Built in the current frame. ``opened`` holds the paths of entries whose fields are shown."""

    def __init__(self, model: RandomisationModel, entry: Entry, opened: set[str], say: Callable[[str], None]) -> None:
        self._model, self.entry, self._opened, self._say = model, entry, opened, say
        self._fields: list[FieldRow] = []
        self._plots: list[tuple[Ranged, Drawing]] = []
        self._params: tuple[str, ...] = ()
        self._samples: Array | None = None
        self._caption: ui.Label | None = None
        with ui.VStack(height=0):
            self._build_line()
            self._below = ui.VStack(height=0, visible=self.opened)
            if self.opened:
                self._build_below()
        self.refresh({""})

    @property
    def opened(self) -> bool:
        """Whether the fields are shown."""
        return self.entry.path in self._opened

    def refresh(self, paths: set[str]) -> None:
        """Takes over what has changed at ``paths``."""
        if not any(touches(path, self.entry.path) for path in paths):
            return
        model, entry = self._model, self.entry
        self._switch.refresh()
        self._range.text = model.range_text(entry)
        self.show_waiting()
        ranges = model.ranges(entry)
        self._curve.figure = model.figure(entry, ranges[0]) if len(ranges) == 1 else None
        self._curve_place.visible = len(ranges) == 1
        for field in self._fields:
            field.refresh()
            field.visible = model.shows(entry, field.spec)
            why_not = model.obstacle(entry, field.spec)
            field.enable(not why_not, why_not)
        if self._caption is not None:
            self._show_figures()

    def show_waiting(self) -> None:
        """Says when it is drawn, or that the run at work has not got this yet."""
        self._when.text = self._model.when_text(self.entry)
        self._when.name = "warning" if self._when.text == NEXT_RUN else "small"

    def fetch(self) -> None:
        """Takes over what the environments have now, where it is shown."""
        if self.opened and self._caption is not None:
            self._samples = self._model.samples(self.entry)
            self._show_figures()

    def update(self) -> None:
        """Draws what has changed; call it before every frame."""
        self._curve.update()
        if self.opened:
            for _, drawing in self._plots:
                drawing.update()

    def _build_line(self) -> None:
        entry, path = self.entry, self.entry.path
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(GAP)):
            self._switch = NumberField(self._model.workbench, enabled_field(entry), SWITCH)
            with ui.ZStack():
                ui.Button(" ", name="flat", identifier=f"{path}:open", tooltip=self._help(), clicked_fn=self._toggle)
                with ui.HStack(spacing=px(GAP)):
                    ui.Spacer(width=0)
                    self._arrow = Arrow()
                    ui.Label(
                        entry.label,
                        elided_text=True,
                        identifier=f"{path}:label",
                        tooltip=self._help(),
                        style={"font_size": px(theme.FONT_SMALL), "color": theme.TEXT},
                    )
            self._range = ui.Label("", width=px(RANGE), name="small", elided_text=True, identifier=f"{path}:range")
            self._when = ui.Label("", width=px(WHEN), name="small", identifier=f"{path}:when", tooltip=WHEN_HELP)
            with ui.VStack(width=px(CURVE)):
                ui.Spacer(height=px(3))
                self._curve_place = ui.VStack(height=0)
                with self._curve_place:
                    self._curve = Drawing(f"{path}:curve", theme.ROW_HEIGHT - 6, numbered=False)
                ui.Spacer(height=px(3))
            cross(
                f"{path}:remove",
                f"Takes {entry.label.lower()} out of the task; Undo brings it back",
                lambda: self._say(self._model.task.remove(entry)),
            )
        self._arrow.point(self.opened)

    def _build_below(self) -> None:
        with self._below, ui.HStack(height=0):
            ui.Spacer(width=px(SWITCH + GAP))
            with ui.VStack(height=0, spacing=px(theme.SPACING)):
                ui.Label(self.entry.term.help, name="small", word_wrap=True, height=0)
                self._pictures = ui.VStack(height=0, spacing=px(2))
                self._caption = ui.Label(
                    "", name="small", word_wrap=True, height=0, identifier=f"{self.entry.path}:caption"
                )
                self._fields = [
                    FieldRow(spec, self._model.workbench, self._model.binding(self.entry, spec))
                    for spec in self.entry.specs
                ]
                ui.Spacer(height=px(theme.SPACING))

    def _build_pictures(self, ranges: list[Ranged]) -> None:
        release(self._plots)
        self._plots = []
        self._pictures.clear()
        columns = 1 if len(ranges) == 1 else 2
        with self._pictures:
            for start in range(0, len(ranges), columns):
                with ui.HStack(height=0, spacing=px(8)):
                    for ranged in ranges[start : start + columns]:
                        self._build_picture(ranged, PLOT if columns == 1 else SMALL_PLOT, columns > 1)
                    if columns > len(ranges) - start:
                        ui.Spacer()

    def _build_picture(self, ranged: Ranged, height: float, named: bool) -> None:
        with ui.VStack(height=0):
            if named:
                ui.Label(ranged.label, name="small", height=px(18))
            drawing = Drawing(f"{self.entry.path}:plot.{ranged.param}", height, tooltip=PLOT_HELP)
        self._plots.append((ranged, drawing))

    def _show_figures(self) -> None:
        ranges = self._model.ranges(self.entry)
        params = tuple(ranged.param for ranged in ranges)
        if params != self._params:
            self._params = params
            self._build_pictures(ranges)
        self._plots = [(ranged, drawing) for ranged, (_, drawing) in zip(ranges, self._plots, strict=True)]
        for ranged, drawing in self._plots:
            middle = float(f"{(ranged.low + ranged.high) / 2:.4g}")
            drawing.figure = self._model.figure(self.entry, ranged, self._samples)
            drawing.numbers = tuple(format_number(value) for value in (ranged.low, middle, ranged.high))
        if self._caption is not None:
            self._caption.text = self._model.caption(self.entry, self._samples)

    def _toggle(self) -> None:
        (self._opened.discard if self.opened else self._opened.add)(self.entry.path)
        if self.opened and self._caption is None:
            self._build_below()
            self._samples = self._model.samples(self.entry)
            self.refresh({""})
        self._below.visible = self.opened
        self._arrow.point(self.opened)

    def _help(self) -> str:
        return f"{self.entry.term.help}\n{self.entry.path}"
