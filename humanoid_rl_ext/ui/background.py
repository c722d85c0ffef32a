"""Work that takes long enough to be felt (reading a robot, building a scene), off the thread that draws."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Background:
    """One worker thread, so that jobs keep their order; results are handed out by ``poll`` on the caller's thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="background")
        self._closed = False
        self._jobs: list[tuple[Future[Any], Callable[[Any], None], Callable[[Exception], None]]] = []

    @property
    def busy(self) -> bool:
        """Whether a result is still to come."""
        return bool(self._jobs)

    def run[Result](
        self, job: Callable[[], Result], done: Callable[[Result], None], failed: Callable[[Exception], None]
    ) -> None:
        """Starts ``job`` on the worker; a later ``poll`` calls ``done`` with its result or ``failed`` with its error.

        After ``close`` nothing is started any more.
        """
        if self._closed:
            return
        self._jobs.append((self._pool.submit(job), done, failed))

    def poll(self) -> None:
        """Hands out what has been finished since the last call, in the order it was started."""
        while self._jobs and self._jobs[0][0].done():
            future, done, failed = self._jobs.pop(0)
            error = future.exception()
            if error is None:
                done(future.result())
            elif isinstance(error, Exception):
                failed(error)
            else:
                raise error

    def close(self) -> None:
        """Waits for the job under way and forgets the others."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
