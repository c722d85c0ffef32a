"""Colours of curves, as the theme has them (0xAABBGGRR) and as pictures do."""

from __future__ import annotations

from humanoid_rl_ext.ui import theme

Bytes = tuple[int, int, int, int]
LIGHTER = 0.5


def series_color(index: int) -> int:
    """The colour of a chart's curve; those that come after the theme's last one are paler."""
    color = theme.SERIES[index % len(theme.SERIES)]
    return mixed(color, theme.TEXT, LIGHTER) if index // len(theme.SERIES) % 2 else color


def mixed(color: int, background: int, share: float) -> int:
    """``share`` of a colour laid over another one; both as the theme has them."""
    pairs = zip(rgba(color), rgba(background), strict=True)
    red, green, blue, alpha = (round(share * top + (1.0 - share) * bottom) for top, bottom in pairs)
    return alpha << 24 | blue << 16 | green << 8 | red


def rgba(color: int) -> Bytes:
    """Red, green, blue and 255 of a colour of the theme."""
    return color & 255, color >> 8 & 255, color >> 16 & 255, 255
