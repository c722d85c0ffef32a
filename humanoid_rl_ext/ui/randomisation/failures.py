"""The failure map: for each randomised quantity a small chart of how often episodes fail at each of its values."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.randomisation.drawing import Drawing
from humanoid_rl_ext.ui.randomisation.model import FailureChart, FailureCharts, RandomisationModel
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.theme import px

COLUMNS = 2
CHART = 44
"""Height of a chart, before ``px``."""
NOTHING = "While training: how often episodes fail at each value of the quantities that are one number."


class FailureMapView:
    """Built in the current frame; charts are arranged anew only when quantities come or go."""

    def __init__(self, model: RandomisationModel) -> None:
        self._model = model
        self._names: tuple[str, ...] = ()
        self._charts: dict[str, Drawing] = {}
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                ui.Label("Failure map", name="heading", tooltip="Which values the robot fails with")
                self._clear = ui.Button(
                    "Clear",
                    name="flat",
                    width=px(60),
                    identifier="randomisation.failures:clear",
                    tooltip="Counts anew, from the next episode on",
                    clicked_fn=self._count_anew,
                )
            self._caption = ui.Label(
                NOTHING, name="small", word_wrap=True, height=0, identifier="randomisation.failures:caption"
            )
            self._grid = ui.VStack(height=0, spacing=px(theme.SPACING))
        self.show(FailureCharts())

    def show(self, found: FailureCharts) -> None:
        """Shows these counts."""
        self._clear.enabled = found.episodes > 0
        caption = found.caption or NOTHING
        if self._caption.text != caption:
            self._caption.text = caption
        names = tuple(chart.name for chart in found.charts)
        if names != self._names:
            self._names = names
            self._arrange(found.charts)
        for chart in found.charts:
            drawing = self._charts[chart.name]
            drawing.figure, drawing.numbers = chart.figure, (chart.low, chart.high)
            drawing.tell(chart.help)

    def update(self) -> None:
        """Draws what has changed; call it before every frame."""
        for drawing in self._charts.values():
            drawing.update()

    def _arrange(self, charts: tuple[FailureChart, ...]) -> None:
        release(self._charts)
        self._charts = {}
        self._grid.clear()
        with self._grid:
            for start in range(0, len(charts), COLUMNS):
                with ui.HStack(height=0, spacing=px(8)):
                    for chart in charts[start : start + COLUMNS]:
                        self._build_chart(chart)
                    for _ in range(start + COLUMNS - len(charts)):
                        ui.Spacer()

    def _build_chart(self, chart: FailureChart) -> None:
        with ui.VStack(height=0):
            ui.Label(chart.label, name="small", height=px(18), style={"color": theme.TEXT}, elided_text=True)
            drawing = Drawing(f"randomisation.failures:{chart.name}", CHART, color=theme.WARNING)
        self._charts[chart.name] = drawing

    def _count_anew(self) -> None:
        self._model.clear_failures()
        self.show(self._model.failures())
