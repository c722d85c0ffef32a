"""The stage of the run at work: a bar of its episodes, and its metric against the threshold as a small live plot."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.curriculum.progress import RunProgress, Standing
from humanoid_rl_ext.ui.theme import px

BAR, PLOT = 6, 56
"""Heights of the bar and of the plot, before ``px``."""


class ProgressView:
    """Built in the current frame; it takes no room while no run with stages is at work."""

    def __init__(self, progress: RunProgress) -> None:
        self._progress = progress
        self._frame = ui.VStack(height=0, spacing=px(2), visible=False)
        with self._frame:
            with ui.HStack(height=px(theme.ROW_HEIGHT)):
                self._heading = ui.Label("", name="accent", elided_text=True, identifier="curriculum.stage")
                self._counted = self._words("counted", "Episodes that have ended, of those that the rule asks for")
            with ui.ZStack(height=px(BAR)):
                ui.Rectangle(name="plot")
                with ui.HStack():
                    self._done = ui.Rectangle(
                        width=ui.Percent(0),
                        identifier="curriculum.progress",
                        style={"background_color": theme.ACCENT_DIM, "border_radius": px(2)},
                    )
                    ui.Spacer()
            self._rule = ui.VStack(height=0)
            with self._rule:
                with ui.HStack(height=px(theme.ROW_HEIGHT)):
                    self._metric = ui.Label("", identifier="curriculum.metric", tooltip="Mean over the rule's window")
                    self._needed = self._words("needed", "The yellow line; the next stage begins above it")
                with ui.ZStack(height=px(PLOT)):
                    ui.Rectangle(name="plot")
                    self._threshold = _line(theme.WARNING, "curriculum.threshold")
                    self._trend = _line(theme.ACCENT, "curriculum.trend")
            ui.Spacer(height=px(4))
        self.show()

    def show(self) -> None:
        """Shows where the run stands now."""
        standing = self._progress.standing()
        self._frame.visible = standing is not None
        if standing is None:
            return
        _set(self._heading, standing.heading)
        _set(self._counted, standing.counted)
        self._done.width = ui.Percent(round(100 * (1.0 if standing.progress is None else standing.progress)))
        self._rule.visible = bool(standing.metric)
        _set(self._metric, standing.metric)
        _set(self._needed, standing.needed)
        self._plot(standing)

    def _plot(self, standing: Standing) -> None:
        values = [*standing.trend, standing.threshold]
        low, high = min(values), max(values)
        room = 0.15 * (high - low) or max(abs(high), 1.0) * 0.15
        trend = standing.trend if len(standing.trend) > 1 else standing.trend * 2
        self._trend.visible = bool(trend)
        for plot, data in ((self._threshold, (standing.threshold,) * 2), (self._trend, trend)):
            if data:
                plot.scale_min, plot.scale_max = low - room, high + room
                plot.set_data(*data)

    def _words(self, name: str, tooltip: str) -> ui.Label:
        return ui.Label(
            "",
            name="small",
            width=0,
            alignment=ui.Alignment.RIGHT_CENTER,
            identifier=f"curriculum.{name}",
            tooltip=tooltip,
        )


def _line(color: int, identifier: str) -> ui.Plot:
    style = {"color": color, "background_color": theme.CLEAR, "padding": 0}
    return ui.Plot(ui.Type.LINE, 0.0, 1.0, 0.0, 0.0, identifier=identifier, style=style)


def _set(label: ui.Label, text: str) -> None:
    if label.text != text:
        label.text = text
