"""What SAC, TD3 and DDPG have in common: a policy with bounded actions, critics of actions, and their targets."""

from __future__ import annotations

import copy

import torch
from torch import nn

from humanoid_rl_ext.learn.critics import Ensemble, in_place
from humanoid_rl_ext.learn.networks import layer, mlp
from humanoid_rl_ext.learn.off_policy import OffPolicy
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_off_policy import ContinuousSettings


class ActorCritics[Settings: ContinuousSettings](OffPolicy[Settings]):
    """Networks, optimisers and targets; actions are within -1 and 1 everywhere but in the environment."""

    critics_taught = 2
    policy_outputs = 1
    """Outputs of the policy per element of an action."""

    def _build(self, generator: torch.Generator) -> None:
        self.actor = self._make_actor(generator)
        self.critics = self._make_critics(generator)
        self._add("actor", self.actor, self.settings.actor_learning_rate)
        self._add("critics", self.critics, self.settings.critic_learning_rate)
        self.target_critics = self._follower("critics", self.critics)

    def _make_actor(self, generator: torch.Generator) -> nn.Module:
        """The policy: (batch, observations) to (batch, outputs), which tanh makes actions of."""
        settings, start = self.settings, self.settings.initialisation
        inputs, outputs = self.spec.observations["policy"], self.spec.action.size * self.policy_outputs
        actor = mlp(inputs, settings.actor_hidden, settings.activation, generator, start, settings.layer_norm)
        features = settings.actor_hidden[-1] if settings.actor_hidden else inputs
        return in_place(actor.append(layer(features, outputs, 0.01, generator, start)))

    def _make_critics(self, generator: torch.Generator) -> Ensemble:
        """Values of actions, (critics, batch)."""
        settings = self.settings
        return Ensemble(
            self.critics_taught,
            self.spec.observations[self._critic_group] + self.spec.action.size,
            settings.critic_hidden,
            settings.activation,
            generator,
            settings.initialisation,
            settings.layer_norm,
        )

    def _pairs(self, batch: Batch, when: str, actions: torch.Tensor) -> torch.Tensor:
        """What critics see: observations (``obs`` or ``next``) and actions side by side."""
        return torch.cat((batch[f"{when}/{self._critic_group}"], actions), dim=-1)

    def _teach_critics(self, batch: Batch, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Fits all critics to targets (batch,); their loss and mean value."""
        values = self.critics(self._pairs(batch, "obs", batch["action"]))
        errors = values - targets
        squares = errors.square() if "weight" not in batch else errors.square() * batch["weight"]
        loss = squares.mean(-1).sum()
        self._descend("critics", loss)
        with torch.no_grad():
            self.replay.prioritise(errors.abs().mean(0))
        return loss, values.mean()

    def _moves_policy(self) -> bool:
        return self.gradient_steps % self.settings.policy_delay == 0

    def _best(self, obs: torch.Tensor) -> torch.Tensor:
        return self.actor(obs)[:, : self.spec.action.size].tanh()

    def policy_network(self) -> nn.Sequential:
        """From normalised observations (batch, size) to the best actions (batch, actions), sharing no memory."""
        assert isinstance(self.actor, nn.Sequential)
        *hidden, last = copy.deepcopy(self.actor)
        assert isinstance(last, nn.Linear)
        head = nn.Linear(last.in_features, self.spec.action.size, device=self.device)
        with torch.no_grad():
            head.weight.copy_(last.weight[: head.out_features])
            head.bias.copy_(last.bias[: head.out_features])
        return nn.Sequential(*hidden, head, nn.Tanh(), copy.deepcopy(self._range))

    def _apply_edit(self, name: str) -> None:
        for network in ("actor", "critic"):
            if name == f"{network}_learning_rate":
                rate = getattr(self.settings, name)
                self.optimisers["critics" if network == "critic" else network].learning_rate.fill_(rate)
