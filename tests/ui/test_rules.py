"""The panel keeps to its room: short files, no imports from above, nothing heavy before Train is pressed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

UI = Path(__file__).resolve().parents[2] / "humanoid_rl_ext" / "ui"
ABOVE = ("humanoid_rl_ext.hosts", "humanoid_rl_ext.cli", "humanoid_rl_ext.extension")
ONLY_IN_KIT = ("carb", "isaacsim", "omni.kit", "omni.usd", "omni.ext", "omni.physics", "omni.timeline")
STANDALONE = ("omni.ui.testing", "omni.ui.standalone", "omni.ui._ui")


def imports(file: Path) -> set[str]:
    """Names of everything that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_file_of_the_panel_is_over_400_lines():
    long = {
        str(file.relative_to(UI)): n for file in UI.rglob("*.py") if (n := len(file.read_text().splitlines())) > 400
    }
    assert not long


def test_the_panel_imports_omni_ui_and_lower_rooms_alone():
    for file in UI.rglob("*.py"):
        wrong = [name for name in imports(file) if name.startswith((*ABOVE, *ONLY_IN_KIT, *STANDALONE))]
        assert not wrong, (file, wrong)


def test_view_models_do_not_know_omni_ui():
    models = [*UI.rglob("model.py"), *(UI / name for name in ("workbench.py", "draft.py", "background.py"))]
    assert len(models) > 8
    for file in models:
        assert not [name for name in imports(file) if name.startswith("omni")], file


def test_opening_the_panel_loads_neither_torch_nor_a_simulator():
    code = (
        "from humanoid_rl_ext.hosts.libcuda import ensure_libcuda; ensure_libcuda(); "
        "import sys, humanoid_rl_ext.ui.panel, humanoid_rl_ext.hosts.studio_window; "
        "print([name for name in ('torch', 'ovphysx', 'pxr', 'newton', 'warp') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=UI.parents[1])
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr
