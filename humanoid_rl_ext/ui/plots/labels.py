"""The numbers along an axis."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.theme import px

MOST = 12
"""Numbers that an axis can have."""
LETTER = 8
"""Width of a letter of the small font, before ``px``."""


class TickLabels:
    """A row or a column of numbers, built once and then moved.

    ``width`` (pixels) is that of the y axis' column: the row of the x axis begins that far left of the plot.
    """

    def __init__(self, chart: str, width: float, *, vertical: bool) -> None:
        self._width, self._vertical = width, vertical
        self._places: list[ui.Placer] = []
        self._labels: list[ui.Label] = []
        alignment = ui.Alignment.RIGHT_CENTER if vertical else ui.Alignment.CENTER
        # Clipping keeps numbers that stick out from making the chart larger.
        with (
            ui.Frame(width=width if vertical else ui.Fraction(1), horizontal_clipping=True, vertical_clipping=True),
            ui.ZStack(),
        ):
            for index in range(MOST):
                with ui.Placer(visible=False) as place:
                    label = ui.Label(
                        "",
                        name="small",
                        width=width - px(6) if vertical else 0,
                        height=px(theme.FONT_SMALL + 4),
                        alignment=alignment,
                        identifier=f"plots.{chart}.{'y' if vertical else 'x'}{index}",
                    )
                self._places.append(place)
                self._labels.append(label)

    def show(self, ticks: list[tuple[float, str]], length: float) -> None:
        """Puts numbers at shares of the axis, which is ``length`` pixels long."""
        spread = [tick for tick in ticks if self._fits(tick, length)][:MOST]
        for index, (place, label) in enumerate(zip(self._places, self._labels, strict=True)):
            place.visible = index < len(spread)
            if index < len(spread):
                share, label.text = spread[index]
                if self._vertical:
                    half = px(theme.FONT_SMALL + 4) / 2
                    place.offset_y = min(max((1.0 - share) * length - half, 0.0), length - 2 * half)
                else:
                    width = len(label.text) * px(LETTER)
                    label.width = ui.Pixel(width)
                    place.offset_x = self._width + share * length - width / 2

    def _fits(self, tick: tuple[float, str], length: float) -> bool:
        """Whether a number of the x axis ends before the chart does."""
        share, text = tick
        return self._vertical or (1.0 - share) * length >= len(text) * px(LETTER) / 2
