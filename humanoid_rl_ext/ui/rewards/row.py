"""One line of the table of rewards: switch, name, weight, what it earns, its share, a sparkline; parameters below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.binding import touches
from humanoid_rl_ext.ui.fields.buttons import BUTTON, cross
from humanoid_rl_ext.ui.fields.fold import Arrow
from humanoid_rl_ext.ui.fields.row import MARK_WIDTH, FieldGroup, NumberField, ResetMark
from humanoid_rl_ext.ui.rewards.model import Earned, RewardsModel, Row
from humanoid_rl_ext.ui.theme import px

SWITCH, WEIGHT, VALUE, BAR, PERCENT, TREND = 20, 60, 48, 36, 40, 46
"""Widths of the columns before ``px``; the name takes what is left."""
GAP = 4
MEAN_HELP = "Earned per episode: mean over the episodes that ended in the last 10 iterations"
SHARE_HELP = "Part of the sum of all sizes; praise is green, blame is red, the bar of the largest is full"
TREND_HELP = "Earned per episode in the last 60 iterations"
SIGNED = {
    "Rectangle::gain": {"background_color": theme.ACCENT_DIM},
    "Rectangle::loss": {"background_color": theme.rgb("#9c3b32")},
}


def figure(value: float | None) -> str:
    """An amount of reward in up to four digits."""
    if value is None:
        return "-"
    if 0 < abs(value) < 0.0005:
        return f"{value:.0e}".replace("e-0", "e-")
    return f"{value:.{0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3}f}"


def percent(share: float | None) -> str:
    """A share in whole percent, one decimal where it is small."""
    return "" if share is None else f"{100 * share:.{1 if 0 < abs(share) < 0.0995 else 0}f} %"


def set_text(label: ui.Label, text: str) -> None:
    """Shows a text; a label that shows it already is left alone."""
    if label.text != text:
        label.text = text


def header() -> None:
    """The names of the columns, in the current frame."""
    columns = (
        ("Weight", WEIGHT, ui.Alignment.LEFT_CENTER, "Reward per second is weight times the term"),
        ("Mean", VALUE, ui.Alignment.RIGHT_CENTER, MEAN_HELP),
        ("Share", BAR + GAP + PERCENT, ui.Alignment.RIGHT_CENTER, SHARE_HELP),
        ("Trend", TREND, ui.Alignment.RIGHT_CENTER, TREND_HELP),
    )
    with ui.HStack(height=px(18), spacing=px(GAP)):
        ui.Spacer(width=px(SWITCH))
        ui.Label("Reward", name="small", tooltip="Click a name to see its formula and parameters")
        for text, width, alignment, help in columns:
            ui.Label(text, width=px(width), name="small", alignment=alignment, tooltip=help)
        ui.Spacer(width=px(BUTTON + GAP + MARK_WIDTH))


class RewardRow:
    """Built in the current frame. ``opened`` holds the names whose parameters are shown; ``say`` gets problems."""

    def __init__(self, model: RewardsModel, row: Row, opened: set[str], say: Callable[[str], None]) -> None:
        self._model, self._row, self._opened, self._say = model, row, opened, say
        self._params: FieldGroup | None = None
        self._length = 0
        with ui.VStack(height=0):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(GAP)):
                self._enabled = NumberField(model.workbench, row.enabled, SWITCH)
                self._build_name()
                self._weight = NumberField(model.workbench, row.weight, WEIGHT, refused=self._refuse)
                self._build_figures()
                cross(f"{row.path}:remove", f"Removes {row.name}; Undo brings it back", self._remove)
                self._whole = model.whole(row)
                self._mark = ResetMark(self._whole, row.path, self._after_reset)
            self._reason = ui.Label(
                "", name="error", word_wrap=True, height=0, visible=False, identifier=f"{row.path}:reason"
            )
            self._below = ui.Frame(height=0, visible=row.name in opened, build_fn=self._build_below)
        self._arrow.point(self._below.visible)

    @property
    def name(self) -> str:
        """Name of the reward."""
        return self._row.name

    def refresh(self, paths: set[str]) -> None:
        """Takes over what has changed at ``paths``."""
        if any(touches(path, self._row.path) for path in paths):
            self._enabled.refresh()
            self._weight.refresh()
            self._mark.show()
            if self._params is not None:
                self._params.refresh()

    def show(self, earned: Earned, largest: float, trend: Sequence[float]) -> None:
        """Shows new figures; ``largest`` is the size of the largest share."""
        set_text(self._value, figure(earned.value))
        set_text(self._percent, percent(earned.share))
        self._show_bar(earned.share / largest if earned.share else 0.0)
        self._plot.visible = len(trend) > 1
        if len(trend) > 1:
            low, high = min(trend), max(trend)
            room = 0.08 * (high - low) or max(abs(high), 1e-6)
            self._plot.scale_min, self._plot.scale_max = low - room, high + room
            self._plot.set_data(*trend)

    def _build_name(self) -> None:
        row = self._row
        with ui.ZStack():
            ui.Button(" ", name="flat", identifier=f"{row.path}:open", tooltip=row.help, clicked_fn=self._toggle)
            with ui.HStack(spacing=px(GAP)):
                ui.Spacer(width=0)
                self._arrow = Arrow()
                ui.Label(
                    row.name,
                    elided_text=True,
                    identifier=f"{row.path}:name",
                    tooltip=row.help,
                    style={"font_size": px(theme.FONT_SMALL), "color": theme.TEXT},
                )

    def _build_figures(self) -> None:
        self._value = self._figure("value", VALUE, MEAN_HELP)
        self._value.text = "-"
        with ui.VStack(width=px(BAR)):
            ui.Spacer(height=px(7))
            with ui.ZStack(style=SIGNED):
                ui.Rectangle(name="plot")
                with ui.Placer() as self._place:
                    self._bar = ui.Rectangle(width=0, name="gain")
            ui.Spacer(height=px(7))
        self._percent = self._figure("share", PERCENT, SHARE_HELP)
        with ui.VStack(width=px(TREND)):
            ui.Spacer(height=px(3))
            self._plot = ui.Plot(
                ui.Type.LINE,
                0.0,
                1.0,
                0.0,
                identifier=f"{self._row.path}:trend",
                visible=False,
                style={"color": theme.BLUE, "background_color": theme.CLEAR, "padding": 0},
            )
            ui.Spacer(height=px(3))

    def _build_below(self) -> None:
        row = self._row
        with ui.HStack(height=0):
            ui.Spacer(width=px(SWITCH + GAP))
            with ui.VStack(height=0, spacing=px(2)):
                ui.Label(row.term.help, name="small", word_wrap=True, height=0)
                ui.Label(f"Term: {row.term.name}", name="small", height=px(18))
                self._params = FieldGroup("", row.params, self._model.workbench)
                ui.Spacer(height=px(theme.SPACING))

    def _figure(self, name: str, width: float, help: str) -> ui.Label:
        return ui.Label(
            "",
            width=px(width),
            alignment=ui.Alignment.RIGHT_CENTER,
            identifier=f"{self._row.path}:{name}",
            tooltip=help,
            style={"font_size": px(theme.FONT_SMALL), "color": theme.TEXT},
        )

    def _show_bar(self, length: float) -> None:
        """A bar from the middle; 1 and -1 reach the edges."""
        length = round(length * px(BAR) / 2)
        if length != self._length:
            self._length = length
            self._place.offset_x = ui.Pixel(px(BAR) / 2 + min(length, 0))
            self._bar.width = ui.Pixel(abs(length))
            self._bar.name = "loss" if length < 0 else "gain"

    def _after_reset(self) -> None:
        self._mark.show()
        self._refuse(self._whole.reason)

    def _toggle(self) -> None:
        self._below.visible = not self._below.visible
        (self._opened.add if self._below.visible else self._opened.discard)(self.name)
        self._arrow.point(self._below.visible)

    def _remove(self) -> None:
        self._say(self._model.remove(self._row))

    def _refuse(self, reason: str) -> None:
        self._reason.text = reason
        self._reason.visible = bool(reason)
