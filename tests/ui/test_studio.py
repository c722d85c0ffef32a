"""The real panel, clicked and typed at from loading a robot to quitting, at two sizes of the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("size", ["1280x720", "3840x2160"])
def test_a_user_loads_sets_trains_edits_watches_drives_and_quits(size, tmp_path, pictures):
    command = [sys.executable, str(Path(__file__).with_name("scenario.py")), "--size", size]
    command += ["--pictures", str(pictures / size)]
    variables = {**os.environ, "HUMANOID_RL_HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "[error]" not in done.stderr, done.stderr
