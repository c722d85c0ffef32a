"""What tests of learners do in their worlds."""

from __future__ import annotations

import math
from typing import Protocol

import pytest
import torch

from humanoid_rl_ext.env.transition import Observations, Transition
from humanoid_rl_ext.errors import HumanoidRLError
from humanoid_rl_ext.learn.learner import Learner
from humanoid_rl_ext.learn.off_policy import OffPolicy


class World(Protocol):
    """Environments as tests make them."""

    obs: Observations

    def step(self, actions: torch.Tensor) -> Transition: ...


def train(learner: Learner, env: World, iterations: int) -> list[dict[str, float]]:
    """The metrics of so many iterations."""
    history: list[dict[str, float]] = []
    while len(history) < iterations:
        before = learner.iteration
        learner.observe(env.step(learner.act(env.obs)))
        for _ in learner.update():
            continue
        if learner.iteration > before:
            history.append(learner.metrics)
    return history


def weights(learner: Learner) -> torch.Tensor:
    """All parameters, (n,)."""
    return torch.cat([value.flatten() for value in learner.state_dict()["weights"].values()])


def check_that_bad_rewards_do_no_harm(learner: OffPolicy, env: World) -> None:
    """An iteration of rewards that are not finite is an error and leaves the policy as it was."""
    good = weights(learner)
    with pytest.raises(HumanoidRLError, match="not finite"):
        for _ in range(learner.settings.num_steps):
            transition = env.step(learner.act(env.obs))
            transition.reward[:] = math.nan
            learner.observe(transition)
            for _ in learner.update():
                continue
    assert torch.equal(weights(learner), good)
