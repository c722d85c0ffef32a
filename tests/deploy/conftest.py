"""Short runs to export, and policy folders as Isaac Lab writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.train.start import open_session, plan_run
from tests.deploy.isaac_sim import Linear, isaac_lab_data

SMALL = ("learner.num_steps=4", "learner.actor_hidden=[16]", "learner.critic_hidden=[16]", "learner.num_minibatches=2")


def train(path: Path, task: str, *words: str) -> Path:
    """A run of a few iterations; the policy's last layer is made large, so that its actions differ from zero."""
    session = open_session(plan_run(task, [*SMALL, *words], num_envs=4, env_steps=64, device="cpu", run=path))
    session.step_once()
    with torch.no_grad():
        session.learner.network.actor_head.weight.mul_(100.0)  # type: ignore[attr-defined]
    session.run()
    session.close()
    return path


@pytest.fixture(scope="session")
def cartpole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("runs") / "cartpole", "cartpole_balance")


@pytest.fixture(scope="session")
def walk_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A humanoid that walks on command, moves its legs alone, each kind of joint by a scale of its own, and starts
    standing.
    """
    return train(
        tmp_path_factory.mktemp("runs") / "walk",
        "humanoid_walk",
        "control.joints=.*(hip|knee|ankle).*",
        'control.scale={".*": 0.2, ".*_knee": 0.5}',
        "observations.policy.last_action.scale=0.5",
        "observations.policy.joint_vel.clip=3.0",
        "randomisation.initial_joint_pos.enabled=false",
        "randomisation.initial_root.enabled=false",
    )


@pytest.fixture
def isaac_lab_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a policy folder as Isaac Lab does; ``change`` edits what goes into its env.yaml."""

    def write(change: Callable[[dict[str, Any]], Any] = lambda data: None, weight: torch.Tensor | None = None) -> Path:
        joints = len(load_robot("humanoid").joints)
        folder = tmp_path / "policy"
        folder.mkdir(exist_ok=True)
        data = isaac_lab_data()
        change(data)
        (folder / "env.yaml").write_text(yaml.dump(data, sort_keys=False))
        if weight is None:
            weight = torch.randn(joints, 12 + 3 * joints, generator=torch.Generator().manual_seed(1)) * 0.1
        torch.jit.script(Linear(weight)).save(str(folder / "policy.pt"))
        return folder

    return write


@pytest.fixture
def closing() -> Iterator[Callable[[Any], Any]]:
    """Closes what is handed to it, such as players, at the end or before the next one."""
    opened: list[Any] = []

    def keep(make: Callable[[], Any]) -> Any:
        while opened:
            opened.pop().close()
        opened.append(make())
        return opened[0]

    yield keep
    for thing in opened:
        thing.close()
