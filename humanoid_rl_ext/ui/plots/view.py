"""The plots: a toolbar and the charts of the open group, drawn anew when there is something new to draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.chart import ChartView
from humanoid_rl_ext.ui.plots.charts import Chart
from humanoid_rl_ext.ui.plots.model import PlotsModel
from humanoid_rl_ext.ui.plots.toolbar import Toolbar
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

INTERVAL_S = 0.25
"""New data is drawn no more often."""
SHARE = 0.05
"""Share of the time that drawing charts may take; where that needs longer, they are drawn less often."""
LEAST_WIDTH, LEAST_HEIGHT = 195, 150
"""Size below which a chart cannot be read, before ``px``."""
WIDER = 1.3
"""Width of a chart of many metrics, whose legend has names, beside those of one."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the charts are arranged; they are built anew when it changes."""

    charts: tuple[Chart, ...] = ()
    rows: int = 1
    scrolls: bool = False
    below: bool = False
    """Whether legends have a row of their own."""


class PlotsView:
    """The plots of a workbench's runs. ``model`` can be told to compare runs."""

    def __init__(self, workbench: Workbench) -> None:
        self.model = PlotsModel(workbench)
        self.views: list[ChartView] = []
        """The charts in view."""
        self._toolbar = Toolbar(self.model)
        self._layout = Layout()
        self._drawn = (-1, -1)
        self._queue: list[ChartView] = []
        self._gone: list[ChartView] = []
        self._next_data, self._cost = 0.0, 0.0

    def build(self) -> None:
        """Builds the plots inside the current frame."""
        with ui.VStack(spacing=px(2), style={"VStack": {"margin": 0}}):
            self._toolbar.build()
            self._area = ui.Frame(build_fn=self._build_charts)

    def update(self, now: float) -> None:
        """Follows the mouse, and draws at most one chart anew; call it before every frame (``now`` in seconds)."""
        self._toolbar.update()
        layout = self._wanted_layout()
        if layout != self._layout:
            self._layout = layout
            self._gone, self.views, self._queue = self.views, [], []
            self._area.rebuild()
            return
        versions = self.model.data_version, self.model.choice_version
        new_choice = versions[1] != self._drawn[1]
        if new_choice or (versions != self._drawn and now >= self._next_data and not self._queue):
            self._queue = list(self.views)
            self._drawn = versions
            self._next_data = now + max(INTERVAL_S, self._cost / SHARE)
            self._cost = 0.0
        self._queue += [view for view in self.views if view.resized and view not in self._queue]
        if self._queue:
            self._cost += self._queue.pop(0).refresh()
        for view in self.views:
            view.update()

    def destroy(self) -> None:
        """Listens no longer."""
        self.model.destroy()

    def _wanted_layout(self) -> Layout:
        charts = tuple(self.model.charts())
        below = len(charts) > 1 and (any(chart.many for chart in charts) or len(self.model.chips) > 1)
        width, height = self._area.computed_width, self._area.computed_height
        if width <= 0 or not charts:
            return Layout(charts)
        fitting = max(1, int(width // px(LEAST_WIDTH)))
        rows = min(math.ceil(len(charts) / fitting), max(1, int(height // px(LEAST_HEIGHT))))
        return Layout(charts, rows, math.ceil(len(charts) / rows) > fitting, below)

    def _build_charts(self) -> None:
        release(self._gone)
        self._gone = []
        layout, self.views = self._layout, []
        if not layout.charts:
            ui.Label(
                "The metrics of the task are shown here, once the first episodes have ended",
                name="muted",
                alignment=ui.Alignment.CENTER,
                identifier="plots.nothing",
            )
            return
        columns = math.ceil(len(layout.charts) / layout.rows)
        if layout.scrolls:
            with (
                ui.ScrollingFrame(
                    horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_ON,
                    vertical_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF,
                ),
                ui.HStack(width=columns * px(LEAST_WIDTH)),
            ):
                self._build_rows(columns)
        else:
            self._build_rows(columns)

    def _build_rows(self, columns: int) -> None:
        charts = self._layout.charts
        with ui.VStack(spacing=px(theme.SPACING)):
            for start in range(0, len(charts), columns):
                with ui.HStack(spacing=px(10)):
                    for chart in charts[start : start + columns]:
                        view = ChartView(
                            self.model, chart, beside=chart.many and len(charts) == 1, below=self._layout.below
                        )
                        remove = None
                        if self.model.group == "More" and chart.columns[0] in self.model.picked:
                            remove = lambda name=chart.columns[0]: self.model.unpick(name)  # noqa: E731
                        with ui.ZStack(width=ui.Fraction(WIDER if chart.many else 1)):
                            view.build(remove)
                        self.views.append(view)
                    for _ in range(start + columns - len(charts)):
                        ui.Spacer()
