"""The open charts as a picture and as a table."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.axis import value_text
from humanoid_rl_ext.ui.plots.charts import Chart
from humanoid_rl_ext.ui.plots.colors import rgba
from humanoid_rl_ext.ui.plots.figure import Figure
from humanoid_rl_ext.ui.plots.model import PlotsModel
from humanoid_rl_ext.ui.plots.painter import paint, shown_color

SCALE = 2
"""Pixels of a saved picture for a pixel at scale 1."""
PLOT = (480 * SCALE, 270 * SCALE)
LEFT, TOP, RIGHT, BOTTOM = 62 * SCALE, 34 * SCALE, 18 * SCALE, 44 * SCALE
"""Room around a plot for numbers and titles."""
TICKS = (5, 5)
ROW = 20 * SCALE
MOST_COLUMNS = 3
Row = Sequence[object]


def save_png(model: PlotsModel, path: Path) -> None:
    """Writes the charts of the open group to a picture, in the background; the workbench says how it went."""
    figures = [model.figure(chart, PLOT[0], TICKS) for chart in model.charts()]
    _in_background(model, path, lambda: picture(figures).save(path, format="PNG"))


def save_csv(model: PlotsModel, path: Path) -> None:
    """Writes what the open charts show to a table, in the background; the workbench says how it went."""
    header, rows = table(model, model.charts())

    def write() -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)

    _in_background(model, path, write)


def _in_background(model: PlotsModel, path: Path, work: Callable[[], object]) -> None:
    say = model.workbench.say
    model.workbench.background.run(
        work, lambda _: say(f"Saved {path}"), lambda error: say(f"{path} could not be written: {error}", "error")
    )


def table(model: PlotsModel, charts: Sequence[Chart]) -> tuple[list[str], list[Row]]:
    """Header and rows of the curves that are shown, within the span, as they were measured.

    A row is one iteration of one run: ``run``, ``env_steps``, then the metrics; empty where there is no value.
    """
    columns = [column for chart in charts for column in chart.columns]
    shown = list(dict.fromkeys(column for column in columns if column not in model.hidden))
    rows: list[Row] = []
    for run in model.runs:
        if run.history is None or run.key in model.hidden:
            continue
        env_steps = run.history.column("env_steps")
        inside = env_steps >= model.x_limits()[0]
        values = np.stack([run.history.column(column)[inside] for column in shown], axis=1) if shown else None
        for index, steps in enumerate(env_steps[inside]):
            measured = values[index].tolist() if values is not None else []
            rows.append([run.name, int(steps), *(value if math.isfinite(value) else "" for value in measured)])
    return ["run", "env_steps", *shown], rows


def picture(figures: Sequence[Figure]) -> Image.Image:
    """The figures side by side, up to three in a row, each with title, axes and legend."""
    columns = 2 if len(figures) == 4 else min(max(len(figures), 1), MOST_COLUMNS)
    legend = max((len(_legend(figure)) for figure in figures), default=0)
    width, height = LEFT + PLOT[0] + RIGHT, TOP + PLOT[1] + BOTTOM + legend * ROW + ROW // 2
    rows = math.ceil(max(len(figures), 1) / columns)
    image = Image.new("RGB", (columns * width, rows * height), rgba(theme.SURFACE)[:3])
    for index, figure in enumerate(figures):
        _draw(image, figure, index % columns * width, index // columns * height)
    return image


def _draw(image: Image.Image, figure: Figure, left: int, top: int) -> None:
    draw = ImageDraw.Draw(image)
    title, small = ImageFont.load_default(17 * SCALE), ImageFont.load_default(13 * SCALE)
    text, muted = rgba(theme.TEXT)[:3], rgba(theme.MUTED)[:3]
    x, y = left + LEFT, top + TOP
    draw.text((x, y - 9 * SCALE), figure.chart.title, text, title, anchor="ls")
    image.paste(paint(figure, *PLOT, SCALE).convert("RGB"), (x, y))
    for share, number in figure.x_ticks:
        draw.text((x + share * PLOT[0], y + PLOT[1] + 5 * SCALE), number, muted, small, anchor="ma")
    for share, number in figure.y_ticks:
        draw.text((x - 7 * SCALE, y + (1.0 - share) * PLOT[1]), number, muted, small, anchor="rm")
    below = y + PLOT[1] + 22 * SCALE
    draw.text((x + PLOT[0] / 2, below), "environment steps", muted, small, anchor="ma")
    if figure.reason:
        draw.text((x + PLOT[0] / 2, y + PLOT[1] / 2), figure.reason, muted, small, anchor="mm")
    for index, (color, label, value) in enumerate(_legend(figure)):
        middle = top + TOP + PLOT[1] + BOTTOM + (index + 0.3) * ROW
        draw.rectangle((x, middle - 5 * SCALE, x + 10 * SCALE, middle + 5 * SCALE), rgba(color)[:3])
        draw.text((x + 18 * SCALE, middle), label, text, small, anchor="lm")
        draw.text((x + PLOT[0], middle), value, muted, small, anchor="rm")


def _legend(figure: Figure) -> list[tuple[int, str, str]]:
    """(colour, label, newest value) of each curve that is drawn."""
    several = len({curve.run for curve in figure.curves}) > 1
    entries = []
    for index in figure.samples:
        curve = figure.curves[index]
        label = f"{curve.label}, {curve.run}" if several and figure.chart.many else curve.label
        entries.append((shown_color(curve, figure), label, value_text(curve.last)))
    return entries
