"""Multi-agent deep deterministic policy gradient: agents that act by what they see, critics that see everything.

Lowe et al. 2017, "Multi-Agent Actor-Critic for Mixed Cooperative-Competitive Environments". Discrete actions by the
Gumbel-softmax estimator, straight through (Jang et al. 2017, "Categorical Reparameterization with Gumbel-Softmax").
"""

from __future__ import annotations

import torch
from torch import nn

from humanoid_rl_ext.learn.agent_actions import AgentActions
from humanoid_rl_ext.learn.agent_networks import JointParameters, agent_mlp
from humanoid_rl_ext.learn.critics import Ensemble
from humanoid_rl_ext.learn.ddpg import DDPG
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_multi_agent_off_policy import MADDPGSettings


class MADDPG(DDPG[MADDPGSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    Every agent has a policy and a critic of its own, which share no weights but are evaluated at once.
    """

    policy_figures = ("policy_loss",)

    def _build(self, generator: torch.Generator) -> None:
        self.actions = AgentActions(self.spec, self.device)
        super()._build(generator)
        agents, width = len(self.spec.agents), self.actions.width
        if not self.actions.box:
            self._exploration = torch.ones(self.spec.num_envs, agents, width, device=self.device)
        self._noise = torch.ones(2, self.settings.batch_size, agents, width, device=self.device)
        self._shares = self.actions.present / self.actions.present.sum(-1, keepdim=True)
        self._own = torch.eye(agents, dtype=torch.bool, device=self.device).view(agents, 1, agents, 1)

    def _make_actor(self, generator: torch.Generator) -> nn.Sequential:
        """The policies: (batch, observations) to (batch, agents, outputs), which tanh or a choice makes actions of."""
        settings = self.settings
        return agent_mlp(
            self.spec,
            self.actions.width,
            False,
            settings.actor_hidden,
            settings.activation,
            generator,
            settings.initialisation,
            settings.layer_norm,
            gain=0.01,
        )

    def _make_critics(self, generator: torch.Generator) -> Ensemble:
        settings = self.settings
        return Ensemble(
            len(self.spec.agents),
            self.spec.observations[self._critic_group] + self.actions.joint_size,
            settings.critic_hidden,
            settings.activation,
            generator,
            settings.initialisation,
            settings.layer_norm,
        )

    def _draw_at_random(self, actions: torch.Tensor) -> None:
        if self.actions.box:
            super()._draw_at_random(actions)
        else:
            self.actions.draw_choices(actions, self.generator)

    def _draw_exploration(self) -> None:
        if self.actions.box:
            super()._draw_exploration()
        else:
            self._exploration.exponential_(generator=self.generator)

    def _explore(self, obs: torch.Tensor) -> torch.Tensor:
        if self.actions.box:
            return super()._explore(obs)
        return self.actions.best(self.actor(obs) + gumbel(self._exploration))

    def _best(self, obs: torch.Tensor) -> torch.Tensor:
        outputs = self.actor(obs)
        return self.actions.joint(outputs.tanh()) if self.actions.box else self.actions.best(outputs)

    def _draw_learning(self) -> None:
        if not self.actions.box:
            self._noise.exponential_(generator=self.generator)

    def _acted(self, outputs: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """What policies do by their outputs (batch, agents, width), of that shape; gradients go through choices too."""
        if self.actions.box:
            return outputs.tanh()
        logits = (outputs + gumbel(noise)).masked_fill(~self.actions.present, float("-inf"))
        soft = (logits / self.settings.gumbel_temperature).softmax(-1)
        return self.actions.one_hot(soft.argmax(-1)) + (soft - soft.detach())

    def _learn(self, batch: Batch, moves_policy: bool) -> None:
        batch["actions"] = self.actions.apart(batch["action"])
        batch["action"] = self.actions.joint(batch["actions"])
        super()._learn(batch, moves_policy)

    @torch.no_grad()
    def _targets(self, batch: Batch) -> torch.Tensor:
        """What the critics should say, (agents, batch): equation 6, y."""
        values = self.target_critics(self._pairs(batch, "next", self._next_actions(batch)))
        reward = batch["reward"].t() if self.spec.reward_per_agent else batch["reward"]
        return torch.addcmul(reward, batch["discount"], values)

    def _next_actions(self, batch: Batch) -> torch.Tensor:
        return self.actions.joint(self._acted(self.target_actor(batch["next/policy"]), self._noise[0]))

    def _pairs(self, batch: Batch, when: str, actions: torch.Tensor) -> torch.Tensor:
        """Everything that is seen and done, (batch, size), or (agents, batch, size) for actions of such a shape."""
        obs = batch[f"{when}/{self._critic_group}"]
        return torch.cat((obs.expand(*actions.shape[:-1], obs.shape[-1]), actions), dim=-1)

    def _teach_policy(self, batch: Batch) -> tuple[torch.Tensor, ...]:
        """One step of every policy up its own critic's slope, the others' actions as they were: equation 5."""
        outputs = self.actor(batch["obs/policy"])
        actions = torch.where(self._own, self._acted(outputs, self._noise[1]), batch["actions"])  # (agents, batch, ...)
        values = self.critics(self._pairs(batch, "obs", self.actions.joint(actions)))
        sizes = (outputs.square() * self._shares).sum(-1)
        loss = self.settings.output_penalty * sizes.mean(0) - values.mean(-1)
        self._descend("actor", loss.sum())
        return (loss.mean(),)

    def _descend(self, name: str, loss: torch.Tensor, max_grad_norm: float | None = None) -> None:
        """As for one network, with the norms of the agents' gradients bounded one by one."""
        gradients = [part.flatten(1) for part in torch.autograd.grad(loss, self._leaves[name])]
        norms = torch.cat(gradients, dim=1).norm(dim=1, keepdim=True)
        scales = (self.settings.max_grad_norm / norms).clamp_(max=1.0)
        self.optimisers[name].step(torch.cat([(part * scales).flatten() for part in gradients]))

    def policy_network(self) -> nn.Sequential:
        """From normalised observations (batch, size) to the best joint actions (batch, actions); not a copy."""
        assert isinstance(self.actor, nn.Sequential)
        return nn.Sequential(*self.actor, JointParameters(self.spec).to(self.device), nn.Tanh(), self._range)


def gumbel(noise: torch.Tensor) -> torch.Tensor:
    """Gumbel-distributed numbers from exponentially distributed ones."""
    return -noise.clamp_min(torch.finfo(noise.dtype).tiny).log()
