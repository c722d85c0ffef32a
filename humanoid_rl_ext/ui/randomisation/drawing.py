"""A small picture of a figure in a window."""

from __future__ import annotations

import math

import numpy as np
from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.randomisation.figure import Figure
from humanoid_rl_ext.ui.randomisation.painter import paint


class Drawing:
    """Fills the current container; drawn anew when its figure or its size has changed."""

    def __init__(self, identifier: str, tooltip: str = "", color: int = theme.BLUE) -> None:
        self.figure: Figure | None = None
        """What is shown."""
        self._color = color
        self._drawn: tuple[Figure | None, int, int] = (None, 0, 0)
        self._provider = ui.ByteImageProvider()
        self._image = ui.ImageWithProvider(
            self._provider, fill_policy=ui.IwpFillPolicy.IWP_STRETCH, identifier=identifier, tooltip=tooltip
        )

    def tell(self, tooltip: str) -> None:
        """Sets the tooltip."""
        if self._image.tooltip != tooltip:
            self._image.tooltip = tooltip

    def update(self) -> None:
        """Draws what has changed; call it before every frame."""
        width, height = math.floor(self._image.computed_width), math.floor(self._image.computed_height)
        if self.figure is None or width < 8 or height < 8 or self._drawn == (self.figure, width, height):
            return
        self._drawn = self.figure, width, height
        picture = np.asarray(paint(self.figure, width, height, theme.scale(), self._color))
        self._provider.set_data_array(picture, [width, height])
