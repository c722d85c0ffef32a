"""A step with a state written by hand: two environments, a base and two feet, three joints."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.engine import State

NUM_ENVS, BODIES, JOINTS = 2, 3, 3


class HandEngine:
    """An engine's state without physics: whatever the test writes."""

    def __init__(self) -> None:
        self.num_envs, self.device = NUM_ENVS, torch.device("cpu")
        joints = [
            SimpleNamespace(name=f"joint_{i}", default=0.1 * i, lower=-1.0, upper=1.0 + i, effort_limit=10.0)
            for i in range(JOINTS)
        ]
        self.robot = SimpleNamespace(joints=joints, standing_height=1.0)
        pose = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
        self.state = State(
            pose.repeat(NUM_ENVS, 1),
            torch.zeros(NUM_ENVS, 6),
            torch.zeros(NUM_ENVS, JOINTS),
            torch.zeros(NUM_ENVS, JOINTS),
            pose.repeat(NUM_ENVS, BODIES, 1),
            torch.zeros(NUM_ENVS, BODIES, 6),
        )
        self.env_origins = torch.zeros(NUM_ENVS, 3)
        self.contacts = torch.zeros(NUM_ENVS, BODIES, 3)
        self.effort = torch.zeros(NUM_ENVS, JOINTS)

    def read_contacts(self) -> torch.Tensor:
        return self.contacts

    def joint_effort(self) -> torch.Tensor:
        return self.effort


@pytest.fixture
def engine() -> HandEngine:
    return HandEngine()


@pytest.fixture
def step(engine: HandEngine) -> Step:
    step = Step(engine, dt=0.02, max_episode_length=100, joints=range(JOINTS))  # type: ignore[arg-type]
    step.episode_length += 1
    step.commands = {"velocity": torch.zeros(NUM_ENVS, 3), "target": torch.zeros(NUM_ENVS, 3)}
    return step
