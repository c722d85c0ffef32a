"""Which bodies are feet, hands and head: by name, and where names say nothing, by geometry."""

from __future__ import annotations

import re
from collections.abc import Callable

FOOT_NAMES = (r"foot|feet", r"ankle_roll|ankle_x", r"sole|toe", r"ankle|paw|calf_lower")
HAND_NAMES = (r"(^|_)(hand|palm)(_link)?$|gripper", r"wrist_yaw", r"hand|palm", r"wrist")
HEAD_NAMES = (r"(^|_)head(_link)?$", r"head(?!ing|lamp|light)")

GROUND_BAND = 0.08
"""Leaf bodies whose lowest point is within this share of the robot's height above the lowest of all are feet."""


def guess_feet(names: list[str], parents: list[str | None], lowest: dict[str, float], height: float) -> list[str]:
    """Names of the feet.

    ``lowest`` gives the lowest point (m) of every body that has collision shapes, standing; ``height`` the
    robot's height (m).
    """
    named = _by_name(names, FOOT_NAMES, lambda name: name in lowest) or _by_name(names, FOOT_NAMES)
    if named:
        return _outermost(named, dict(zip(names, parents, strict=True)))
    leaves = [name for name in names if name not in parents and name in lowest]
    if not leaves:
        return []
    ground = min(lowest.values())
    return [name for name in leaves if lowest[name] - ground <= GROUND_BAND * height]


def guess_hands(names: list[str], parents: list[str | None]) -> list[str]:
    """Names of the hands; the last wrist link stands for a hand that the file does not have."""
    return _outermost(_by_name(names, HAND_NAMES), dict(zip(names, parents, strict=True)), innermost=True)


def guess_head(names: list[str]) -> list[str]:
    """Name of the head, at most one."""
    return _by_name(names, HEAD_NAMES)[:1]


def _by_name(names: list[str], patterns: tuple[str, ...], keep: Callable[[str], bool] = lambda name: True) -> list[str]:
    for pattern in patterns:
        if found := [name for name in names if re.search(pattern, name.lower()) and keep(name)]:
            return found
    return []


def _outermost(found: list[str], parent: dict[str, str | None], innermost: bool = False) -> list[str]:
    """Of names on one limb only the last (or the first, ``innermost``)."""

    def above(name: str) -> list[str]:
        chain, up = [], parent[name]
        while up is not None:
            chain.append(up)
            up = parent[up]
        return chain

    if innermost:
        return [name for name in found if not any(other in found for other in above(name))]
    return [name for name in found if not any(name in above(other) for other in found)]
