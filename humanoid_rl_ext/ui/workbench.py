"""What the panel is about, without a widget: one draft, at most one run or player at work on it, and what it says."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from humanoid_rl_ext.errors import HumanoidRLError, TaskError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.train.metrics import MetricHistory, Metrics
from humanoid_rl_ext.train.start import plan_draft, plan_resume
from humanoid_rl_ext.ui.background import Background
from humanoid_rl_ext.ui.draft import MISSING, Change, Draft
from humanoid_rl_ext.ui.host import Host, MessageKind
from humanoid_rl_ext.ui.opening import BackgroundOpener, Opener
from humanoid_rl_ext.ui.signal import Signal

if TYPE_CHECKING:
    from humanoid_rl_ext.robot.description import RobotDescription
    from humanoid_rl_ext.task.schema import Task
    from humanoid_rl_ext.train.player import Player, PlayPlan
    from humanoid_rl_ext.train.session import Session
    from humanoid_rl_ext.train.start import RunPlan

State = Literal["idle", "starting", "training", "paused", "playing"]
"""``starting`` covers a run and a player; ``playing`` has a player, ``training`` and ``paused`` have a session."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line for the user; an error also says what to do."""

    text: str
    kind: MessageKind = "info"


@dataclass(frozen=True, slots=True)
class Mark:
    """An edit made while training, where the plots show it."""

    env_steps: int
    change: Change
    source: str


class Workbench:
    """The state behind all sections of the panel. Every action is a method, every change a signal."""

    def __init__(
        self, host: Host, draft: Draft, background: Background | None = None, opener: Opener | None = None
    ) -> None:
        """``opener`` makes runs and players ready, by default on ``background``, the worker thread."""
        self.host, self.background = host, background or Background()
        self.opener: Opener = opener or BackgroundOpener(self.background)
        self.draft = draft
        self.robot: RobotDescription | None = None
        """The draft's robot, once it has been read."""
        self.session: Session | None = None
        self.player: Player | None = None
        self.state: State = "idle"
        self.history = MetricHistory()
        """Metrics of the run at work, or of the last one."""
        self.run_path: Path | None = None
        """Folder of the run at work, or of the last one."""
        self.marks: list[Mark] = []
        """Edits of the run at work, or of the last one."""
        self.message = Message("")
        self.undoable: list[Change] = []
        self.slow_motion = 1.0
        """Share of real time at which robots move; 1: as fast as training goes, or real time for a player."""

        self.draft_changed: Signal[str] = Signal()
        """A path below which something has changed; '' for everything."""
        self.robot_changed: Signal[()] = Signal()
        self.state_changed: Signal[()] = Signal()
        self.metrics_added: Signal[Metrics] = Signal()
        self.marked: Signal[Mark] = Signal()
        self.message_changed: Signal[()] = Signal()
        self._next_slow_step = 0.0
        self._planned: Task | str | None = None
        self._stage = ""
        self.read_robot()

    # The draft

    def load_task(self, name_or_path: str | Path) -> None:
        """Takes a preset or a task file as the draft; says so when it cannot be used."""
        try:
            self.draft = Draft.load(name_or_path)
        except HumanoidRLError as error:
            self.say(str(error), "error")
            return
        self.undoable.clear()
        self.draft_changed.emit("")
        self.read_robot()

    def edit(self, path: str, value: Any, *, source: str = "panel") -> None:
        """Changes a value of the draft, and of the run at work where that can change now.

        Raises:
            TaskError: with the reason, for a value that is not allowed; nothing has changed then.
        """
        change = self._apply(path, value, source)
        if change.moves_something:
            self.undoable.append(change)

    def undo(self) -> Change | None:
        """Takes the last edit back, in the draft and in the run at work; what was undone, or None."""
        if not self.undoable:
            return None
        change = self.undoable.pop()
        self._apply(change.path, change.old, "undo")
        return change

    def acts_now(self, path: str) -> bool:
        """Whether an edit of ``path`` reaches the run at work; otherwise it waits for the next run."""
        return self.session is not None and self.session.can_edit(path)

    def reset(self, path: str) -> None:
        """Puts a value back to its preset's."""
        default = self.draft.default(path)
        if default is not MISSING:
            self.edit(path, default)

    def set_robot(self, source: str) -> None:
        """Takes another robot: a bundled one's name or a file; settings of the old robot's joints and bodies go."""
        self.edit("robot", {"source": source})

    def read_robot(self) -> None:
        """Reads the draft's robot in the background; ``robot`` stays the old one until then."""
        section = self.draft.task.robot
        source, overrides = section.source, section.overrides

        def done(robot: RobotDescription) -> None:
            if self.draft.task.robot is section:
                self.robot = robot
                self.robot_changed.emit()

        self.background.run(lambda: load_robot(source, overrides), done, self._fail)

    def _apply(self, path: str, value: Any, source: str) -> Change:
        before = self.draft.task, self.draft.config
        change = self.draft.edit(path, value)
        if self.session is not None and self.session.can_edit(path):
            try:
                self.session.edit(path, value, source)
            except TaskError:
                self.draft.task, self.draft.config = before
                raise
            mark = Mark(self.session.env_steps, change, source)
            self.marks.append(mark)
            self.marked.emit(mark)
        self.draft_changed.emit(path)
        if path.partition(".")[0] == "robot":
            self.read_robot()
        return change

    # A run

    def start(self) -> None:
        """Starts training the draft as a new run; the scene is built in the background."""
        self._begin(lambda: plan_draft(self.draft.task, self.draft.config))

    def resume_run(self, run: Path) -> None:
        """Goes on with a run in its own folder; its Task and settings become the draft."""
        self._begin(lambda: plan_resume(run))

    def pause(self) -> None:
        """Holds the run or the player."""
        if self.state in ("training", "playing"):
            work = self.session or self.player
            assert work is not None
            work.pause()
            if self.session is not None:
                self._enter("paused")

    def resume(self) -> None:
        """Goes on after a pause."""
        work = self.session or self.player
        if work is not None:
            work.resume()
            self._enter("training" if self.session is not None else "playing")

    def step_once(self) -> None:
        """Advances what is paused by one control step."""
        work = self.session or self.player
        if work is not None and work.paused:
            self._guarded(work.step_once)

    def stop(self) -> None:
        """Ends the run at its next safe point and saves it, or ends the player at once."""
        if self.session is not None:
            self.session.stop()
            self._enter("training")
        elif self.player is not None:
            self._close_work()

    def save(self) -> None:
        """Writes a checkpoint at the next safe point."""
        if self.session is not None:
            self.session.save()

    def play(self, source: Path, on: str = "") -> None:
        """Plays a checkpoint: in the run's watched environment while one trains, else in a scene of its own.

        Without a run it may be a policy folder as well, which is played on the draft's robot unless it knows its own,
        and on the robot of the host's stage whose prim path is ``on``.
        """
        watch = self.session.watched if self.session is not None else None
        playing = self.player.source if self.player is not None else None
        if self.player is not None and playing and playing.parent == source.parent and self.player.on == on:
            watch = self.player.watch if source.parent.name == "checkpoints" else None  # the same scene for its run
        if watch is not None:
            try:
                watch.load(source)
            except HumanoidRLError as error:
                self._fail(error)
            self.state_changed.emit()
            return
        robot = self.draft.task.robot.source

        def plan() -> PlayPlan:
            from humanoid_rl_ext.deploy.folder_player import plan_playing

            return plan_playing(source, robot)

        def ready(player: Player) -> None:
            self.player = player
            self._enter("playing")

        self._close_work()
        self._enter("starting")
        self.opener.player(plan, on, ready, self._failed_to_start)

    def note_stage(self) -> None:
        """Marks it in the plots when the run at work has come to another stage of its curriculum."""
        if self.session is None:
            return
        curriculum = self.session.curriculum
        before, self._stage = self._stage, curriculum.stage_name
        if before != self._stage and before in curriculum.names:
            mark = Mark(self.session.env_steps, Change("curriculum stage", before, self._stage), "curriculum")
            self.marks.append(mark)
            self.marked.emit(mark)

    def pump(self, seconds: float) -> bool:
        """Does work for about ``seconds``: results from the background, then physics and learning; whether any was due.

        A call does one piece at least, which takes up to about 10 ms.
        """
        self.background.poll()
        work = self.session or self.player
        if work is None or work.paused:
            return False
        if self.player is not None:
            self.player.speed = self.slow_motion
        elif self.session is not None and self.slow_motion < 1.0:
            return self._pump_slowly(self.session, seconds)
        self._guarded(lambda: work.pump(seconds))
        if self.session is not None and self.session.finished:
            self.say(f"Finished and saved: {self.session.folder.path}")
            self._close_work()
        return self.session is not None

    def abandon(self, reason: str) -> None:
        """Ends what is at work at once because its physics goes away; a run is saved as it stands."""
        if self.state == "starting":
            self.opener.cancel()
            self._enter("idle")
            self.say(reason, "warning")
        elif self.session is not None or self.player is not None:
            saved = ""
            if self.session is not None:
                self._guarded(self.session.abandon)
                saved = f" The run is saved: {self.run_path}" if self.session is not None else ""
            self._close_work()
            self.say(reason + saved, "warning")

    def close(self) -> None:
        """Saves what is being learned, and frees everything."""
        if self.session is not None:
            session = self.session
            session.stop()
            self._guarded(session.run)
        self.background.close()
        self._close_work()

    # What is said

    def say(self, text: str, kind: MessageKind = "info") -> None:
        """Shows one line to the user."""
        self.message = Message(" ".join(text.split()), kind)
        self.message_changed.emit()

    def _pump_slowly(self, session: Session, seconds: float) -> bool:
        now = time.perf_counter()
        if now < self._next_slow_step or session.vec_env is None:
            return False
        dt = session.vec_env.view.dt

        def step() -> None:
            if session.step_once(seconds):
                self._next_slow_step = now + dt / self.slow_motion

        self._guarded(step)
        return True

    def _begin(self, plan: Callable[[], RunPlan]) -> None:
        if self.state == "starting" or self.session is not None:
            return
        self._close_work()
        try:
            planned = plan()
        except HumanoidRLError as error:
            self._fail(error)
            return
        self._enter("starting")
        self._planned = planned.task
        self.opener.session(planned, self._take_session, self._failed_to_start)

    def _take_session(self, session: Session) -> None:
        self.session, self.history, self.run_path = session, session.history, session.folder.path
        self.marks = [
            Mark(entry["env_steps"], Change(entry["path"], entry["old"], entry["new"]), entry["source"])
            for entry in session.folder.read_edits()
        ]
        if self._planned is not self.draft.task and not isinstance(session.task, str):
            self.draft = Draft(session.task, session.config)
            self.undoable.clear()
            self.draft_changed.emit("")
        self._stage = session.curriculum.stage_name
        session.on_metrics += [lambda metrics: self.note_stage(), self.metrics_added.emit]
        session.on_warning.append(lambda line: self.say(line[0].upper() + line[1:], "warning"))
        self.say(f"Training {session.env.task_name} in {session.folder.path}")
        self._enter("training")

    def _failed_to_start(self, error: Exception) -> None:
        self._fail(error)
        self._enter("idle")

    def _guarded(self, work: Callable[[], object]) -> None:
        """Does work; an error ends the run or the player with a message and leaves the panel usable."""
        try:
            work()
        except TaskError as error:
            self._fail(error)
        except Exception as error:
            self._fail(error)
            self._close_work()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, HumanoidRLError):
            self.say(str(error), "error")
            return
        where = ""
        if self.run_path is not None and self.session is not None:
            log = self.run_path / "error.log"
            log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
            where = f" (the traceback is in {log})"
        self.say(f"{type(error).__name__}: {error}{where}", "error")

    def _close_work(self) -> None:
        work, self.session, self.player = self.session or self.player, None, None
        if work is not None:
            work.close()
        if self.state != "idle":
            self._enter("idle")

    def _enter(self, state: State) -> None:
        self.state = state
        self.state_changed.emit()
