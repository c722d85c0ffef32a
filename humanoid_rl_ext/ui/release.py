"""Letting go of what a rebuilt frame has shown before."""

from __future__ import annotations

import sys
from typing import Any


def release(part: Any) -> None:
    """Empties view objects that are not shown any more, and those they are made of; lists and dicts of them too.

    A widget keeps its callbacks, which keep the object they belong to, which keeps the widget. Half of that circle is
    in C++, where Python's collector cannot see it, so it has to be broken by hand. Models are left alone: only objects
    whose class stands in a module that imports omni.ui are emptied.
    """
    if isinstance(part, list | tuple):
        for one in part:
            release(one)
    elif isinstance(part, dict):
        release(list(part.values()))
    elif getattr(sys.modules.get(type(part).__module__), "ui", None) is sys.modules.get("omni.ui"):
        inside = list(vars(part).values()) if hasattr(part, "__dict__") else []
        if inside:
            vars(part).clear()
            release(inside)
