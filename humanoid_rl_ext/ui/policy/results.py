"""Evaluation: how many episodes, progress, and the table of results."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.binding import Binding
from humanoid_rl_ext.ui.fields.row import NumberField
from humanoid_rl_ext.ui.fields.spec import FieldSpec
from humanoid_rl_ext.ui.policy.evaluations import Row
from humanoid_rl_ext.ui.policy.model import MAX_EPISODES, PolicyModel
from humanoid_rl_ext.ui.runs import figures
from humanoid_rl_ext.ui.theme import px

EPISODES = FieldSpec(
    path="episodes",
    label="Episodes",
    kind="whole",
    low=1,
    high=MAX_EPISODES,
    help="Whole episodes to play without exploration",
)
COLUMNS = {"Episodes": 62, "Return": 112, "Length": 56, "Success": 58}


class Progress(ui.AbstractValueModel):
    """Episodes done of those asked for, as the bar's length and text."""

    def __init__(self) -> None:
        super().__init__()
        self._done, self._asked = 0, 1

    def show(self, done: int, asked: int) -> None:
        """Takes new numbers."""
        if (done, asked) != (self._done, self._asked):
            self._done, self._asked = done, asked
            self._value_changed()

    def get_value_as_float(self) -> float:
        return self._done / self._asked

    def get_value_as_string(self) -> str:
        return f"{self._done} of {self._asked}"


class ResultsView:
    """The evaluation part of the section; the table is rebuilt when a result comes or all go."""

    def __init__(self, model: PolicyModel) -> None:
        self._model = model
        self._rows: list[Row] = []

    def build(self) -> None:
        """Builds it inside the current container."""
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label("Episodes", width=px(66))
            self._field = NumberField(
                self._model.workbench,
                EPISODES,
                56,
                Binding(EPISODES, lambda: self._model.episodes, self._set_episodes),
                refused=self._refuse,
                identifier="policy.evaluate.episodes",
            )
            self._start = ui.Button(
                "Evaluate", name="primary", width=px(84), identifier="policy.evaluate", clicked_fn=self._model.evaluate
            )
            self._done = Progress()
            self._progress = ui.ProgressBar(
                self._done, identifier="policy.evaluate.progress", tooltip="Episodes that have ended"
            )
            self._cancel = ui.Button(
                "Cancel",
                width=px(64),
                identifier="policy.evaluate.cancel",
                tooltip="End the evaluation without a result",
                clicked_fn=self._model.cancel_evaluation,
            )
        self._reason = ui.Label("", name="error", height=0, word_wrap=True, visible=False)
        self._table = ui.Frame(build_fn=self._build_table)

    def show(self) -> None:
        """Takes over the model's results."""
        if self._model.table.rows != self._rows:
            self._rows = list(self._model.table.rows)
            self._table.rebuild()
        self.update()

    def update(self) -> None:
        """Shows how far an evaluation is and whether one can start."""
        watch = self._model.watch
        progress = watch.progress if watch is not None else None
        reason = self._model.why_not_evaluate()
        self._start.enabled, self._start.tooltip = not reason, reason or "Evaluate the policy that is watched"
        self._progress.visible = self._cancel.visible = progress is not None
        if progress is not None:
            self._done.show(*progress)

    def _set_episodes(self, episodes: int) -> None:
        self._model.episodes = episodes

    def _refuse(self, reason: str) -> None:
        self._reason.text, self._reason.visible = reason, bool(reason)

    def _build_table(self) -> None:
        if not self._rows:
            ui.Spacer(height=0)
            return
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                ui.Label("Steps", name="small")
                for name, width in COLUMNS.items():
                    ui.Label(name, width=px(width), name="small", alignment=ui.Alignment.RIGHT_CENTER)
            for row in self._rows:
                self._build_row(row)
            with ui.HStack(height=px(theme.ROW_HEIGHT + 2), spacing=px(theme.SPACING)):
                ui.Button(
                    "Save CSV ...",
                    identifier="policy.results.save",
                    tooltip="Write this table, with all figures, to a file",
                    clicked_fn=self._model.save_results,
                )
                ui.Button(
                    "Clear",
                    identifier="policy.results.clear",
                    tooltip="Empty this table",
                    clicked_fn=self._model.clear_results,
                )

    def _build_row(self, row: Row) -> None:
        result, subject = row.result, row.subject
        texts = (
            f"{result.episodes}",
            f"{figures.figure(result.mean_return)} +- {figures.figure(result.std_return)}",
            f"{result.mean_episode_length:.0f}",
            f"{100 * result.success_rate:.0f} %",
        )
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label(subject.label, tooltip=f"{subject.task}\n{subject.run}")
            for text, width in zip(texts, COLUMNS.values(), strict=True):
                ui.Label(text, width=px(width), alignment=ui.Alignment.RIGHT_CENTER)
        parts = [f"{name} {figures.figure(value)}" for name, value in row.own_metrics.items()]
        if parts:
            ui.Label(", ".join(parts), name="small", height=0, word_wrap=True, tooltip="Means over the episodes")
