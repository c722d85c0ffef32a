"""A chart with its data, ready to be drawn: curves, limits, ticks and marks, in shares of the plot's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from humanoid_rl_ext.ui.draft import Change
from humanoid_rl_ext.ui.plots import axis
from humanoid_rl_ext.ui.plots.axis import Limits
from humanoid_rl_ext.ui.plots.charts import Chart
from humanoid_rl_ext.ui.plots.series import Samples, resample
from humanoid_rl_ext.ui.workbench import Mark

FEW = 3
"""Up to so many curves are drawn together with the values before smoothing, which would hide each other otherwise."""
OUTLIERS = 0.02
"""Share of the values before smoothing that may lie outside of the axes, at either end."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric of one run."""

    key: str
    """What hides and shows it: the metric where a chart has several, else the run."""
    label: str
    color: int
    column: str
    run: str
    main: bool
    """Whether it is of the run that legend and hover speak of."""
    visible: bool
    x: np.ndarray
    """Environment steps, (n,), ascending."""
    y: np.ndarray
    """Smoothed values, (n,), none of them NaN."""
    measured: np.ndarray
    """Values before smoothing, (n,)."""

    def at(self, env_steps: float) -> float | None:
        """The smoothed value nearest to ``env_steps``; None where there is no value at all."""
        return float(self.y[nearest(self.x, env_steps)]) if len(self.x) else None

    @property
    def last(self) -> float | None:
        """The newest smoothed value."""
        return float(self.y[-1]) if len(self.y) else None


@dataclass(slots=True)
class Figure:
    """What a chart shows now. Shares run from 0 at the left or the bottom to 1."""

    chart: Chart
    curves: list[Curve]
    samples: dict[int, Samples] = field(default_factory=dict)
    """What is drawn of ``curves[index]``, for those that are visible and have any value."""
    x_limits: Limits = (0.0, 1.0)
    y_limits: Limits = (0.0, 1.0)
    x_ticks: list[tuple[float, str]] = field(default_factory=list)
    """(share, text)."""
    y_ticks: list[tuple[float, str]] = field(default_factory=list)
    marks: list[tuple[float, Change]] = field(default_factory=list)
    """(share, edit), ascending."""
    reason: str = ""
    """Why there is nothing to see; empty when there is."""

    @property
    def noisy(self) -> bool:
        """Whether the values before smoothing are drawn too."""
        return len(self.samples) <= FEW

    def x_share[Steps: (float, np.ndarray)](self, env_steps: Steps) -> Steps:
        """Where a number of environment steps lies."""
        return (env_steps - self.x_limits[0]) / (self.x_limits[1] - self.x_limits[0])

    def y_share[Value: (float, np.ndarray)](self, value: Value) -> Value:
        """Where a value lies."""
        return (value - self.y_limits[0]) / (self.y_limits[1] - self.y_limits[0])

    def env_steps_at(self, share: float) -> float | None:
        """Environment steps of the iteration nearest to a place, of the main run where it has any data."""
        for curve in sorted(self.curves, key=lambda curve: not curve.main):
            if curve.visible and len(curve.x):
                wanted = self.x_limits[0] + share * (self.x_limits[1] - self.x_limits[0])
                return float(curve.x[nearest(curve.x, wanted)])
        return None

    def edits_near(self, share: float, reach: float) -> str:
        """What was edited within ``reach`` of a place, in words; empty if nothing was."""
        changes: dict[str, Change] = {}
        for place, change in self.marks:
            if abs(place - share) <= reach:
                first = changes.get(change.path, change)
                changes[change.path] = Change(change.path, first.old, change.new)
        texts = [edit_text(change) for change in list(changes.values())[-2:]]
        return "\n".join([*texts, *([f"and {len(changes) - 2} more"] if len(changes) > 2 else [])])


def draw_up(
    chart: Chart, curves: list[Curve], x_limits: Limits, marks: Sequence[Mark], points: int, ticks: tuple[int, int]
) -> Figure:
    """The figure of some curves between two numbers of environment steps.

    No curve gets more than ``points`` samples; ``ticks`` are about the numbers of ticks of the x and the y axis.
    """
    figure = Figure(chart, curves)
    for index, curve in enumerate(curves):
        if curve.visible and len(curve.x):
            samples = resample(curve.x, curve.y, x_limits, points, curve.measured)
            if len(samples):
                figure.samples[index] = samples
    drawn = list(figure.samples.values())
    extent = axis.limits_of(part for samples in drawn for part in _shown(samples, figure.noisy))
    if extent is None:
        return figure
    if chart.bounds is not None:
        extent = min(extent[0], chart.bounds[0]), max(extent[1], chart.bounds[1])
    figure.x_limits, figure.y_limits = x_limits, axis.padded(*extent)
    figure.x_ticks = [(figure.x_share(value), text) for value, text in axis.ticks(x_limits, ticks[0])]
    figure.y_ticks = [(figure.y_share(value), text) for value, text in axis.ticks(figure.y_limits, ticks[1])]
    figure.marks = [
        (figure.x_share(mark.env_steps), mark.change) for mark in marks if x_limits[0] <= mark.env_steps <= x_limits[1]
    ]
    return figure


def _shown(samples: Samples, noisy: bool) -> list[np.ndarray]:
    if not noisy:
        return [samples.mean]
    outside = int(OUTLIERS * len(samples))
    lowest, highest = np.partition(samples.low, outside), np.partition(samples.high, -1 - outside)
    return [samples.mean, lowest[outside : outside + 1], highest[len(samples) - 1 - outside :][:1]]


def nearest(x: np.ndarray, value: float) -> int:
    """Index of the entry of an ascending array that is nearest to a value."""
    right = min(int(np.searchsorted(x, value)), len(x) - 1)
    left = max(right - 1, 0)
    return left if value - x[left] < x[right] - value else right


def edit_text(change: Change) -> str:
    """An edit in words: ``weight of alive 0.5 -> 1.0``."""
    *above, name = change.path.split(".")
    owner = next((part for part in reversed(above) if part not in ("params", "rewards", "learner", "run")), "")
    what = f"{name} of {owner}" if owner else name
    if change.old is None:
        return f"{what} added" if isinstance(change.new, dict) else f"{what} set to {_plain(change.new)}"
    if change.new is None:
        return f"{what} removed"
    return f"{what} {_plain(change.old)} -> {_plain(change.new)}"


def _plain(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:21] + "..."
