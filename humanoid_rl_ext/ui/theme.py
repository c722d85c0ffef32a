"""One visual language: colours, sizes and the style of every widget. Colours are 0xAABBGGRR, as omni.ui has them."""

from __future__ import annotations

from typing import Any


def rgb(code: str, alpha: int = 255) -> int:
    """omni.ui's number for a colour written ``#rrggbb``."""
    red, green, blue = (int(code[i : i + 2], 16) for i in (1, 3, 5))
    return alpha << 24 | blue << 16 | green << 8 | red


BACKGROUND = rgb("#1b1917")
SURFACE = rgb("#24211f")
"""What docked windows of omni.ui stand on outside Kit, whatever the style says."""
RAISED = rgb("#373330")
FIELD = rgb("#171513")
BORDER = rgb("#48433e")
TEXT = rgb("#e6e3df")
MUTED = rgb("#aaa49d")
FAINT = rgb("#78726b")
ACCENT = rgb("#76b900")
ACCENT_DIM = rgb("#4d7a05")
BLUE = rgb("#4aa3ff")
WARNING = rgb("#ffb13d")
ERROR = rgb("#ff6b5e")
CLEAR = 0

SERIES = tuple(
    rgb(code)
    for code in ("#76b900", "#4aa3ff", "#ffb13d", "#e06bd8", "#2fd0c4", "#ff6b5e", "#b49cff", "#c9d44a", "#8d99a8")
)
"""Colours of curves, told apart on the dark background, in this order."""

_scale = 1.0


def set_scale(scale: float) -> None:
    """Makes everything that is built from now on ``scale`` times as large; 1 suits a 1280 x 720 window."""
    global _scale
    _scale = scale


def scale() -> float:
    """The factor that ``px`` applies."""
    return _scale


def px(size: float) -> float:
    """A length in pixels for a length at scale 1."""
    return round(size * _scale)


LABEL_WIDTH = 140
"""Width of the column of labels, the same in every section, before ``px``."""
ROW_HEIGHT = 24
SPACING = 4
FONT = 16
FONT_SMALL = 14


def style() -> dict[str, Any]:
    """The style of the whole panel at the present scale; names such as ``Button::primary`` pick a variant."""
    font, radius = px(FONT), px(3)
    button = {"background_color": RAISED, "border_radius": radius, "margin": 0, "padding": px(3)}
    field = {
        "background_color": FIELD,
        "border_color": BORDER,
        "border_width": 1,
        "border_radius": radius,
        "color": TEXT,
        "font_size": font,
        "padding": px(2),
        "secondary_color": BLUE,
        "secondary_selected_color": BLUE,
    }
    return {
        "Window": {"background_color": SURFACE, "border_width": 0},
        "Tooltip": {"background_color": RAISED, "color": TEXT, "font_size": px(FONT_SMALL), "padding": px(4)},
        "Label": {"color": TEXT, "font_size": font},
        "Label::muted": {"color": MUTED, "font_size": font},
        "Label::small": {"color": MUTED, "font_size": px(FONT_SMALL)},
        "Label::heading": {"color": TEXT, "font_size": px(FONT + 1)},
        "Label::changed": {"color": ACCENT, "font_size": font},
        "Label::warning": {"color": WARNING, "font_size": px(FONT_SMALL)},
        "Label::error": {"color": ERROR, "font_size": px(FONT_SMALL)},
        "Label::accent": {"color": ACCENT, "font_size": font},
        "Button": button,
        "Button:hovered": {"background_color": BORDER},
        "Button:pressed": {"background_color": FIELD},
        "Button:disabled": {"background_color": SURFACE},
        "Button.Label": {"color": TEXT, "font_size": font},
        "Button.Label:disabled": {"color": FAINT},
        "Button::primary": {**button, "background_color": ACCENT_DIM},
        "Button::primary:hovered": {"background_color": ACCENT},
        "Button::primary:disabled": {"background_color": SURFACE},
        "Button::danger:hovered": {"background_color": ERROR},
        "Button::flat": {**button, "background_color": CLEAR},
        "Button::flat:hovered": {"background_color": RAISED},
        "Button::on": {**button, "background_color": ACCENT_DIM},
        "Field": field,
        "Field:disabled": {"color": MUTED, "background_color": SURFACE},
        "Field::invalid": {**field, "border_color": ERROR},
        "StringField": field,
        "StringField::invalid": {**field, "border_color": ERROR},
        "Slider": {**field, "secondary_color": ACCENT_DIM, "draw_mode": 0},
        "CheckBox": {"background_color": FIELD, "color": ACCENT, "border_radius": radius, "font_size": font},
        "ComboBox": {**field, "background_color": FIELD, "secondary_color": RAISED},
        "ProgressBar": {"background_color": FIELD, "color": ACCENT_DIM, "border_radius": radius, "font_size": font},
        "CollapsableFrame": {
            "background_color": CLEAR,
            "secondary_color": RAISED,
            "border_radius": radius,
            "color": TEXT,
            "font_size": font,
            "padding": 0,
            "margin": px(1),
        },
        # Clear where the window's own colour shines through: a renderer on the CPU pays for every layer of pixels.
        "ScrollingFrame": {"background_color": CLEAR, "secondary_color": BORDER, "scrollbar_size": px(8)},
        "Rectangle::surface": {"background_color": SURFACE},
        "Rectangle::raised": {"background_color": RAISED, "border_radius": radius},
        "Rectangle::plot": {"background_color": FIELD, "border_radius": radius},
        "Line": {"color": BORDER, "border_width": 1},
        "TreeView": {
            "background_color": SURFACE,
            "secondary_color": RAISED,
            "secondary_selected_color": ACCENT_DIM,
            "border_width": 1,
            "color": TEXT,
        },
        "TreeView:selected": {"background_color": ACCENT_DIM},
        "TreeView.Header": {"background_color": RAISED, "color": MUTED, "font_size": px(FONT_SMALL)},
        "Menu": {"color": TEXT, "font_size": font},
        "MenuItem": {"color": TEXT, "font_size": font},
    }
