"""Standard output for results alone; everything else, native libraries included, goes to standard error."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

NARROWEST = 24  # columns; a terminal that leaves less than this for text breaks its lines itself


class Output:
    """What a command prints at its end: text for people, or one JSON object on one line.

    With ``json`` the descriptor of standard output points to standard error while the command works, so that not even a
    library written in C can print between the command and the program that reads it.
    """

    def __init__(self, json: bool) -> None:
        self.json = json
        self.run_folder: Path | None = None
        """Where an unexpected error leaves its traceback."""
        self._stdout = -1

    def __enter__(self) -> Self:
        if self.json:
            sys.stdout.flush()
            self._stdout = os.dup(1)
            os.dup2(2, 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.json:
            sys.stdout.flush()
            os.dup2(self._stdout, 1)
            os.close(self._stdout)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Standard output as the caller left it, for a command that prints its own JSON."""
        if not self.json:
            yield
            return
        os.dup2(self._stdout, 1)
        try:
            yield
            sys.stdout.flush()
        finally:
            os.dup2(2, 1)

    def result(self, data: Any, text: str) -> None:
        """Prints ``data`` as JSON, or ``text``, whichever was asked for. Infinities and NaN become null in JSON."""
        if self.json:
            line = json.dumps(_plain(data), allow_nan=False) + "\n"
            left = line.encode()
            while left:
                left = left[os.write(self._stdout, left) :]
        else:
            print(text, flush=True)


def _plain(data: Any) -> Any:
    if isinstance(data, float):
        return data if abs(data) < float("inf") else None  # NaN compares false as well
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return data


def table(rows: Sequence[tuple[str, ...]], indent: str = "") -> str:
    """Rows in aligned columns; on a terminal the last column is broken into lines that fit."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    before = len(indent) + sum(width + 2 for width in widths)
    room = shutil.get_terminal_size().columns - before if sys.stdout.isatty() else 0
    lines = []
    for row in rows:
        start = indent + "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
        parts = textwrap.wrap(row[-1], room) if room >= NARROWEST else [row[-1]]
        lines += [(start + (parts[0] if parts else "")).rstrip(), *(" " * before + part for part in parts[1:])]
    return "\n".join(lines)


@contextmanager
def working(what: str) -> Iterator[Callable[[], None]]:
    """Shows on a terminal what is going on, and takes it away at the end; says nothing to a file or a pipe.

    A Ctrl-C meanwhile counts even where a library swallows KeyboardInterrupt, as pxr does while it is imported: the
    function that this hands out raises it again, and so does the end.
    """
    interrupted = False

    def check() -> None:
        if interrupted:
            raise KeyboardInterrupt

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    seen = sys.stderr.isatty()
    in_main = threading.current_thread() is threading.main_thread()  # only there may signal handlers be set
    before = signal.signal(signal.SIGINT, interrupt) if in_main else None
    if seen:
        print(f"{what} ...", end="", file=sys.stderr, flush=True)
    try:
        yield check
        check()
    except Exception:
        check()  # the error may be what a library made of it
        raise
    finally:
        if in_main:
            signal.signal(signal.SIGINT, before)
        if seen:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
