from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from humanoid_rl_ext.robot import RobotDescription
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path / "home"))


@pytest.fixture
def physx() -> Iterator[Callable[[RobotDescription], OvPhysxEngine]]:
    """Puts two robots of a description into PhysX; a process holds one scene, so each is closed before the next."""
    living: list[OvPhysxEngine] = []

    def start(robot: RobotDescription) -> OvPhysxEngine:
        while living:
            living.pop().close()
        living.append(OvPhysxEngine(robot, SceneSettings(2, num_threads=1)))
        return living[-1]

    yield start
    while living:
        living.pop().close()
