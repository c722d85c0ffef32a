"""Where the run at work stands in its curriculum, in figures and words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from humanoid_rl_ext.errors import HumanoidRLError
from humanoid_rl_ext.task.curriculum import AdvanceSection
from humanoid_rl_ext.ui.fields.numbers import format_number
from humanoid_rl_ext.ui.workbench import Workbench

TREND = 200
"""Iterations of the stage that the plot shows."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The stage of the run, how far it is, and its metric against the threshold."""

    stage: str
    heading: str
    progress: float | None
    """Episodes of those needed, 0 to 1; None where no rule leads on."""
    counted: str
    metric: str
    """The metric now, in words; '' where no rule leads on."""
    needed: str
    threshold: float
    trend: tuple[float, ...]
    """The metric in the stage's last iterations, oldest first."""


class RunProgress:
    """Reads the session's curriculum and the history of its figures."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    @property
    def stage(self) -> str:
        """The stage that the run at work is in; '' without a run or without stages."""
        session = self.workbench.session
        return "" if session is None else session.curriculum.stage_name

    def standing(self) -> Standing | None:
        """Where the run stands; None without a run or without stages."""
        session, stage = self.workbench.session, self.stage
        if session is None or not stage:
            return None
        run = session.curriculum
        heading = f"Stage {run.stage + 1} of {len(run.names)}: {stage}"
        rule = run.rule
        if rule is None:
            last = run.stage + 1 == len(run.names)
            why = "the last stage" if last else "moved by hand"
            return Standing(stage, heading, None, f"{_episodes(run.episodes_in_stage)}, {why}", "", "", 0.0, ())
        figures = run.figures()
        of_run = rule.by == "episodes"
        counted = run.episodes_in_run if of_run else run.episodes_in_stage
        needed = rule.min_episodes if of_run else max(rule.min_episodes, rule.window)
        so_far = f"{counted:,} of " if counted < needed else ""
        return Standing(
            stage,
            heading,
            figures["curriculum/progress"],
            f"{so_far}{_episodes(max(counted, needed))}{' of the run' if of_run else ''}",
            f"{_what(rule)} {_said(rule, figures.get('curriculum/metric'))}",
            f"needs more than {_said(rule, rule.above)}",
            rule.above,
            self._trend(run.stage),
        )

    def go_to(self, stage: str) -> str:
        """Moves the run to a stage by hand; why that is not possible, or ''."""
        if self.workbench.session is None:
            return "there is no run at work"
        try:
            self.workbench.session.move_to_stage(stage)
            self.workbench.note_stage()
        except HumanoidRLError as error:
            return str(error)
        return ""

    def why_not(self, stage: str) -> str:
        """Why the run at work cannot go to a stage of the draft; '' when it can."""
        session = self.workbench.session
        if session is None:
            return "No run is at work"
        if stage not in session.curriculum.names:
            return "The run at work has no such stage"
        return "The run is in this stage" if stage == self.stage else ""

    def _trend(self, stage: int) -> tuple[float, ...]:
        history = self.workbench.history
        stages = history.column("curriculum/stage")[-TREND:]
        values = history.column("curriculum/metric")[-TREND:]
        others = np.flatnonzero(stages != stage)
        values = values[others[-1] + 1 if len(others) else 0 :]
        return tuple(float(value) for value in values[np.isfinite(values)])


def _episodes(count: int) -> str:
    return "1 episode" if count == 1 else f"{count:,} episodes"


def _what(rule: AdvanceSection) -> str:
    return "Mean return" if rule.by == "return" else "Success"


def _said(rule: AdvanceSection, value: float | None) -> str:
    if value is None:
        return "-"
    return format_number(float(f"{value:.3g}")) if rule.by == "return" else f"{100 * value:.3g} %"
