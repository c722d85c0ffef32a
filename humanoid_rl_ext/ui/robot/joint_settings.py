"""Settings of joints by pattern: what they come to for each joint, and how one of them is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from humanoid_rl_ext.robot.overrides import matching

Settings = Mapping[str, Mapping[str, Any]]
"""Settings by pattern of joint name, as under ``robot: joints:`` of a task; of several matches the last one wins."""


def by_joint(settings: Settings, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the settings say about each of the named joints; joints that they leave alone are left out."""
    found: dict[str, dict[str, Any]] = {}
    for pattern, values in settings.items():
        for name in matching(pattern, list(names)):
            found.setdefault(name, {}).update({field: value for field, value in values.items() if value is not None})
    return {name: values for name, values in found.items() if values}


def changed(settings: Settings, names: Sequence[str], pattern: str, values: Mapping[str, Any]) -> Settings:
    """The settings with ``values`` for the joints that match ``pattern``, and the same as before for all others.

    None as a value leaves the joint's field to the file again. The shortest way of writing it is taken that comes to
    exactly that: the pattern where it stands, the pattern at the end, or one entry per joint.
    """
    meant = by_joint(settings, names)
    for name in matching(pattern, list(names)):
        after = {**meant.get(name, {}), **values}
        meant[name] = {field: value for field, value in after.items() if value is not None}
    meant = {name: own for name, own in meant.items() if own}
    return next(way for way in _ways(settings, names, pattern, values, meant) if by_joint(way, names) == meant)


def _ways(
    settings: Settings, names: Sequence[str], pattern: str, values: Mapping[str, Any], meant: Settings
) -> Iterator[Settings]:
    targets = set(matching(pattern, list(names)))
    kept: dict[str, dict[str, Any]] = {}
    for key, own in settings.items():
        superseded = values if set(matching(key, list(names))) <= targets else ()
        rest = {field: value for field, value in own.items() if value is not None and field not in superseded}
        if rest:
            kept[key] = rest
    given = {field: value for field, value in values.items() if value is not None}
    own = {**kept.get(pattern, {}), **given}
    entry = {pattern: own} if own else {}
    yield {**kept, **entry}
    yield {**{key: rest for key, rest in kept.items() if key != pattern}, **entry}
    yield meant
