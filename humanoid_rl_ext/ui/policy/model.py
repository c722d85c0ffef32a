"""A run's checkpoints and the policy that is watched: chosen, played, followed, evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from humanoid_rl_ext.errors import HumanoidRLError
from humanoid_rl_ext.home import runs_folder
from humanoid_rl_ext.train.runs import CheckpointSummary, RunSummary, checkpoints_of, list_runs
from humanoid_rl_ext.ui.policy.control import Control
from humanoid_rl_ext.ui.policy.evaluations import EvaluationTable, Subject
from humanoid_rl_ext.ui.signal import Signal
from humanoid_rl_ext.ui.workbench import Workbench

if TYPE_CHECKING:
    from humanoid_rl_ext.train.evaluate import Evaluation
    from humanoid_rl_ext.train.watch import Watch

MAX_EPISODES = 10_000


class PolicyModel:
    """What the Policy section shows. ``changed`` tells of runs, checkpoints, what is watched and results."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench
        self.changed: Signal[()] = Signal()
        self.runs: list[RunSummary] = []
        """All runs, newest first."""
        self.checkpoints: list[CheckpointSummary] = []
        """Those of ``run``, newest first."""
        self.control = Control()
        self.table = EvaluationTable()
        self.episodes = 10
        """How many an evaluation plays."""
        self.on = ""
        """Prim path of the robot on the host's stage that is played on; empty for a scene of its own."""
        self._chosen: Path | None = None
        self._at_work: Path | None = None
        self._newest: Path | None = None
        self._loading = self._again = False
        self._disconnect = workbench.state_changed.connect(self._state_changed)

    def destroy(self) -> None:
        """Listens no longer."""
        self._disconnect()

    # Runs and their checkpoints

    @property
    def run(self) -> Path | None:
        """The run whose checkpoints are listed: the chosen one, else the one at work or the last."""
        newest = self.runs[0].path if self.runs else None
        return self._chosen or self.workbench.run_path or newest

    def show_run(self, run: Path) -> None:
        """Lists another run's checkpoints."""
        self._chosen = run
        self.refresh()

    def refresh(self) -> None:
        """Reads runs and checkpoints again, in the background."""
        if self._loading:
            self._again = True
            return
        self._loading, self._again = True, False
        folder, run = runs_folder(), self.run

        def read() -> tuple[list[RunSummary], Path | None, list[CheckpointSummary]]:
            runs = list_runs(folder)
            shown = run or (runs[0].path if runs else None)
            return runs, shown, checkpoints_of(shown) if shown is not None else []

        self.workbench.background.run(read, self._take, self._fail)

    # What is watched

    @property
    def watch(self) -> Watch | None:
        """The policy that acts in the watched environment, if any."""
        work = self.workbench
        if work.session is not None:
            return work.session.watched
        return work.player.watch if work.player is not None else None

    @property
    def follows(self) -> bool:
        """Whether the policy being learned is watched."""
        return self.workbench.session is not None and self.watch is not None and self.watch.source is None

    @property
    def status(self) -> str:
        """What is watched, in one line."""
        watch, state = self.watch, self.workbench.state
        if state == "starting":
            return "Building the scene ..."
        if watch is None:
            return "Nothing is played"
        if watch.error:
            return f"The policy cannot act: {watch.error}"
        if watch.source is None:
            return "Following the policy being learned"
        player = self.workbench.player
        where = f" on {player.on}" if player is not None and player.on else ""
        return f"Playing {title_of(watch.source)}{where}"

    @property
    def has_stage(self) -> bool:
        """Whether the host has a stage with robots to play on."""
        return self.workbench.host.stage_access is not None

    def play_on(self, path: str) -> None:
        """Plays on the robot of that prim path from now on; empty for a scene of its own."""
        self.on = path.strip()
        self.changed.emit()

    def play_on_selection(self) -> None:
        """Plays on the robot that is selected in the host's stage from now on."""
        from humanoid_rl_ext.robot.from_stage import find_robot

        access = self.workbench.host.stage_access
        selected = access.selection() if access is not None else []
        try:
            self.play_on(find_robot(access.stage() if access is not None else None, selected[0] if selected else ""))
        except HumanoidRLError as error:
            self.workbench.say(str(error), "error")

    def play(self, source: Path) -> None:
        """Plays a checkpoint beside the training run; without one, also a policy folder, where ``on`` says."""
        self.workbench.play(source, self.on)

    def open_policy(self) -> None:
        """Asks for the policy file of a policy folder, such as Isaac Lab exports, and plays it."""
        self.workbench.host.pick_file("Choose a policy", (".pt",), self.play)

    @property
    def exportable(self) -> Path | None:
        """The checkpoint that ``export`` writes: the one that is played, else the newest that is listed."""
        playing = self.watch.source if self.watch is not None else None
        if playing is not None and is_checkpoint(playing):
            return playing
        return next((checkpoint.path for checkpoint in self.checkpoints if not checkpoint.problem), None)

    def export(self) -> None:
        """Writes a checkpoint as a policy folder that Isaac Sim's PolicyController loads, in the background."""
        checkpoint = self.exportable
        if checkpoint is None:
            self.workbench.say("There is no checkpoint to export yet", "warning")
            return

        def write() -> Path:
            from humanoid_rl_ext.deploy.policy_folder import export_policy_folder

            return export_policy_folder(checkpoint).path

        def written(folder: Path) -> None:
            self.workbench.say(f"Exported {folder}")

        self.workbench.background.run(write, written, lambda error: self.workbench.say(str(error), "error"))

    def follow(self) -> None:
        """Watches the policy being learned."""
        session = self.workbench.session
        if session is None:
            return
        try:
            session.watch(None)
        except HumanoidRLError as error:
            self.workbench.say(str(error), "error")
        self.changed.emit()

    def stop_playing(self) -> None:
        """Back to the policy being learned, or the player is closed."""
        if self.workbench.session is not None:
            self.follow()
        else:
            self.workbench.stop()

    def tick(self, now: float) -> None:
        """Keeps up with what is watched; call it once per frame with ``time.perf_counter()``."""
        session = self.workbench.session
        if session is not None and session.checkpoint != self._newest:
            self._newest = session.checkpoint
            self.refresh()
        if self.control.tick(self.watch, now):
            self.changed.emit()

    # Evaluation

    def why_not_evaluate(self) -> str:
        """Why no evaluation can start now; empty when it can."""
        if self.watch is None:
            return "Play a checkpoint first, or train"
        return "An evaluation is under way" if self.watch.progress is not None else ""

    def evaluate(self) -> None:
        """Starts an evaluation of the watched policy; its result joins the table."""
        watch = self.watch
        if watch is None or self.why_not_evaluate():
            self.workbench.say(self.why_not_evaluate(), "warning")
            return
        subject = self._subject(watch)

        def done(result: Evaluation) -> None:
            self.table.add(subject, result)
            self.changed.emit()

        watch.evaluate(self.episodes, done)
        self.changed.emit()

    def cancel_evaluation(self) -> None:
        """Ends the evaluation under way without a result."""
        if self.watch is not None:
            self.watch.cancel()
            self.changed.emit()

    def clear_results(self) -> None:
        """Empties the table."""
        self.table.clear()
        self.changed.emit()

    def save_results(self) -> None:
        """Asks for a file and writes the table to it as CSV."""

        def save(path: Path) -> None:
            try:
                self.table.save(path)
            except OSError as error:
                self.workbench.say(f"{path}: cannot be written ({error.strerror})", "error")
            else:
                self.workbench.say(f"Saved {path}")

        self.workbench.host.pick_new_file("Save the results", "evaluation.csv", save)

    def _subject(self, watch: Watch) -> Subject:
        if watch.source is not None and not is_checkpoint(watch.source):
            return Subject(watch.source, watch.source.name, None, True)
        if watch.source is not None:
            return Subject(watch.source.parents[1], task_of(watch.source), env_steps_of(watch.source), True)
        session = self.workbench.session
        assert session is not None
        return Subject(session.folder.path, session.env.task_name, session.env_steps, False)

    def _state_changed(self) -> None:
        at_work = self.workbench.session.folder.path if self.workbench.session is not None else None
        if at_work is not None and at_work != self._at_work:
            self._chosen = None  # a new run: its checkpoints are the interesting ones
        self._at_work = at_work
        self.refresh()
        self.changed.emit()

    def _take(self, read: tuple[list[RunSummary], Path | None, list[CheckpointSummary]]) -> None:
        self.runs, shown, self.checkpoints = read
        self._loading = False
        if self._again or shown != self.run:
            self.refresh()
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        self._loading = False
        self.workbench.say(str(error), "error")


def is_checkpoint(source: Path) -> bool:
    """Whether a policy came from a checkpoint of a run, not from a policy folder."""
    return source.parent.name == "checkpoints"


def title_of(source: Path) -> str:
    """A policy's name in a sentence."""
    if is_checkpoint(source):
        return f"step {env_steps_of(source):,} of {task_of(source)}"
    return f"the policy {source.name}"


def env_steps_of(checkpoint: Path) -> int:
    """The env steps that a checkpoint's folder is named after."""
    return int(checkpoint.name.removeprefix("step_"))


def task_of(checkpoint: Path) -> str:
    """The name of the folder that runs of the checkpoint's task lie in."""
    return checkpoint.parents[2].name
