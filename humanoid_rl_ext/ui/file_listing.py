"""What a file dialog shows and decides, without a widget: a folder's entries, a name, and why it will not do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_ROWS = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder, or a file of a wanted kind, in the folder that is shown."""

    path: Path
    is_folder: bool
    size: int = 0

    @property
    def size_text(self) -> str:
        """The size for people; empty for a folder."""
        if self.is_folder:
            return ""
        size, unit = float(self.size), "B"
        for larger in ("kB", "MB", "GB"):
            if size < 1000:
                break
            size, unit = size / 1000, larger
        return f"{size:.3g} {unit}"


class FileListing:
    """Looks for an existing file with one of the suffixes, or for a place and name of a new file."""

    def __init__(self) -> None:
        self.folder = Path.home()
        self.suffixes: tuple[str, ...] = ()
        """Kinds of files to choose from; empty for all."""
        self.new = False
        """Whether a new file's name is asked for."""
        self.name = ""
        """What stands in the field: a name in the folder, or any path."""
        self.error = ""
        """Why the last name or folder did not do."""
        self.replaces: Path | None = None
        """The file that would be replaced, once the user has been told so."""
        self._entries: list[Entry] = []
        self._suffix = self._word = ""

    def start_open(self, suffixes: Sequence[str], folder: Path) -> None:
        """Begins to look for an existing file."""
        self._start(False, suffixes, folder, "")

    def start_save(self, name: str, folder: Path) -> None:
        """Begins to look for a new file's place; files of the same kind are shown."""
        self._start(True, [Path(name).suffix] if Path(name).suffix else [], folder, name)

    @property
    def rows(self) -> list[Entry]:
        """The entries that have the typed text in their name, folders first; all while a new file is named."""
        return [entry for entry in self._entries if self._word in entry.path.name.casefold()]

    @property
    def note(self) -> str:
        """What to know about the list: that it is empty, or cut."""
        rows, kinds = self.rows, ", ".join(self.suffixes)
        if len(rows) > MOST_ROWS:
            return f"{len(rows) - MOST_ROWS} more: type a part of the name"
        if rows:
            return ""
        return f"No folders and no {kinds} files here" if not self._entries else "Nothing here has this in its name"

    def type(self, name: str) -> None:
        """Takes what stands in the field, while it is typed."""
        if name != self.name:
            self.name, self.error, self.replaces = name, "", None
            self._word = "" if self.new or os.sep in name else name.strip().casefold()

    def pick(self, entry: Entry) -> None:
        """Takes an entry's name without narrowing the list; a folder's name is no name for a new file."""
        if not (entry.is_folder and self.new):
            self.name, self.error, self.replaces = entry.path.name, "", None

    def go(self, folder: str | Path) -> bool:
        """Shows another folder; ``error`` says why it cannot. A name for a new file is kept."""
        path = self._absolute(str(folder))
        try:
            if not path.is_dir():
                raise OSError(0, "is not a folder" if path.exists() else "no such folder")
            entries = [entry for child in path.iterdir() if (entry := self._entry(child))]
        except OSError as error:
            self.error = f"{path}: {error.strerror}"
            return False
        self._entries = sorted(entries, key=lambda entry: (not entry.is_folder, entry.path.name.casefold()))
        self.folder, self.error, self.replaces = path, "", None
        self._word = ""
        if not self.new:
            self.name = ""
        return True

    def up(self) -> None:
        """Shows the folder above."""
        self.go(self.folder.parent)

    def home(self) -> None:
        """Shows the user's own folder."""
        self.go(Path.home())

    def submit(self) -> Path | None:
        """The file that the name stands for; None when it was a folder, which is shown then, or with an ``error``.

        A file that would be replaced is answered with None and ``replaces``; then ``submit`` again returns it.
        """
        text = self.name.strip()
        if not text:
            self.error = "Type a name" if self.new else "Choose a file from the list, or type its name"
            return None
        path = self._absolute(text)
        if path.is_dir():
            self.go(path)
            return None
        return self._submit_new(path) if self.new else self._submit_existing(path)

    def _submit_existing(self, path: Path) -> Path | None:
        files = [entry.path for entry in self.rows]
        if not path.exists() and len(files) == 1 and os.sep not in self.name:
            if files[0].is_dir():
                self.go(files[0])
                return None
            path = files[0]
        if not path.exists():
            self.error = f"{path}: no such file"
        elif self.suffixes and path.suffix.lower() not in self.suffixes:
            self.error = f"{path.name}: choose a file that ends in {', '.join(self.suffixes)}"
        elif not os.access(path, os.R_OK):
            self.error = f"{path}: cannot be read: permission denied"
        else:
            return path
        return None

    def _submit_new(self, path: Path) -> Path | None:
        if self._suffix and not path.suffix:
            path = path.with_suffix(self._suffix)
        if not path.parent.is_dir():
            self.error = f"{path.parent}: no such folder"
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            self.error = f"{path}: cannot be written: permission denied"
        elif path.exists() and self.replaces != path:
            self.replaces, self.error = path, f"{path.name} exists already"
        else:
            return path
        return None

    def _start(self, new: bool, suffixes: Sequence[str], folder: Path, name: str) -> None:
        self.new, self.suffixes, self.name = new, tuple(suffix.lower() for suffix in suffixes), name
        self._suffix = Path(name).suffix
        self._entries = []
        if not self.go(folder):
            self.home()
        self.error, self.replaces = "", None

    def _entry(self, path: Path) -> Entry | None:
        if path.name.startswith("."):
            return None
        try:
            if path.is_dir():
                return Entry(path, True)
            if self.suffixes and path.suffix.lower() not in self.suffixes:
                return None
            return Entry(path, False, path.stat().st_size)
        except OSError:
            return None

    def _absolute(self, text: str) -> Path:
        return Path(os.path.abspath(self.folder / Path(text.strip()).expanduser()))
