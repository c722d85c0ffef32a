"""The errors a user can cause or meet, each with one clear line: what, where, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HumanoidRLError(Exception):
    """Anything that ends a command with one line instead of a traceback (exit status 1)."""

    exit_status = 1


class BadInputError(HumanoidRLError):
    """The user's input cannot be used as it is (exit status 2); nothing has been written."""

    exit_status = 2


class RobotError(BadInputError):
    """A robot file is missing, unreadable, or does not hold exactly one articulation."""


class TaskError(BadInputError):
    """A task, a learner setting or an override is unknown, misspelt, of the wrong type or out of bounds."""


class CheckpointError(BadInputError):
    """A checkpoint is missing, truncated, or does not fit the task it is loaded into."""


class EngineError(HumanoidRLError):
    """A physics engine could not start or failed while stepping."""


class DisplayError(HumanoidRLError):
    """No window can be opened on this machine as it is."""


class DeviceError(BadInputError):
    """A compute device was asked for that this machine does not have."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A phrase that names the closest known spelling, or the known names (a few) when none is close."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if len(known) > 40:
        return f"none of the {len(known)} known names is close"
    return "known: " + ", ".join(known) if known else "nothing is known here"
