"""What the panel needs of the application around it; the Studio and Kit each bring their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

MessageKind = Literal["info", "warning", "error"]


class Host(Protocol):
    """The application that shows the panel and pumps the work behind it."""

    def interacted(self) -> None:
        """A widget tells that the user is at work: frames come fast for a moment."""

    def pick_file(self, title: str, suffixes: Sequence[str], chosen: Callable[[Path], None]) -> None:
        """Asks for an existing file with one of the suffixes; ``chosen`` is not called when the user gives up."""

    def pick_new_file(self, title: str, name: str, chosen: Callable[[Path], None]) -> None:
        """Asks where to write a file that is called ``name`` unless the user says otherwise; asks before replacing."""

    def open_folder(self, folder: Path) -> None:
        """Shows a folder in the desktop's file manager."""

    def setting(self, name: str, default: Any = None) -> Any:
        """A remembered value, such as the recent robots: whatever JSON can hold."""

    def remember(self, name: str, value: Any) -> None:
        """Keeps a value for the next start."""
