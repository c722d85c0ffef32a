"""Training without a window: runs a session to its end, shows how it goes, saves when it is interrupted."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from humanoid_rl_ext.train.rates import Rates

if TYPE_CHECKING:
    from humanoid_rl_ext.train.metrics import Metrics
    from humanoid_rl_ext.train.session import Session

PLAIN_INTERVAL_S = 5.0


class Progress(Protocol):
    """Something that shows how far a run is."""

    def show(self, metrics: Metrics) -> None: ...
    def warn(self, line: str) -> None: ...
    def close(self) -> None: ...


def run_headless(session: Session) -> bool:
    """Trains until the budget is used up; True when a signal ended it early. Everything is saved either way.

    The first Ctrl-C or SIGTERM ends the run at the next safe point and saves; a second Ctrl-C gives up at once.
    """
    progress: Progress = BarProgress(session) if sys.stderr.isatty() else PlainProgress(session)
    session.on_metrics.append(progress.show)
    session.on_warning.append(progress.warn)
    try:
        with _stop_on_signals(session) as interrupted:
            session.run()
    finally:
        progress.close()
    return bool(interrupted)


@contextmanager
def _stop_on_signals(session: Session) -> Iterator[list[int]]:
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not received:
            print("hrl: stopping after this iteration; Ctrl-C again gives up without saving", file=sys.stderr)
        received.append(number)
        session.stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class PlainProgress:
    """A line every few seconds, for logs."""

    def __init__(self, session: Session) -> None:
        self._session, self._rates = session, Rates(session)
        self._last = 0.0
        self._unseen: Metrics | None = None

    def show(self, metrics: Metrics) -> None:
        """Prints a line when the last one is old enough."""
        self._unseen = metrics
        if time.perf_counter() - self._last >= PLAIN_INTERVAL_S:
            self._print(metrics)

    def warn(self, line: str) -> None:
        """Prints it among the others."""
        print(f"hrl: {line}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Prints the last iteration where it has not been shown yet."""
        if self._unseen is not None:
            self._print(self._unseen)

    def _print(self, metrics: Metrics) -> None:
        self._last, self._unseen = time.perf_counter(), None
        total = self._session.config.run.env_steps
        rate, left = self._rates.now()
        print(
            f"{int(metrics['env_steps']):>12,} / {total:,} steps  {rate:>9,.0f} steps/s  {_episode(self._session)}"
            f"  {_clock(left)} left",
            file=sys.stderr,
            flush=True,
        )


class BarProgress:
    """One live line on a terminal."""

    def __init__(self, session: Session) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        self._session, self._rates = session, Rates(session)
        self._bar = RichProgress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            TextColumn(
                "{task.percentage:>3.0f}%  {task.fields[rate]}{task.fields[episode]}  {task.fields[left]} left",
                table_column=Column(no_wrap=True),
            ),
            console=Console(stderr=True),
            expand=True,
        )
        total = session.config.run.env_steps
        name = session.env.task_name
        self._task = self._bar.add_task(
            name, total=total, completed=session.env_steps, rate="", episode="first steps", left="--:--"
        )
        self._bar.start()

    def show(self, metrics: Metrics) -> None:
        """Moves the bar."""
        rate, left = self._rates.now()
        self._bar.update(
            self._task,
            completed=metrics["env_steps"],
            rate=f"{rate:,.0f} steps/s  ",
            episode=_episode(self._session),
            left=_clock(left),
        )

    def warn(self, line: str) -> None:
        """Prints it above the bar."""
        self._bar.console.print(f"hrl: {line}", markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leaves the line as it is."""
        self._bar.stop()


def _episode(session: Session) -> str:
    """Return and length of the episodes that ended last."""
    returns, lengths = (session.history.column(f"episode/{name}") for name in ("return", "length"))
    ended = np.flatnonzero(np.isfinite(returns))
    return (
        f"return {_rounded(returns[ended[-1]])}  length {_rounded(lengths[ended[-1]])}"
        if len(ended)
        else "no episode ended yet"
    )


def _rounded(value: float) -> str:
    """About three figures and never an exponent where a person can do without: -0.01, 14.2, 1,443."""
    if abs(value) >= 1e7:
        return f"{value:.2e}"
    return f"{value:,.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"


def _clock(seconds: float) -> str:
    if seconds == float("inf"):
        return "--:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
