"""A workbench without a window, for tests of view-models."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.workbench import Workbench


class QuietHost:
    """A host without a window."""

    stage_access = None

    def __init__(self) -> None:
        self.settings: dict[str, object] = {}

    def interacted(self) -> None: ...
    def pick_file(self, *arguments: object) -> None: ...
    def pick_new_file(self, *arguments: object) -> None: ...
    def open_folder(self, folder: Path) -> None: ...

    def setting(self, name: str, default: object = None) -> object:
        return self.settings.get(name, default)

    def remember(self, name: str, value: object) -> None:
        self.settings[name] = value


def small_workbench(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """A workbench on a small cart-pole run that saves only when it is told to; its home is ``home``."""
    monkeypatch.setenv("HUMANOID_RL_HOME", str(home))
    draft = Draft.load("cartpole_balance")
    draft.edit("run.num_envs", 8)
    draft.edit("run.save_interval", 1000)
    workbench = Workbench(QuietHost(), draft)
    yield workbench
    workbench.close()


def pump_until(bench: Workbench, condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Works until ``condition`` holds; fails after ``seconds`` with what the workbench said last."""
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end, bench.message
        bench.pump(0.01)
