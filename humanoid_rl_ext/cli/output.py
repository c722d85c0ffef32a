"""Standard output for results alone; everything else, native libraries included, goes to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self


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
    """Rows in aligned columns."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
