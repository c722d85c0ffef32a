"""Telling others that something has changed."""

from __future__ import annotations

from collections.abc import Callable


class Signal[*Values]:
    """A list of functions that are called, in order, with what is emitted."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[*Values], object]] = []

    def connect(self, listener: Callable[[*Values], object]) -> Callable[[], None]:
        """Calls ``listener`` with every emission from now on; the returned function ends that."""
        self._listeners.append(listener)

        def disconnect() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return disconnect

    def emit(self, *values: *Values) -> None:
        """Calls all listeners; one that disconnects itself or others meanwhile does no harm."""
        for listener in list(self._listeners):
            if listener in self._listeners:
                listener(*values)
