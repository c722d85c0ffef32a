"""A tiny world whose best actions are known."""

from __future__ import annotations

import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition

NUM_ENVS = 8


class Target:
    """Observations are random; the reward is higher the nearer the action is to what the observation says.

    Box actions should equal (x, -x); of discrete ones, 1 is right where x > 0, else 0. Every third step is a time-out.
    """

    def __init__(self, kind: str = "box", critic: bool = False, seed: int = 0) -> None:
        self.groups = ("policy", "critic") if critic else ("policy",)
        self.spec = EnvSpec(NUM_ENVS, dict.fromkeys(self.groups, 1), ActionSpec(kind, 2), 3)
        self.generator = torch.Generator().manual_seed(seed)
        self.steps = 0
        self.obs = self.draw()

    def draw(self):
        return dict.fromkeys(self.groups, torch.randn(NUM_ENVS, 1, generator=self.generator))

    def step(self, actions: torch.Tensor) -> Transition:
        x = self.obs["policy"].squeeze(-1)
        if self.spec.action.kind == "box":
            reward = -(actions - torch.stack((x, -x), dim=-1)).square().sum(-1)
        else:
            reward = (actions == (x > 0)).float()
        self.steps += 1
        final, self.obs = self.draw(), self.draw()
        never = torch.zeros(NUM_ENVS, dtype=torch.bool)
        return Transition(self.obs, reward, never, never | (self.steps % 3 == 0), final)
