"""Draws the inside of a plot as a picture: its cost on the screen does not depend on the number of curves."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.colors import Bytes, mixed, rgba
from humanoid_rl_ext.ui.plots.figure import Curve, Figure
from humanoid_rl_ext.ui.plots.series import Samples

FINER = 2
"""Lines are drawn so many times as large and reduced, which makes their edges smooth."""
LINE, HAIR = 1.7, 1.0
"""Widths of curves and of all other lines, in pixels at scale 1."""
NOISE, OTHER_RUN = 0.45, 0.45
"""How much is left of the colour of values before smoothing, and of compared runs in a chart of many metrics."""


def paint(figure: Figure, width: int, height: int, scale: float = 1.0, background: int = theme.FIELD) -> Image.Image:
    """The plot of a figure, ``width`` x ``height`` pixels: four bytes a pixel, red, green, blue and 255.

    ``scale`` thickens lines; ``background`` is a colour of the theme.
    """
    size = width * FINER, height * FINER
    image = Image.new("RGBX", size, rgba(background))
    draw = ImageDraw.Draw(image)
    hair, line = round(HAIR * scale * FINER), round(LINE * scale * FINER)
    grid, mark = rgba(mixed(theme.BORDER, background, 0.6)), rgba(mixed(theme.WARNING, background, 0.8))
    for share, _ in figure.x_ticks:
        draw.line((share * size[0], 0, share * size[0], size[1]), grid, hair)
    for share, _ in figure.y_ticks:
        draw.line((0, (1 - share) * size[1], size[0], (1 - share) * size[1]), grid, hair)
    for x in sorted({round(share * (size[0] - hair)) for share, _ in figure.marks}):
        for y in range(0, size[1], 8 * hair):
            draw.line((x, y, x, y + 4 * hair), mark, hair)
        draw.polygon((x - 3 * hair, 0, x + 3 * hair, 0, x, 5 * hair), mark)
    curves = [(figure.curves[index], samples) for index, samples in reversed(figure.samples.items())]
    for curve, samples in curves if figure.noisy else ():
        between = np.stack((samples.low, samples.high), 1).ravel()
        _line(
            draw, figure, np.repeat(samples.x, 2), between, rgba(mixed(curve.color, background, NOISE)), hair // FINER
        )
    for curve, samples in curves:
        color = rgba(shown_color(curve, figure, background))
        _line(draw, figure, samples.x, samples.mean, color, line)
        if len(samples) == 1:
            _dot(draw, figure, samples, color, 1.5 * line)
    return image.reduce(FINER)


def shown_color(curve: Curve, figure: Figure, background: int = theme.FIELD) -> int:
    """The colour that a curve is drawn in: runs that are compared stand back where several metrics are drawn."""
    dimmed = figure.chart.many and not curve.main
    return mixed(curve.color, background, OTHER_RUN) if dimmed else curve.color


def _line(draw: ImageDraw.ImageDraw, figure: Figure, x: np.ndarray, y: np.ndarray, color: Bytes, width: int) -> None:
    points = _places(draw, figure, x, y)
    draw.line(points.ravel().tolist(), color, width)


def _dot(draw: ImageDraw.ImageDraw, figure: Figure, samples: Samples, color: Bytes, radius: float) -> None:
    x, y = _places(draw, figure, samples.x, samples.mean)[0]
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), color)


def _places(draw: ImageDraw.ImageDraw, figure: Figure, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pixels (n, 2); far outside of the plot is as good as just outside."""
    width, height = draw.im.size
    shares = np.stack((figure.x_share(x), 1.0 - figure.y_share(y)), 1)
    return np.clip(shares, -1.0, 2.0) * (width - 1, height - 1)
