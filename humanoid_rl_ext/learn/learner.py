"""The contract between a training session and an algorithm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from humanoid_rl_ext.env.transition import EnvSpec, Observations, Transition

if TYPE_CHECKING:
    import torch
    from torch import nn

    from humanoid_rl_ext.learn.normaliser import ObservationNormaliser


class Learner(Protocol):
    """An algorithm that turns transitions into a better policy.

    Built as ``Algorithm(spec, settings, device, seed, total_env_steps)``.
    """

    metrics: dict[str, float]
    """Figures of the last finished update (losses, entropy, KL, learning rate), plain floats."""
    iteration: int
    """Finished updates."""
    spec: EnvSpec
    """What it was built for."""
    normalisers: dict[str, ObservationNormaliser]
    """By group, those that observations go through; empty where they are taken as they are."""

    def act(self, obs: Observations) -> torch.Tensor:
        """Actions to explore with, (num_envs, size) float or (num_envs,) int64; no gradients."""

    def act_deterministic(self, obs: Observations) -> torch.Tensor:
        """The policy's best actions for any number of environments; touches no training state."""

    def policy_network(self) -> nn.Sequential:
        """The layers of ``act_deterministic`` from normalised 'policy' observations on, for box actions; not a copy."""

    def observe(self, transition: Transition) -> None:
        """Takes in what the last ``act`` led to."""

    def update(self) -> Iterator[None]:
        """Learns in bounded pieces: yields after at most about 10 ms of work; yields nothing when nothing is due."""

    def edit(self, name: str, value: Any) -> None:
        """Changes a numeric setting; takes effect with the next update."""

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs: nested dicts of tensors and plain JSON values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores ``state_dict``; raises CheckpointError naming the first shape that does not fit."""
