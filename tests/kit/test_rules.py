"""Kit is known in few places, so that everything else runs without it."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "humanoid_rl_ext"
KNOWS_KIT = ("extension.py", "sim/kit.py", "hosts/kit/", "tests/")
KNOWS_OMNI_UI = ("ui/", "hosts/studio.py", "hosts/studio_window.py", "hosts/glfw.py", "hosts/bench_ui.py")


def imported(file: Path) -> set[str]:
    """Names of everything that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def strangers(file: Path) -> set[str]:
    """What a file imports of Kit without being one of those that may."""
    place = file.relative_to(PACKAGE).as_posix()
    names = {name for name in imported(file) if name.partition(".")[0] in ("carb", "isaacsim", "omni")}
    if place.startswith(KNOWS_KIT):
        return set()
    if place.startswith(KNOWS_OMNI_UI):
        return {name for name in names if not name.startswith("omni.ui")}
    return names


def test_kit_is_imported_where_it_may_be_alone() -> None:
    assert {str(file): found for file in PACKAGE.rglob("*.py") if (found := strangers(file))} == {}


def test_rooms_import_from_below_alone() -> None:
    rooms = ["task", "robot", "sim", "mdp", "env", "learn", "train", "deploy", "ui", "hosts"]
    allowed = {room: set(rooms[: place + 1]) for place, room in enumerate(rooms)}
    allowed["task"] |= {"robot", "mdp", "learn"}  # registers and overrides, which import nothing heavy themselves
    for room in rooms:
        for file in (PACKAGE / room).rglob("*.py"):
            used = {name.split(".")[1] for name in imported(file) if name.startswith("humanoid_rl_ext.")}
            assert not (used & set(rooms)) - allowed[room], (file, used)
