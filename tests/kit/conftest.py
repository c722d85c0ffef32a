"""The miniature Kit for all tests in this folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from humanoid_rl_ext.hosts.libcuda import ensure_libcuda

sys.path.insert(0, str(Path(__file__).parent))
os.environ.update(OMNIUI_HEADLESS="1", OMNIUI_BACKEND="vulkan")

from standin import Kit, installed


@pytest.fixture(scope="session")
def standalone_ui() -> None:
    """omni.ui imported before any stand-in is there: it looks for Kit on import, and would keep what it finds."""
    ensure_libcuda()
    import omni.ui  # noqa: F401


@pytest.fixture
def kit(standalone_ui: None) -> Iterator[Kit]:
    """A miniature Kit that was just started, without a stage; an error that it logged and nobody cleared fails."""
    with installed() as running:
        yield running
        running.stop()
        assert not running.logs.errors, running.logs.errors
