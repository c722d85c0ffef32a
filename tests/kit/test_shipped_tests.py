"""The tests that the extension brings for Isaac Sim's own runner hold in the miniature Kit too."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standin import Kit

NAMES = (
    "test_the_panel_opens_by_its_action",
    "test_cartpoles_train_and_the_stage_is_as_before",
    "test_stopping_the_timeline_saves_the_run",
)


@pytest.fixture
def case(kit: Kit, omni_ui: None) -> Iterator[type[Any]]:
    """The shipped test case, with the extension enabled as the runner finds it."""
    from humanoid_rl_ext.extension import HumanoidRLExtension
    from humanoid_rl_ext.tests import TestInIsaacSim

    extension = HumanoidRLExtension()
    extension.on_startup("humanoid_rl_ext-0.1.0")
    yield TestInIsaacSim
    extension.on_shutdown()


def run(kit: Kit, coroutine: Any, seconds: float = 120.0) -> None:
    """Runs a coroutine in the application's loop, as Kit's runner does."""
    from omni.ui.standalone import _tick_one_frame

    task = kit.app._loop.create_task(coroutine)
    end = time.perf_counter() + seconds
    while not task.done():
        assert time.perf_counter() < end, "the test does not end"
        kit.update()
        _tick_one_frame()
    task.result()


@pytest.mark.parametrize("name", NAMES)
def test_in_the_miniature_kit(kit: Kit, case: type[Any], name: str, tmp_path: Path) -> None:
    test = case(name)
    run(kit, test.setUp())
    try:
        run(kit, getattr(test, name)())
    finally:
        run(kit, test.tearDown())


def test_every_shipped_test_is_run_here(case: type[Any]) -> None:
    shipped = {name for name, _ in inspect.getmembers(case, inspect.iscoroutinefunction) if name.startswith("test_")}
    assert shipped == set(NAMES)
