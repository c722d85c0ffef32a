"""Stand-in for ``carb.settings``: one flat store of paths, with subscriptions."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any


class ChangeEventType(enum.Enum):
    """What happened to a setting."""

    CREATED = 0
    CHANGED = 1
    DESTROYED = 2


class ISettings:
    """Settings by path; a path is the same with and without its leading slash."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._subscriptions: dict[int, tuple[str, Callable[..., None]]] = {}
        self._next = 0

    def get(self, path: str, /) -> Any:
        """The value, a dict for a path with children, or None."""
        path = _clean(path)
        if path in self._values:
            return self._values[path]
        below = {key[len(path) + 1 :]: value for key, value in self._values.items() if key.startswith(path + "/")}
        return below or None

    def get_as_bool(self, path: str, /) -> bool:
        """The value as a bool, False when unset."""
        return bool(self.get(path))

    def get_as_int(self, path: str, /) -> int:
        """The value as an int, 0 when unset."""
        return int(self.get(path) or 0)

    def get_as_float(self, path: str, /) -> float:
        """The value as a float, 0 when unset."""
        return float(self.get(path) or 0.0)

    def get_as_string(self, path: str, /) -> str:
        """The value as a string, empty when unset."""
        value = self.get(path)
        return "" if value is None else str(value)

    def set(self, path: str, value: Any, /) -> None:
        """Stores a value; a dict stores each of its entries below the path."""
        if isinstance(value, dict):
            for key, entry in value.items():
                self.set(f"{path}/{key}", entry)
            return
        path = _clean(path)
        kind = ChangeEventType.CHANGED if path in self._values else ChangeEventType.CREATED
        self._values[path] = value
        self._tell(path, kind)

    def set_bool(self, path: str, value: bool, /) -> None:
        """Stores a bool."""
        self.set(path, _checked(value, bool))

    def set_int(self, path: str, value: int, /) -> None:
        """Stores an int."""
        self.set(path, _checked(value, int))

    def set_float(self, path: str, value: float, /) -> None:
        """Stores a float."""
        self.set(path, float(_checked(value, (int, float))))

    def set_string(self, path: str, value: str, /) -> None:
        """Stores a string."""
        self.set(path, _checked(value, str))

    def destroy_item(self, path: str, /) -> None:
        """Removes a setting and all below it."""
        path = _clean(path)
        for key in [key for key in self._values if key == path or key.startswith(path + "/")]:
            del self._values[key]
            self._tell(key, ChangeEventType.DESTROYED)

    def subscribe_to_node_change_events(self, path: str, on_change: Callable[..., None], /) -> int:
        """Calls ``on_change(item, event_type)`` for each change of one setting, until unsubscribed."""
        self._next += 1
        self._subscriptions[self._next] = (_clean(path), on_change)
        return self._next

    def unsubscribe_to_change_events(self, subscription: int, /) -> None:
        """Ends a subscription."""
        del self._subscriptions[subscription]

    def _tell(self, path: str, kind: ChangeEventType) -> None:
        for watched, on_change in list(self._subscriptions.values()):
            if watched == path:
                on_change(None, kind)


_SETTINGS = ISettings()


def get_settings() -> ISettings:
    """The one store of settings."""
    return _SETTINGS


def _clean(path: str) -> str:
    return "/" + path.strip("/")


def _checked(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise TypeError(f"a setting of this kind cannot hold {value!r}")
    return value
