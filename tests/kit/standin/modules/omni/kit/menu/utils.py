"""Stand-in for ``omni.kit.menu.utils``: entries of the menu bar, by reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import omni.kit.actions.core


class MenuItemDescription:
    """One entry, or a sub-menu of entries."""

    def __init__(
        self,
        name: str = "",
        glyph: str = "",
        sub_menu: Any = None,
        ticked: bool = False,
        ticked_fn: Callable[[], bool] | None = None,
        enabled: bool = True,
        onclick_action: tuple[str, ...] | None = None,
        onclick_fn: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.sub_menu = sub_menu
        self.onclick_action = onclick_action
        self.onclick_fn = onclick_fn


_menus: dict[str, list[MenuItemDescription]] = {}


def add_menu_items(menu: Sequence[MenuItemDescription], name: str, menu_index: int = 0, /) -> None:
    """Adds entries to a menu of the menu bar."""
    _menus.setdefault(name, []).extend(menu)


def remove_menu_items(menu: Sequence[MenuItemDescription], /, name: str) -> None:
    """Takes the very same entries out again."""
    for item in menu:
        _menus[name].remove(item)


def _find(path: str) -> MenuItemDescription:
    name, *names = path.split("/")
    items, found = _menus.get(name, []), None
    for wanted in names:
        found = next(item for item in items if item.name == wanted)
        items = found.sub_menu or []
    assert found is not None, path
    return found


def _click(path: str) -> None:
    item = _find(path)
    if item.onclick_action is not None:
        omni.kit.actions.core.get_action_registry().execute_action(*item.onclick_action)
    elif item.onclick_fn is not None:
        item.onclick_fn()
