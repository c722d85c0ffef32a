"""The list of a run's checkpoints, each with a button that plays it."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.train.runs import CheckpointSummary
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.policy.model import PolicyModel
from humanoid_rl_ext.ui.runs import figures
from humanoid_rl_ext.ui.theme import px

VISIBLE = 5
"""Lines that are seen without scrolling."""
STEPS, RETURN, SAVED, PLAY = 100, 84, 98, 60


class CheckpointList:
    """Rebuilt when a checkpoint comes or goes; ``mark`` shows which one is played."""

    def __init__(self, model: PolicyModel) -> None:
        self._model = model
        self._shown: list[CheckpointSummary] = []
        self._buttons: list[ui.Button] = []

    def build(self) -> None:
        """Builds the list inside the current container."""
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label("Steps", name="small", width=px(STEPS))
            ui.Label("Return", name="small", width=px(RETURN))
            ui.Label("Saved", name="small", width=px(SAVED))
        self._scroll = ui.ScrollingFrame(
            height=px(theme.ROW_HEIGHT),
            horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF,
            vertical_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_AS_NEEDED,
        )
        with self._scroll:
            self._frame = ui.Frame(build_fn=self._build_rows)

    def show(self) -> None:
        """Takes over the model's checkpoints and what is played."""
        if self._model.checkpoints != self._shown:
            self._shown = list(self._model.checkpoints)
            lines = min(max(len(self._shown), 1), VISIBLE)
            self._scroll.height = ui.Pixel(lines * px(theme.ROW_HEIGHT + 2))
            self._frame.rebuild()
        self.mark()

    def mark(self) -> None:
        """Marks the checkpoint that is played."""
        watch = self._model.watch
        playing = watch.source if watch is not None else None
        for checkpoint, button in zip(self._shown, self._buttons, strict=False):
            button.name = "on" if checkpoint.path == playing else ""
            button.enabled = self._model.workbench.state != "starting" and not checkpoint.problem

    def _build_rows(self) -> None:
        self._buttons = []
        with ui.VStack(height=0, spacing=2):
            if not self._shown:
                ui.Label("No checkpoint yet", name="muted", height=px(theme.ROW_HEIGHT))
            for checkpoint in self._shown:
                self._build_row(checkpoint)
        self.mark()

    def _build_row(self, checkpoint: CheckpointSummary) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label(f"{checkpoint.env_steps:,}", width=px(STEPS), name="warning" if checkpoint.problem else "")
            ui.Label(figures.figure(checkpoint.mean_return), width=px(RETURN))
            ui.Label(figures.when(checkpoint.saved) if checkpoint.saved else "damaged", width=px(SAVED), name="muted")
            ui.Label("best" if checkpoint.is_best else "", name="accent")
            button = ui.Button(
                "Play",
                width=px(PLAY),
                identifier=f"policy.play.{checkpoint.env_steps}",
                tooltip=checkpoint.problem or f"Watch this policy in the viewport\n{checkpoint.path}",
                clicked_fn=lambda: self._model.play(checkpoint.path),
            )
        self._buttons.append(button)
