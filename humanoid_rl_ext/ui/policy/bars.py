"""Reward terms of the watched environment as bars around zero, on a scale that does not jump about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

NEW_SHARE = 0.4  # of each new value in what is shown, so that figures can be read
FADE = 0.98  # of the largest value, per update, until the scale becomes finer


@dataclass(frozen=True, slots=True)
class Bar:
    """One reward term."""

    name: str
    value: float
    """Weighted reward per second."""
    share: float
    """Of the scale, from -1 to 1."""


class TermBars:
    """What ``take`` was given, smoothed; all bars have one scale, whose end is 1, 2 or 5 times a power of ten."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        self._peak = 0.0

    @property
    def names(self) -> list[str]:
        """The terms, in the task's order."""
        return list(self._values)

    @property
    def scale(self) -> float:
        """The reward per second that a full bar stands for."""
        return nice_ceiling(self._peak)

    @property
    def total(self) -> float:
        """Reward per second of all terms together."""
        return sum(self._values.values())

    def bars(self) -> list[Bar]:
        """One bar per term."""
        scale = self.scale
        return [Bar(name, value, max(-1.0, min(1.0, value / scale))) for name, value in self._values.items()]

    def take(self, values: Mapping[str, float]) -> None:
        """Takes the present values; terms that came or went are shown from now on, or no longer."""
        self._values = {
            name: value + (1 - NEW_SHARE) * (self._values.get(name, value) - value) for name, value in values.items()
        }
        largest = max((abs(value) for value in self._values.values()), default=0.0)
        self._peak = max(largest, FADE * self._peak)

    def clear(self) -> None:
        """Forgets everything, because something else is watched."""
        self._values, self._peak = {}, 0.0


def nice_ceiling(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten that is not below ``value``; 1 for zero."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= value), 10 * power)
