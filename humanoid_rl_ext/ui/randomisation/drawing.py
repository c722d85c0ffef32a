"""A small picture of a figure in a window, with the ends of its range as numbers below."""

from __future__ import annotations

import math

import numpy as np
from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.labels import LETTER
from humanoid_rl_ext.ui.randomisation.figure import Figure
from humanoid_rl_ext.ui.randomisation.painter import paint
from humanoid_rl_ext.ui.theme import px

AXIS = 17
"""Height of the numbers, before ``px``."""


class Drawing:
    """Built in the current container, ``height`` (before ``px``) high; drawn anew when figure or size have changed."""

    def __init__(
        self, identifier: str, height: float, *, tooltip: str = "", color: int = theme.BLUE, numbered: bool = True
    ) -> None:
        self.figure: Figure | None = None
        """What is shown."""
        self.numbers: tuple[str, ...] = ()
        """What stands below, from one end of the range to the other."""
        self._color = color
        self._drawn: tuple[Figure | None, tuple[str, ...], int, int] = (None, (), 0, 0)
        self._labels: list[tuple[ui.Placer, ui.Label]] = []
        self._provider = ui.ByteImageProvider()
        with ui.ZStack(height=px(height)):
            self._image = ui.ImageWithProvider(
                self._provider, fill_policy=ui.IwpFillPolicy.IWP_STRETCH, identifier=identifier, tooltip=tooltip
            )
        if numbered:  # clipping keeps numbers that stick out from making the picture wider
            with ui.Frame(height=px(AXIS), horizontal_clipping=True), ui.ZStack():
                for _ in range(3):
                    with ui.Placer(visible=False) as place:
                        label = ui.Label("", name="small", width=0, height=px(AXIS), alignment=ui.Alignment.CENTER)
                    self._labels.append((place, label))

    def tell(self, tooltip: str) -> None:
        """Sets the tooltip."""
        if self._image.tooltip != tooltip:
            self._image.tooltip = tooltip

    def update(self) -> None:
        """Draws what has changed; call it before every frame."""
        width, height = math.floor(self._image.computed_width), math.floor(self._image.computed_height)
        wanted = self.figure, self.numbers, width, height
        if self.figure is None or width < 8 or height < 8 or self._drawn == wanted:
            return
        self._drawn = wanted
        picture = np.asarray(paint(self.figure, width, height, theme.scale(), self._color))
        self._provider.set_data_array(picture, [width, height])
        self._place_numbers(width, self.figure.ends)

    def _place_numbers(self, length: int, ends: tuple[float, float]) -> None:
        low, high = ends
        wide = max(map(len, self.numbers), default=0) * px(LETTER)
        crowded = (high - low) * length < (len(self.numbers) - 0.5) * wide
        for index, (place, label) in enumerate(self._labels):
            last = len(self.numbers) - 1
            place.visible = index <= last and (index in (0, last) or not crowded)
            if index <= last:
                label.text, label.width = self.numbers[index], ui.Pixel(wide)
                share = low + (high - low) * index / max(last, 1)
                place.offset_x = min(max(share * length - wide / 2, 0.0), length - wide)
