"""Stand-in for ``carb``: a log that can be read back."""

from __future__ import annotations

_messages: list[tuple[str, str]] = []
"""(level, text) of everything that was logged, oldest first; the levels are info, warn and error."""


def log_info(message: str, /) -> None:
    """Logs for developers."""
    _messages.append(("info", message))


def log_warn(message: str, /) -> None:
    """Logs a warning."""
    _messages.append(("warn", message))


def log_error(message: str, /) -> None:
    """Logs an error, which fails a test run in Kit."""
    _messages.append(("error", message))
