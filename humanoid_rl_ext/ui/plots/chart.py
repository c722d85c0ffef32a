"""One chart: a picture of the curves, with axes, legend and a reading under the mouse as widgets around it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from omni import ui
from omni.ui import scene as sc

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.axis import value_text
from humanoid_rl_ext.ui.plots.charts import Chart
from humanoid_rl_ext.ui.plots.figure import Figure
from humanoid_rl_ext.ui.plots.labels import LETTER, TickLabels
from humanoid_rl_ext.ui.plots.legend import Legend
from humanoid_rl_ext.ui.plots.model import PlotsModel
from humanoid_rl_ext.ui.plots.painter import paint
from humanoid_rl_ext.ui.theme import px

HEADER, Y_AXIS, X_AXIS, LIST = 20, 46, 18, 216
"""Height of title and legend row, width of the y axis' numbers, height of the x axis' numbers, width of a legend that
stands beside the plot; before ``px``."""
TICK_WIDTH, TICK_HEIGHT = 70, 36
"""Room for a tick; the round numbers may come to lie up to 1.7 times as dense."""
MOST_TICKS = 6
REACH = 5
"""Distance to a mark at which its text is shown."""


class ChartView:
    """Shows one chart of the model. ``refresh`` draws it anew, ``update`` follows the mouse."""

    def __init__(self, model: PlotsModel, chart: Chart, *, beside: bool, below: bool) -> None:
        self.model, self.chart = model, chart
        self.figure: Figure | None = None
        self._beside, self._below = beside, below
        self._pointer: float | None = None
        self._read: float | None = None
        self._size = (0, 0)

    def build(self, remove: Callable[[], None] | None = None) -> None:
        """Builds the chart inside the current container; ``remove`` is what its remove button does."""
        self._legend = Legend(self.model, self.chart, column=self._beside)
        with ui.HStack(spacing=px(8)):
            with ui.VStack():
                self._build_header(remove)
                if self._below:
                    self._build_clipped_legend()
                with ui.HStack():
                    self._y_labels = TickLabels(self.chart.id, px(Y_AXIS), vertical=True)
                    self._build_plot()
                with ui.ZStack(height=px(X_AXIS)):
                    ui.Label(
                        "steps",
                        name="small",
                        width=px(Y_AXIS - 6),
                        alignment=ui.Alignment.RIGHT_CENTER,
                        tooltip="Steps of all environments together",
                    )
                    self._x_labels = TickLabels(self.chart.id, px(Y_AXIS), vertical=False)
            if self._beside:
                with ui.ScrollingFrame(
                    width=px(LIST),
                    horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF,
                    vertical_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_AS_NEEDED,
                ):
                    self._legend.build()

    def _build_header(self, remove: Callable[[], None] | None) -> None:
        with ui.HStack(height=px(HEADER), spacing=px(8)):
            ui.Label(self.chart.title, width=0, tooltip=self.chart.help, identifier=f"plots.{self.chart.id}.title")
            if not self._beside and not self._below:
                self._legend.build()
            ui.Spacer()
            self._reading = ui.Label(
                "",
                name="small",
                width=0,
                alignment=ui.Alignment.RIGHT_CENTER,
                identifier=f"plots.{self.chart.id}.reading",
            )
            if remove is not None:
                ui.Button(
                    "x",
                    name="flat",
                    width=px(HEADER),
                    identifier=f"plots.{self.chart.id}.remove",
                    tooltip="Take this chart away",
                    clicked_fn=remove,
                )

    def _build_clipped_legend(self) -> None:
        with ui.Frame(height=px(HEADER), horizontal_clipping=True):
            self._legend.build()

    def _build_plot(self) -> None:
        small, edge = px(theme.FONT_SMALL), {"background_color": theme.RAISED, "border_radius": px(3)}
        with ui.ZStack():
            self._picture = ui.ByteImageProvider()
            self._image = ui.ImageWithProvider(
                self._picture,
                fill_policy=ui.IwpFillPolicy.IWP_STRETCH,
                identifier=f"plots.{self.chart.id}.plot",
            )
            # Clipping keeps what sticks out from making the plot larger.
            with ui.Frame(horizontal_clipping=True, vertical_clipping=True), ui.ZStack():
                self._reason = ui.Label(
                    "",
                    name="muted",
                    alignment=ui.Alignment.CENTER,
                    word_wrap=True,
                    style={"margin": px(8)},
                    identifier=f"plots.{self.chart.id}.reason",
                )
                with ui.Placer() as self._cursor:
                    ui.Rectangle(width=px(1), style={"background_color": theme.TEXT})
                with ui.Placer(offset_y=px(4)) as self._tip, ui.ZStack(width=0, height=0):
                    ui.Rectangle(style=edge)
                    self._edit = ui.Label(
                        "",
                        width=0,
                        height=0,
                        style={"color": theme.WARNING, "font_size": small, "margin": px(4)},
                        identifier=f"plots.{self.chart.id}.edit",
                    )
                self._cursor.visible = self._tip.visible = False
            hit = sc.SceneView(aspect_ratio_policy=sc.AspectRatioPolicy.STRETCH)
            hit.set_mouse_hovered_fn(self._on_hovered)
            with hit.scene:
                sc.Screen(gestures=[sc.HoverGesture(on_changed_fn=self._on_moved)])

    @property
    def resized(self) -> bool:
        """Whether the plot has another size than when it was drawn."""
        return self._computed_size() != self._size

    def refresh(self) -> float:
        """Draws the chart as the data is now; the seconds that it took."""
        began = time.perf_counter()
        width, height = self._size = self._computed_size()
        if width < 8 or height < 8:
            return 0.0
        ticks = _tick_count(width, TICK_WIDTH), _tick_count(height, TICK_HEIGHT)
        self.figure = figure = self.model.figure(self.chart, width, ticks)
        self._picture.set_data_array(np.asarray(paint(figure, width, height, theme.scale())), [width, height])
        self._x_labels.show(figure.x_ticks, width)
        self._y_labels.show(figure.y_ticks, height)
        self._reason.text = figure.reason
        self._show_reading()
        return time.perf_counter() - began

    def update(self) -> None:
        """Follows the mouse."""
        if self._pointer != self._read:
            self._show_reading()

    def _computed_size(self) -> tuple[int, int]:
        return math.floor(self._image.computed_width), math.floor(self._image.computed_height)

    def _show_reading(self) -> None:
        self._read = self._pointer
        figure = self.figure
        if figure is None:
            return
        env_steps = None if self._read is None else figure.env_steps_at(self._read)
        self._cursor.visible = env_steps is not None
        edits = ""
        if env_steps is not None and self._read is not None:
            self._cursor.offset_x = min(max(figure.x_share(env_steps), 0.0), 1.0) * self._size[0]
            edits = figure.edits_near(self._read, px(REACH) / self._size[0])
        self._reading.text = "" if env_steps is None else f"at {value_text(env_steps)}"
        if edits and self._read is not None:
            self._edit.text = edits
            wide = max(map(len, edits.split("\n"))) * px(LETTER) + px(8)
            self._tip.offset_x = max(min(self._read * self._size[0] + px(6), self._size[0] - wide), 0.0)
        self._tip.visible = bool(edits)
        self._legend.show(figure, env_steps, self._size[0] + px(Y_AXIS))

    def _on_moved(self, shape: Any) -> None:
        x, y = shape.gesture_payload.mouse  # of moves outside of the plot too
        self._pointer = (x + 1.0) / 2.0 if abs(x) <= 1.0 and abs(y) <= 1.0 else None
        if self._pointer is not None:
            self.model.workbench.host.interacted()

    def _on_hovered(self, inside: bool) -> None:
        if not inside:
            self._pointer = None


def _tick_count(length: int, least: float) -> int:
    return int(min(max(length // px(least), 2), MOST_TICKS))
