"""Stand-in for ``carb.eventdispatcher``: observers end with their handle, and what they raise is only logged."""

from __future__ import annotations

import traceback
import weakref
from collections.abc import Callable
from typing import Any

import carb


class Event:
    """One event: its name, and its payload by key."""

    def __init__(self, name: str, payload: dict[str, Any]) -> None:
        self._name = name
        self._payload = payload

    @property
    def event_name(self) -> str:
        """The name under which it was dispatched."""
        return self._name

    def __getitem__(self, key: str) -> Any:
        return self._payload[key]


class ObserverGuard:
    """A subscription: it ends with ``reset`` or with the last reference to it."""

    def __init__(self, dispatcher: EventDispatcher, key: int) -> None:
        self._dispatcher = weakref.ref(dispatcher)
        self._key = key

    def reset(self) -> None:
        """Ends the subscription."""
        dispatcher = self._dispatcher()
        if dispatcher is not None:
            dispatcher._observers.pop(self._key, None)

    def __del__(self) -> None:
        self.reset()


class EventDispatcher:
    """Calls observers by event name, in rising order and then in the order they came."""

    def __init__(self) -> None:
        self._observers: dict[int, tuple[str, int, str, Callable[[Event], None]]] = {}
        self._next = 0

    def observe_event(
        self, *, order: int = 0, event_name: str, on_event: Callable[[Event], None], observer_name: str = ""
    ) -> ObserverGuard:
        """Calls ``on_event(event)`` for as long as the handle lives."""
        self._next += 1
        self._observers[self._next] = (event_name, order, observer_name, on_event)
        return ObserverGuard(self, self._next)

    def dispatch_event(self, event_name: str, *, payload: dict[str, Any] | None = None) -> int:
        """Calls the observers now; how many were called. What they raise is logged as an error."""
        event = Event(event_name, payload or {})
        due = sorted((order, key) for key, (name, order, _, _) in self._observers.items() if name == event_name)
        called = 0
        for _, key in due:
            if key not in self._observers:  # it was dropped by an observer before it
                continue
            _, _, observer_name, on_event = self._observers[key]
            called += 1
            try:
                on_event(event)
            except Exception:
                carb.log_error(f"{observer_name or event_name}: {traceback.format_exc()}")
        return called


_DISPATCHER = EventDispatcher()


def get_eventdispatcher() -> EventDispatcher:
    """The one dispatcher."""
    return _DISPATCHER
