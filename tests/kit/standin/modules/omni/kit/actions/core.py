"""Stand-in for ``omni.kit.actions.core``: the registry of actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class ActionRegistry:
    """Actions by extension and name."""

    def __init__(self) -> None:
        self._actions: dict[tuple[str, str], Callable[..., Any]] = {}

    def register_action(
        self,
        extension_id: str,
        action_id: str,
        python_object: Callable[..., Any],
        /,
        display_name: str = "",
        description: str = "",
        tag: str = "",
    ) -> None:
        """Registers an action."""
        if (extension_id, action_id) in self._actions:
            raise ValueError(f"the action {extension_id}.{action_id} is registered already")
        self._actions[extension_id, action_id] = python_object

    def deregister_action(self, extension_id: str, action_id: str, /) -> None:
        """Takes one action out."""
        del self._actions[extension_id, action_id]

    def deregister_all_actions_for_extension(self, extension_id: str, /) -> None:
        """Takes all actions of an extension out."""
        for key in [key for key in self._actions if key[0] == extension_id]:
            del self._actions[key]

    def execute_action(self, extension_id: str, action_id: str, /, *arguments: Any, **named: Any) -> Any:
        """Runs an action."""
        return self._actions[extension_id, action_id](*arguments, **named)


_REGISTRY = ActionRegistry()


def get_action_registry() -> ActionRegistry:
    """The one registry."""
    return _REGISTRY
