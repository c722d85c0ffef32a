"""What the panel needs of the application around it; the Studio and Kit each bring their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

MessageKind = Literal["info", "warning", "error"]


class StageAccess(Protocol):
    """The stage of the application around the panel, where there is one."""

    def stage(self) -> Any:
        """The open ``pxr.Usd.Stage``, to be read on the thread that draws; None when none is open."""

    def selection(self) -> list[str]:
        """Paths of the selected prims."""

    def asset_root(self) -> str:
        """The URL or folder of the asset library; may block for seconds.

        Raises:
            HumanoidRLError: with a clear line, when it does not answer.
        """


class Host(Protocol):
    """The application that shows the panel and pumps the work behind it."""

    stage_access: StageAccess | None
    """The stage that the application shows; None where the panel has no application around it."""

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
