"""PhysX' helper threads, kept from taking the cores that physics needs.

A service that caches cooked meshes polls from a thread of its own, which sleeps some microseconds at a time and so
wakes ten thousand times a second: a quarter of a CPU core, for as long as the process lives. No setting turns it off.
What does help is the slack that Linux gives to sleeping threads: with 10 ms the thread wakes a hundred times a second.
Threads that wait for work instead of for a time, as PhysX' workers do, are not slowed down by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SLACK_NS = 10_000_000


@contextmanager
def calm_new_threads() -> Iterator[None]:
    """Lets the threads that are started inside the block sleep up to 10 ms longer than they ask for; Linux only."""
    before = _threads()
    yield
    for thread in _threads() - before:
        try:
            Path(f"/proc/{thread}/timerslack_ns").write_text(str(SLACK_NS), encoding="ascii")
        except OSError:  # it has ended, or this system does not allow it: nothing is lost but speed
            continue


def _threads() -> set[str]:
    folder = Path("/proc/self/task")
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
