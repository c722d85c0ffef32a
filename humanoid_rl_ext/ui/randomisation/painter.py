"""Draws a figure as a picture; knows nothing of windows."""

from __future__ import annotations

from PIL import Image, ImageDraw

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.colors import mixed, rgba
from humanoid_rl_ext.ui.randomisation.figure import Bar, Figure

FINER = 2
"""Everything is drawn so many times as large and reduced, which makes edges smooth."""
LINE = 1.5
"""Width of lines in pixels at scale 1."""
DASH = 4
FILLED, FAINT = 0.6, 0.28
"""How much is left of a bar's colour on the background."""


def paint(figure: Figure, width: int, height: int, scale: float = 1.0, color: int = theme.BLUE) -> Image.Image:
    """The picture, ``width`` x ``height`` pixels of red, green, blue and 255; ``color`` is that of its bars."""
    size = width * FINER, height * FINER
    line = max(2, round(LINE * scale * FINER))
    image = Image.new("RGBX", size, rgba(theme.FIELD))
    draw = ImageDraw.Draw(image)

    def box(bar: Bar) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, with a pixel between neighbours."""
        left, right = round(bar.left * width) * FINER, round(bar.right * width) * FINER - FINER
        return left, min((1.0 - bar.height) * size[1], size[1] - 1), max(left, right - 1), size[1]

    for share in figure.ends:
        draw.line(
            (share * size[0], 0, share * size[0], size[1]), rgba(mixed(theme.BORDER, theme.FIELD, 0.6)), line // 2
        )
    for bar in figure.bars:
        draw.rectangle(box(bar), rgba(mixed(color, theme.FIELD, FAINT if bar.faint else FILLED)))
    if figure.level is not None:
        y = min((1.0 - figure.level) * size[1], size[1] - line)
        for x in range(0, size[0], 2 * DASH * line):
            draw.line((x, y, x + DASH * line, y), rgba(theme.MUTED), line // 2)
    for bar in figure.outlines:
        left, top, right, bottom = box(bar)
        draw.line((left, bottom, left, top, right, top, right, bottom), rgba(theme.ACCENT), line, joint="curve")
    if figure.curve:
        points = [(x * size[0], min((1.0 - y) * size[1], size[1] - 1)) for x, y in figure.curve]
        draw.line(points, rgba(theme.ACCENT), line, joint="curve")
    return image.reduce(FINER)
