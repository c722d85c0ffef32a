"""What holds for all tests, and the one omni.ui of those that show something: off the screen, drawn by the CPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from humanoid_rl_ext.hosts.libcuda import ensure_libcuda

sys.path.insert(0, str(Path(__file__).parent / "ui"))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch's idle threads leave the cores to physics
os.environ.update(OMNIUI_HEADLESS="1", OMNIUI_BACKEND="vulkan")
ensure_libcuda()
SIZE = (1280, 720)


@pytest.fixture(scope="session")
def omni_ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """omni.ui started once, in a folder of its own, where it keeps its settings file."""
    from omni import ui

    from humanoid_rl_ext.hosts.studio import load_usd

    load_usd()
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("omni_ui"))
    ui.init("Humanoid RL", *SIZE)
    yield
    ui.shutdown()
    os.chdir(before)


@pytest.fixture
def driver(omni_ui: None, capfd: pytest.CaptureFixture[str]) -> Iterator["Driver"]:  # noqa: F821, UP037
    """A user at the mouse and keyboard; a callback that fails inside omni.ui fails the test."""
    from driver import Driver

    yield Driver()
    errors = [line for line in capfd.readouterr().err.splitlines() if "[error]" in line]
    assert not errors, errors


@pytest.fixture
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: ``$HUMANOID_RL_SCREENSHOTS``, else a temporary folder."""
    named = os.environ.get("HUMANOID_RL_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
