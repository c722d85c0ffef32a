"""What the plots show: which charts, which runs, how smooth, how far back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from humanoid_rl_ext.train.metrics import MetricHistory, read_lines
from humanoid_rl_ext.ui.plots.axis import Limits
from humanoid_rl_ext.ui.plots.charts import GROUPS, Chart, charts_of, label
from humanoid_rl_ext.ui.plots.colors import series_color
from humanoid_rl_ext.ui.plots.figure import Curve, Figure, draw_up
from humanoid_rl_ext.ui.plots.series import smooth
from humanoid_rl_ext.ui.signal import Signal
from humanoid_rl_ext.ui.workbench import Workbench

SPANS = {"All": 1.0, "Last half": 0.5, "Last fifth": 0.2, "Last 5 %": 0.05}
"""Which part of the runs is shown, as a share of their length."""
THIS_RUN = ""
"""Key of the run at work, or of the last one."""
MOST_SMOOTHING = 0.99
MAX_POINTS = 1600
"""A curve has a sample for each pixel, but no more than these."""


@dataclass(slots=True)
class ShownRun:
    """A run in the plots; ``history`` is None while it is being read."""

    path: Path | None
    name: str
    color: int
    history: MetricHistory | None

    @property
    def key(self) -> str:
        """Tells it from the others; the run at work has an empty one."""
        return str(self.path) if self.path is not None else THIS_RUN


class PlotsModel:
    """The choices of the user, and figures made from them.

    ``data_version`` counts changes of the data, ``choice_version`` changes of what the user chose.
    """

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench
        setting = workbench.host.setting
        self.smoothing: float = min(max(float(setting("plots.smoothing", 0.6)), 0.0), MOST_SMOOTHING)
        self.span: str = setting("plots.span", "All") if setting("plots.span", "All") in SPANS else "All"
        self.picked: list[str] = [str(name) for name in setting("plots.picked", [])]
        """Metrics that the user added to the group 'More'."""
        self.group = "Learning"
        self.hidden: set[str] = set()
        """Keys of curves that are switched off."""
        self.compared: list[ShownRun] = []
        self.runs_changed: Signal[()] = Signal()
        """The list of compared runs is another one, or one of them has been read."""
        self.data_version = self.choice_version = 0
        self._disconnects = [
            signal.connect(self._count_data)
            for signal in (workbench.metrics_added, workbench.marked, workbench.state_changed)
        ]

    def destroy(self) -> None:
        """Listens no longer."""
        for disconnect in self._disconnects:
            disconnect()

    # What the user chooses

    def open(self, group: str) -> None:
        """Shows another group of charts."""
        self.group = group
        self.choice_version += 1

    def set_smoothing(self, smoothing: float) -> None:
        """The weight of the past in the moving average, from 0 (none) to 0.99."""
        self.smoothing = min(max(smoothing, 0.0), MOST_SMOOTHING)
        self._choose("smoothing", self.smoothing)

    def set_span(self, span: str) -> None:
        """Which part of the runs is shown, one of ``SPANS``."""
        self.span = span
        self._choose("span", span)

    def toggle(self, key: str) -> None:
        """Switches a curve off, or on again."""
        self.hidden ^= {key}
        self.choice_version += 1

    def pick(self, name: str) -> None:
        """Adds a chart of any metric to the group 'More', and opens it."""
        if name not in self.picked:
            self.picked.append(name)
        self._choose("picked", self.picked)
        self.open("More")

    def unpick(self, name: str) -> None:
        """Takes a chart away that was added."""
        self.picked.remove(name)
        self._choose("picked", self.picked)

    def compare(self, runs: list[Path]) -> None:
        """Draws these runs beside the one at work; their metrics are read in the background."""
        known = {run.path: run for run in self.compared}
        self.compared = [known.get(path) or ShownRun(path, run_name(path), 0, None) for path in runs]
        for index, run in enumerate(self.compared):
            run.color = series_color(1 + index)
            if run.path not in known:
                self._read(run)
        self.hidden &= {run.key for run in self.runs} | set(self.names())
        self._changed_runs()

    def remove(self, key: str) -> None:
        """Compares with this run no longer."""
        self.compare([run.path for run in self.compared if run.path is not None and run.key != key])

    # What there is to show

    @property
    def main(self) -> ShownRun:
        """The run at work, or the last one."""
        path = self.workbench.run_path
        return ShownRun(None, run_name(path) if path else "This run", series_color(0), self.workbench.history)

    @property
    def runs(self) -> list[ShownRun]:
        """The run at work and those compared with it, without those that have nothing to show yet."""
        others = [run for run in self.compared if run.path != self.workbench.run_path]
        return [run for run in (self.main, *others) if run.history is not None and len(run.history)]

    @property
    def chips(self) -> list[ShownRun]:
        """Runs to tell apart, those that are still being read among them; empty while nothing is compared."""
        others = [run for run in self.compared if run.path != self.workbench.run_path]
        return [*(run for run in (self.main,) if len(self.workbench.history)), *others] if others else []

    def names(self) -> list[str]:
        """Names of all metrics of all shown runs, in the order in which they came."""
        return list(dict.fromkeys(name for run in self.runs if run.history for name in run.history.names))

    def choices(self) -> list[str]:
        """Metrics that can be added to the group 'More'."""
        there = {column for group in GROUPS for chart in charts_of(group, self.names()) for column in chart.columns}
        return [n for n in self.names() if "/" in n and n not in there and n not in self.picked]

    def charts(self) -> list[Chart]:
        """The charts of the group that is open."""
        return charts_of(self.group, self.names(), self.picked)

    def figure(self, chart: Chart, points: int, ticks: tuple[int, int]) -> Figure:
        """A chart with its data as it is now, for a plot that is ``points`` pixels wide; ``ticks`` as in `draw_up`."""
        runs, marks = self.runs, self.workbench.marks
        curves: list[Curve] = []
        for run in runs:
            curves += self._curves(chart, run, {curve.column for curve in curves})
        limits = self.x_limits()
        figure = draw_up(chart, curves, limits, marks, min(max(points, 2), MAX_POINTS), ticks)
        if not figure.samples:
            figure.reason = self._why_empty(chart, curves)
        return figure

    def _curves(self, chart: Chart, run: ShownRun, before: set[str]) -> list[Curve]:
        """The curves of one run; those of metrics that a run ``before`` has too are not the main ones."""
        assert run.history is not None
        x = run.history.column("env_steps")
        curves = []
        for index, column in enumerate(chart.columns):
            if column not in run.history.names:
                continue
            measured = run.history.column(column)
            finite = np.isfinite(measured)
            key, color = (column, series_color(index)) if chart.many else (run.key, run.color)
            visible = key not in self.hidden and run.key not in self.hidden
            kept = measured[finite] if visible else measured[:0]
            curves.append(
                Curve(
                    key,
                    label(column) if chart.many else run.name,
                    color,
                    column,
                    run.name,
                    column not in before,
                    visible,
                    x[finite] if visible else x[:0],
                    smooth(kept, self.smoothing),
                    kept,
                )
            )
        return curves

    def x_limits(self) -> Limits:
        """First and last environment steps of the span that is shown."""
        runs = [run.history for run in self.runs if run.history is not None and run.key not in self.hidden]
        columns = [history.column("env_steps") for history in runs]
        if not columns:
            return 0.0, 1.0
        first, last = min(float(x[0]) for x in columns), max(float(x[-1]) for x in columns)
        last = max([last, *(float(mark.env_steps) for mark in self.workbench.marks)])
        if first >= last:
            first = 0.0
        return last - SPANS[self.span] * (last - first), max(last, 1.0)

    def _why_empty(self, chart: Chart, curves: list[Curve]) -> str:
        if curves and not any(curve.visible for curve in curves):
            return "All curves are switched off: click one in the legend"
        if self.workbench.state in ("starting", "training", "paused"):
            from_episodes = not chart.columns or chart.columns[0].startswith(("episode/", "reward/"))
            return f"The first {'episodes are' if from_episodes else 'iteration is'} still running"
        if any(run.history is None for run in self.compared):
            return "Reading the runs ..."
        if self.runs:
            return "No episode has ended in the part that is shown"
        return "Start a run to see its curves, or compare earlier ones in the Runs section"

    # Inside

    def _read(self, run: ShownRun) -> None:
        path = run.path
        assert path is not None

        def done(history: MetricHistory) -> None:
            run.history = history
            if run in self.compared:
                self._changed_runs()

        def failed(error: Exception) -> None:
            self.compared = [other for other in self.compared if other is not run]
            self.workbench.say(f"The metrics of {path} cannot be read: {error}", "error")
            self._changed_runs()

        self.workbench.background.run(lambda: read_history(path), done, failed)

    def _choose(self, name: str, value: object) -> None:
        self.workbench.host.remember(f"plots.{name}", value)
        self.choice_version += 1

    def _changed_runs(self) -> None:
        self.choice_version += 1
        self.runs_changed.emit()

    def _count_data(self, *_: object) -> None:
        self.data_version += 1


def read_history(run: Path) -> MetricHistory:
    """The metrics that a run's folder holds; raises OSError where they cannot be read."""
    entries = read_lines(run / "metrics.jsonl")
    history = MetricHistory(max(len(entries), 1))
    for entry in entries:
        history.append(entry)
    return history


def run_name(run: Path) -> str:
    """What a run is called in the legend: its task, and when it was started."""
    return f"{run.parent.name} {run.name[5:10]} {run.name[11:16].replace('-', ':')}".rstrip()
