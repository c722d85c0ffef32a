"""What the panel asks of the application around it and every host answers alike: files, folders, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.hosts.folders import show_folder
from humanoid_rl_ext.hosts.remembered import Remembered

if TYPE_CHECKING:
    from humanoid_rl_ext.ui.file_dialog import FileDialog
    from humanoid_rl_ext.ui.workbench import Workbench


class Desk:
    """The part of ``ui.host.Host`` that the Studio and Isaac Sim share; a host sets the attributes."""

    workbench: Workbench
    file_dialog: FileDialog
    remembered: Remembered

    def pick_file(self, title: str, suffixes: Sequence[str], chosen: Callable[[Path], None]) -> None:
        """Asks for an existing file with one of the suffixes."""
        self.file_dialog.open(title, suffixes, chosen, Path.home())

    def pick_new_file(self, title: str, name: str, chosen: Callable[[Path], None]) -> None:
        """Asks where to write a file."""
        self.file_dialog.save(title, name, chosen, Path.home())

    def open_folder(self, folder: Path) -> None:
        """Shows a folder in the desktop's file manager; says where it is when there is none."""
        try:
            show_folder(folder)
        except OSError:
            self.workbench.say(f"No file manager was found; the folder is {folder}", "warning")

    def setting(self, name: str, default: Any = None) -> Any:
        """A value that ``remember`` kept."""
        return self.remembered.get(name, default)

    def remember(self, name: str, value: Any) -> None:
        """Keeps a value for the next start."""
        try:
            self.remembered.keep(name, value)
        except OSError as error:
            self.workbench.say(f"{self.remembered.path} cannot be written: {error.strerror}", "warning")
