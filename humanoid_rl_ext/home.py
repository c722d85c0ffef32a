"""Where Humanoid RL keeps what it makes: never inside the extension's folder, which Kit watches and reloads."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The absolute folder of all that is written: `$HUMANOID_RL_HOME`, else `~/humanoid_rl`; may not exist yet."""
    named = os.environ.get("HUMANOID_RL_HOME")
    return Path(named).expanduser().absolute() if named else Path.home() / "humanoid_rl"


def runs_folder() -> Path:
    """The folder that holds one folder per task, each with one folder per training run; may not exist yet."""
    return home() / "runs"


def cache_folder(name: str) -> Path:
    """The existing folder for cached files of one kind, such as 'robots'; safe to delete at any time."""
    folder = home() / "cache" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
