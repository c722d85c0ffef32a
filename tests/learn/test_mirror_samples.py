"""PPO that learns from mirror images: what is good on the left is as good on the right."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.symmetry import Mirror, Symmetry
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.learn import PPOSettings
from humanoid_rl_ext.learn.ppo import PPO
from humanoid_rl_ext.task.loading import load_task

SWAP = Mirror(torch.tensor([1, 0]), torch.tensor([-1.0, -1.0]))
SPEC = EnvSpec(64, {"policy": 2}, ActionSpec("box", 2), 10, symmetry=lambda: Symmetry({"policy": SWAP}, SWAP))


def train(mirrored: bool, updates: int) -> PPO:
    """A learner that only ever sees one side: there the first action should be one."""
    learner = PPO(
        SPEC, PPOSettings(num_steps=8, num_minibatches=2, mirror_samples=mirrored, schedule="fixed", learning_rate=3e-3)
    )
    generator = torch.Generator().manual_seed(0)
    flags = torch.zeros(64, dtype=torch.bool)

    def seen() -> dict[str, torch.Tensor]:
        return {"policy": torch.rand(64, 2, generator=generator) * torch.tensor([1.0, 0.1]) + torch.tensor([0.5, 0.0])}

    obs = seen()
    while learner.iteration < updates:
        actions = learner.act(obs)
        obs = seen()
        reward = -(actions[:, 0] - 1.0).square() - actions[:, 1].square()
        learner.observe(Transition(obs, reward, ~flags, flags, obs))
        for _ in learner.update():
            pass
    return learner


def test_the_side_that_was_never_seen_is_learnt_from_the_other() -> None:
    here = {"policy": torch.tensor([[1.0, 0.05]])}
    there = {"policy": SWAP(here["policy"])}
    learner = train(mirrored=True, updates=25)
    assert learner.act_deterministic(here)[0, 0] > 0.7
    torch.testing.assert_close(
        learner.act_deterministic(there), SWAP(learner.act_deterministic(here)), atol=0.15, rtol=0.0
    )
    one_sided = train(mirrored=False, updates=25)
    assert one_sided.act_deterministic(there)[0, 1] > -0.5, "nobody told it"


def test_samples_and_their_images_are_normalised_alike() -> None:
    learner = train(mirrored=True, updates=2)
    obs = torch.rand(16, 2) + 0.2
    normalise = learner.normalisers["policy"]
    torch.testing.assert_close(normalise(SWAP(obs)), SWAP(normalise(obs)), atol=1e-5, rtol=0.0)


def test_a_batch_grows_by_its_images_and_keeps_what_was_earned() -> None:
    learner = train(mirrored=True, updates=1)
    batch = learner.rollout.gather(torch.arange(5))
    both = learner._with_mirror_images(batch)
    torch.testing.assert_close(both["action"][5:], -batch["action"].flip(-1))
    torch.testing.assert_close(both["obs/policy"][5:], -batch["obs/policy"].flip(-1))
    torch.testing.assert_close(both["advantage"], batch["advantage"].repeat(2))


def test_an_environment_without_sides_is_refused() -> None:
    with pytest.raises(BadInputError, match="mirror_samples"):
        PPO(EnvSpec(4, {"policy": 2}, ActionSpec("box", 2), 10), PPOSettings(mirror_samples=True))


def test_the_humanoid_has_sides() -> None:
    env = make_env(load_task("humanoid_walk"), num_envs=4, engine="newton")
    try:
        learner = PPO(env.spec, PPOSettings(num_steps=2, num_minibatches=1, mirror_samples=True))
        obs = env.reset()
        for _ in range(2):
            transition = env.step(learner.act(obs))
            learner.observe(transition)
            obs = transition.obs
        assert sum(1 for _ in learner.update()) > 0 and learner.iteration == 1
    finally:
        env.close()
