"""A tiny world of two or three agents whose best actions are known."""

from __future__ import annotations

import torch

from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec, Transition

NUM_ENVS = 8


class Team:
    """Each agent sees one number of its own and the last agent one more; each is to answer to its number.

    Numbers for all joints: agent i's first action should equal its number, and others zero; the last agent has two
    actions, the others one. Choices: 1 is right where the number is above zero, else 0; the last agent has a third
    choice, which is never right. Every third step is a time-out.
    """

    def __init__(self, kind: str = "box", agents: int = 2, paid_apart: bool = True, critic: bool = False) -> None:
        sizes = [1] * (agents - 1) + [2] if kind == "box" else [2] * (agents - 1) + [3]
        ends = [sum(sizes[: at + 1]) for at in range(agents)]
        columns = [
            tuple(range(end - size, end)) if kind == "box" else () for size, end in zip(sizes, ends, strict=True)
        ]
        seen = [(at,) for at in range(agents - 1)] + [(agents - 1, agents)]
        each = tuple(
            AgentSpec(f"agent_{at}", seen[at], ActionSpec(kind, sizes[at]), columns[at])  # type: ignore[arg-type]
            for at in range(agents)
        )
        action = ActionSpec("box", sum(sizes)) if kind == "box" else ActionSpec("discrete", max(sizes))
        groups = {"policy": agents + 1, **({"critic": 3} if critic else {})}
        self.spec = EnvSpec(NUM_ENVS, groups, action, 3, None, each, paid_apart)
        self.generator = torch.Generator().manual_seed(0)
        self.steps = 0
        self.obs = self.draw()

    def draw(self) -> dict[str, torch.Tensor]:
        sizes = self.spec.observations
        return {group: torch.randn(NUM_ENVS, size, generator=self.generator) for group, size in sizes.items()}

    def step(self, actions: torch.Tensor) -> Transition:
        x = self.obs["policy"][:, : len(self.spec.agents)]
        if self.spec.action.kind == "box":
            wanted = torch.cat((x, torch.zeros_like(x[:, :1])), dim=-1)
            error = -(actions - wanted).square()
            reward = torch.cat((error[:, : x.shape[1] - 1], error[:, x.shape[1] - 1 :].sum(-1, keepdim=True)), dim=-1)
        else:
            reward = (actions == (x > 0)).float()
        self.steps += 1
        final, self.obs = self.draw(), self.draw()
        never = torch.zeros(NUM_ENVS, dtype=torch.bool)
        paid = reward if self.spec.reward_per_agent else reward.sum(-1)
        return Transition(self.obs, paid, never, never | (self.steps % 3 == 0), final)
