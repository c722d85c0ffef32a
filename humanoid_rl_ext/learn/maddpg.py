"""Multi-agent deep deterministic policy gradient: agents that act by what they see, critics that see everything.

Lowe et al. 2017, "Multi-Agent Actor-Critic for Mixed Cooperative-Competitive Environments". Discrete actions by the
Gumbel-softmax estimator, straight through (Jang et al. 2017, "Categorical Reparameterization with Gumbel-Softmax").
"""

from __future__ import annotations

import torch
from torch import nn

from humanoid_rl_ext.learn.actor_critics import Affine
from humanoid_rl_ext.learn.agent_columns import AgentColumns
from humanoid_rl_ext.learn.critics import Ensemble
from humanoid_rl_ext.learn.ddpg import DDPG
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_multi_agent_off_policy import MADDPGSettings


class MADDPG(DDPG[MADDPGSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    Every agent has a policy and a critic of its own; they are members of two ensembles and share no weights.
    """

    actor: Ensemble
    target_actor: Ensemble

    def _build(self, generator: torch.Generator) -> None:
        self.columns = AgentColumns(self.spec, self.device)
        super()._build(generator)
        agents, width = len(self.spec.agents), max(self.columns.actions)
        if not self.columns.box:
            self._exploration = torch.ones(agents, self.spec.num_envs, width, device=self.device)
        self._noise = torch.ones(2, agents, self.settings.batch_size, width, device=self.device)
        self._own = torch.eye(agents, dtype=torch.bool, device=self.device).view(agents, agents, 1, 1)

    def _make_actor(self, generator: torch.Generator) -> nn.Module:
        settings, columns = self.settings, self.columns
        return Ensemble(
            len(self.spec.agents),
            columns.observations,
            settings.actor_hidden,
            settings.activation,
            generator,
            settings.initialisation,
            settings.layer_norm,
            outputs=max(columns.actions),
        )

    def _make_critics(self, generator: torch.Generator) -> Ensemble:
        settings = self.settings
        return Ensemble(
            len(self.spec.agents),
            self.spec.observations[self._critic_group] + self.columns.joint_size,
            settings.critic_hidden,
            settings.activation,
            generator,
            settings.initialisation,
            settings.layer_norm,
        )

    def _draw_at_random(self, actions: torch.Tensor) -> None:
        if self.columns.box:
            super()._draw_at_random(actions)
        else:
            self.columns.draw_choices(actions, self.generator)

    def _draw_exploration(self) -> None:
        if self.columns.box:
            super()._draw_exploration()
        else:
            self._exploration.exponential_(generator=self.generator)

    def _explore(self, obs: torch.Tensor) -> torch.Tensor:
        if self.columns.box:
            return super()._explore(obs)
        logits = self.actor(self.columns.observed(obs))
        return self.columns.best(logits + gumbel(self._exploration)).t()

    def _best(self, obs: torch.Tensor) -> torch.Tensor:
        outputs = self.actor(self.columns.observed(obs))
        return self.columns.joint(outputs.tanh()) if self.columns.box else self.columns.best(outputs).t()

    def _draw_learning(self) -> None:
        if not self.columns.box:
            self._noise.exponential_(generator=self.generator)

    def _acted(self, outputs: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """What policies do by their outputs (agents, batch, width), of that shape; gradients go through choices too."""
        if self.columns.box:
            return outputs.tanh()
        logits = (outputs + gumbel(noise)).masked_fill(~self.columns.present, float("-inf"))
        soft = (logits / self.settings.gumbel_temperature).softmax(-1)
        hard = nn.functional.one_hot(soft.argmax(-1), soft.shape[-1])
        return hard + (soft - soft.detach())

    def _learn(self, batch: Batch, moves_policy: bool) -> None:
        batch["actions"] = self.columns.apart(batch["action"])
        batch["action"] = self.columns.joint(batch["actions"])
        super()._learn(batch, moves_policy)

    @torch.no_grad()
    def _targets(self, batch: Batch) -> torch.Tensor:
        """What the critics should say, (agents, batch): equation 6, y."""
        values = self.target_critics(self._pairs(batch, "next", self._next_actions(batch)))
        reward = batch["reward"].t() if self.spec.reward_per_agent else batch["reward"]
        return torch.addcmul(reward, batch["discount"], values)

    def _next_actions(self, batch: Batch) -> torch.Tensor:
        outputs = self.target_actor(self.columns.observed(batch["next/policy"]))
        return self.columns.joint(self._acted(outputs, self._noise[0]))

    def _pairs(self, batch: Batch, when: str, actions: torch.Tensor) -> torch.Tensor:
        """Everything that is seen and done, (batch, size), or (agents, batch, size) for actions of such a shape."""
        obs = batch[f"{when}/{self._critic_group}"]
        return torch.cat((obs.expand(*actions.shape[:-1], obs.shape[-1]), actions), dim=-1)

    def _teach_policy(self, batch: Batch) -> torch.Tensor:
        """One step of every policy up its own critic's slope, the others' actions as they were: equation 5."""
        outputs = self.actor(self.columns.observed(batch["obs/policy"]))
        actions = torch.where(self._own, self._acted(outputs, self._noise[1]), batch["actions"])
        values = self.critics(self._pairs(batch, "obs", self.columns.joint(actions)))
        shares = self.columns.present / self.columns.present.sum(-1, keepdim=True)
        sizes = (outputs.square() * shares).sum(-1)
        loss = (self.settings.output_penalty * sizes - values).mean(-1)
        self._descend("actor", loss.sum())
        return loss.mean()

    def _descend(self, name: str, loss: torch.Tensor, max_grad_norm: float | None = None) -> None:
        """As for one network, with the norms of the agents' gradients bounded one by one."""
        gradients = [part.flatten(1) for part in torch.autograd.grad(loss, self._leaves[name])]
        norms = torch.cat(gradients, dim=1).norm(dim=1, keepdim=True)
        scales = (self.settings.max_grad_norm / norms).clamp_(max=1.0)
        self.optimisers[name].step(torch.cat([(part * scales).flatten() for part in gradients]))

    @torch.no_grad()
    def policy_network(self) -> nn.Sequential:
        """From normalised observations (batch, size) to the best joint actions (batch, actions), sharing no memory.

        The agents' layers stand in one, side by side: its weights are theirs in blocks and zero between them.
        """
        columns, network = self.columns, self.actor
        seen = torch.eye(self.spec.observations["policy"], device=self.device)
        into = columns.observed(seen).transpose(1, 2).flatten(0, 1)  # what the agents see, of what there is
        layers: list[nn.Module] = []
        for index, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            last = index == len(network.weights) - 1
            blocks, offsets = torch.block_diag(*weight).t() @ into, bias
            if last:
                blocks = columns.joint(blocks.view(len(weight), -1, blocks.shape[1]).transpose(1, 2)).t()
                offsets = columns.joint(bias)
            layers.append(dense(blocks, offsets.flatten()))
            if last:
                break
            into = torch.eye(len(blocks), device=self.device)
            if network.norms:
                width = network.norms[index]
                layers += [nn.Unflatten(-1, (len(weight), width)), nn.LayerNorm(width, elementwise_affine=False)]
                layers += [nn.Flatten(-2), Affine(network.scales[index].flatten(), network.shifts[index].flatten())]
            layers.append(network.activation)
        return nn.Sequential(*layers, nn.Tanh(), Affine(self._half_range.clone(), self._centre.clone()))


def gumbel(noise: torch.Tensor) -> torch.Tensor:
    """Gumbel-distributed numbers from exponentially distributed ones."""
    return -noise.clamp_min(torch.finfo(noise.dtype).tiny).log()


def dense(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    """A layer of weights (outputs, inputs) and a bias (outputs,), which are copied."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], device=weight.device)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
    return layer
