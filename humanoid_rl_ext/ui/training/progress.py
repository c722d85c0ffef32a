"""What the run bar says and allows: buttons by state, progress and rates, the message in few lines."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from humanoid_rl_ext.train.rates import Rates
from humanoid_rl_ext.ui.runs.figures import count, size
from humanoid_rl_ext.ui.workbench import Message, Workbench

LINES = 3
"""Lines that an error may take."""
LINE_LENGTH = 62
"""Characters that fit a line of the bar for sure."""


@dataclass(frozen=True, slots=True)
class Action:
    """A button: what it says, whether it can be pressed, and what it would do or why it cannot."""

    text: str
    enabled: bool
    help: str


@dataclass(frozen=True, slots=True)
class Figures:
    """How a run is doing, in words."""

    progress: float
    """From 0 to 1."""
    done: str
    rate: str
    left: str
    elapsed: str
    memory: str
    iteration: str


class Progress:
    """All logic of the bar; ``clock`` gives seconds."""

    def __init__(self, workbench: Workbench, clock: Callable[[], float] = time.perf_counter) -> None:
        self.workbench, self._clock = workbench, clock
        self._entered = clock()
        self._rates: Rates | None = None
        self._stopped: object = None
        self._saving: tuple[object, Path | None] | None = None
        self._disconnect = workbench.state_changed.connect(self._on_state)

    def destroy(self) -> None:
        """Listens no longer."""
        self._disconnect()

    # Buttons

    @property
    def start(self) -> Action:
        """The button that starts a run."""
        bench = self.workbench
        if bench.state == "starting":
            seconds = int(self._clock() - self._entered)
            return Action(f"Starting... {seconds} s", False, "The robot is read and the scene is built")
        if bench.session is not None:
            return Action("Start", False, "A run is at work; stop it before starting another one")
        more = "; what is played ends" if bench.player is not None else ""
        return Action("Start", True, f"Trains {self.subject} as a new run{more}")

    @property
    def pause(self) -> Action:
        """The button that pauses and goes on."""
        bench = self.workbench
        work = bench.session or bench.player
        if work is None:
            return Action("Pause", False, "Nothing is at work" if bench.state == "idle" else "Wait for the start")
        if work.paused:
            return Action("Resume", True, "Goes on where it was held")
        if self._stopping:
            return Action("Pause", False, "The run is about to end")
        return Action("Pause", True, "Holds at once; nothing is lost")

    @property
    def stop(self) -> Action:
        """The button that ends the run or the player."""
        bench = self.workbench
        if self._stopping:
            return Action("Stopping...", False, "The run ends and is saved after this iteration")
        if bench.session is not None:
            return Action("Stop", True, "Saves the run after this iteration and ends it; it can go on later")
        if bench.player is not None:
            return Action("Stop", True, "Ends playing")
        return Action("Stop", False, "Nothing is at work" if bench.state == "idle" else "Wait for the start")

    @property
    def save(self) -> Action:
        """The button that writes a checkpoint."""
        session = self.workbench.session
        if session is None:
            return Action("Save", False, "Only a run that is at work can be saved")
        if self._saving is not None:
            when = "once training goes on" if session.paused else "after this iteration"
            return Action("Saving...", False, f"The checkpoint is written {when}")
        return Action("Save", True, "Writes a checkpoint after this iteration; training goes on")

    def press_pause(self) -> None:
        """Holds what is at work, or lets it go on."""
        work = self.workbench.session or self.workbench.player
        if work is not None and work.paused:
            self.workbench.resume()
        else:
            self.workbench.pause()

    def press_stop(self) -> None:
        """Ends what is at work."""
        self._stopped = self.workbench.session
        self.workbench.stop()

    def press_save(self) -> None:
        """Asks for a checkpoint; ``poll`` says when it is written."""
        session = self.workbench.session
        if session is not None:
            self._saving = session, session.checkpoint
            session.save()

    def poll(self) -> None:
        """Says that a checkpoint that was asked for has been written."""
        session = self.workbench.session
        if self._saving is None:
            return
        asked, before = self._saving
        if session is not asked:
            self._saving = None
        elif session is not None and session.checkpoint is not None and session.checkpoint != before:
            self._saving = None
            self.workbench.say(f"Saved {session.checkpoint}")

    # What it says

    @property
    def subject(self) -> str:
        """What would be trained."""
        run = self.workbench.draft.config.run
        task = self.workbench.draft.task.name
        return f"{task}, {run.num_envs:,} environments, {count(run.env_steps)} steps on {run.device}"

    @property
    def line(self) -> str:
        """What is going on where there is no run whose progress could be shown."""
        bench = self.workbench
        if bench.state == "starting":
            return "Reading the robot, building the scene ..."
        if bench.player is not None:
            source = bench.player.source
            return f"{'Paused' if bench.player.paused else 'Playing'} {source.name if source else 'a policy'}"
        return f"Next: {self.subject}"

    def figures(self) -> Figures | None:
        """How the run at work is doing; None where there is none."""
        session = self.workbench.session
        if session is None:
            return None
        if self._rates is None:
            self._rates = Rates(session)
        rate, left = self._rates.now()
        total = session.config.run.env_steps
        share = min(1.0, session.env_steps / total)
        held = session.paused
        memory = self.workbench.history.column("time/memory_mb")
        known = memory[np.isfinite(memory)]
        return Figures(
            progress=share,
            done=f"{100 * share:.1f} %  of {count(total)} steps",
            rate="paused" if held else f"{rate:,.0f} steps/s",
            left="" if held else f"{clock(left)} left",
            elapsed=f"{clock(session.seconds)} trained",
            memory=size(float(known[-1]) * 1e6) if len(known) else "",
            iteration=f"iteration {session.iteration:,}",
        )

    @property
    def _stopping(self) -> bool:
        return self._stopped is not None and self._stopped is self.workbench.session

    def _on_state(self) -> None:
        self._entered, self._rates = self._clock(), None


def clock(seconds: float) -> str:
    """A duration as 1:05 or 2:01:05; dashes where it is not known."""
    if not np.isfinite(seconds):
        return "--:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def brief(message: Message) -> str:
    """A message that fits the bar: three lines for what went wrong, one for the rest."""
    lines = LINES if message.kind == "error" else 2 if message.kind == "warning" else 1
    shown = textwrap.wrap(message.text, LINE_LENGTH, max_lines=lines, placeholder=" ...")
    return " ".join(shown)
