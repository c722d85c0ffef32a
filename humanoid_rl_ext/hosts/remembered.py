"""What the panel remembers from one start to the next: recent robots and the like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Remembered:
    """Values by name in one JSON file; nothing is remembered yet where the file is missing or was spoilt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._values: dict[str, Any] = {}
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if isinstance(values, dict):
            self._values = values

    def get(self, name: str, default: Any = None) -> Any:
        """A remembered value."""
        return self._values.get(name, default)

    def keep(self, name: str, value: Any) -> None:
        """Remembers a value; raises OSError when the file cannot be written."""
        self._values[name] = value
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".new")
        aside.write_text(json.dumps(self._values, indent=2) + "\n", encoding="utf-8")
        aside.replace(self.path)
