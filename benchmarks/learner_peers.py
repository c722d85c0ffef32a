"""Gradient steps of SAC and TD3 as others make them, each a function without arguments, for learner_speed.py.

The first follows CleanRL's single files (modules of their own for every network, torch's Adam, a loop over parameters
for the targets, a replay in numpy arrays); the others are Stable-Baselines3's and skrl's classes themselves.
"""

from __future__ import annotations

import copy
import itertools
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

Step = Callable[[], None]


@dataclass(frozen=True)
class Sizes:
    """What all sides are given."""

    obs: int = 17
    actions: int = 6
    hidden: int = 256
    batch: int = 256
    transitions: int = 20_000


class ArrayReplay:
    """Transitions in numpy arrays, copied to the device batch by batch."""

    def __init__(self, sizes: Sizes, device: torch.device) -> None:
        random = np.random.default_rng(0)
        self.batch, self.device = sizes.batch, device
        draws = ((sizes.obs,), (sizes.obs,), (sizes.actions,), (1,), (1,))
        self.arrays = [random.uniform(-1, 1, (sizes.transitions, *shape)).astype(np.float32) for shape in draws]
        self.arrays[-1][:] = 0.0
        self.random = random

    def sample(self) -> list[torch.Tensor]:
        """Observations, next observations, actions, rewards and ends, each (batch, size)."""
        rows = self.random.integers(0, len(self.arrays[0]), size=self.batch)
        return [torch.as_tensor(array[rows], device=self.device) for array in self.arrays]


class Critic(nn.Module):
    """One action value function."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.fc1 = nn.Linear(sizes.obs + sizes.actions, sizes.hidden)
        self.fc2 = nn.Linear(sizes.hidden, sizes.hidden)
        self.fc3 = nn.Linear(sizes.hidden, 1)

    def forward(self, obs: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Values (batch, 1)."""
        x = torch.cat((obs, actions), 1)
        return self.fc3(functional.relu(self.fc2(functional.relu(self.fc1(x)))))


class GaussianActor(nn.Module):
    """A squashed Gaussian policy with a head for means and one for deviations."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.fc1 = nn.Linear(sizes.obs, sizes.hidden)
        self.fc2 = nn.Linear(sizes.hidden, sizes.hidden)
        self.fc_mean = nn.Linear(sizes.hidden, sizes.actions)
        self.fc_log_std = nn.Linear(sizes.hidden, sizes.actions)

    def sample(self, obs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Actions and their log-densities (batch, 1)."""
        x = functional.relu(self.fc2(functional.relu(self.fc1(obs))))
        mean, log_std = self.fc_mean(x), torch.tanh(self.fc_log_std(x))
        normal = torch.distributions.Normal(mean, (-5.0 + 3.5 * (log_std + 1.0)).exp())
        drawn = normal.rsample()
        actions = torch.tanh(drawn)
        log_prob = normal.log_prob(drawn) - torch.log(1.0 - actions.pow(2) + 1e-6)
        return actions, log_prob.sum(1, keepdim=True)


class Actor(nn.Module):
    """A deterministic policy."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.fc1 = nn.Linear(sizes.obs, sizes.hidden)
        self.fc2 = nn.Linear(sizes.hidden, sizes.hidden)
        self.fc_mean = nn.Linear(sizes.hidden, sizes.actions)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Actions within -1 and 1."""
        return torch.tanh(self.fc_mean(functional.relu(self.fc2(functional.relu(self.fc1(obs))))))


def follow(sources: list[nn.Module], targets: list[nn.Module], tau: float) -> None:
    """Moves targets towards sources, parameter by parameter."""
    for source, target in zip(sources, targets, strict=True):
        for parameter, follower in zip(source.parameters(), target.parameters(), strict=True):
            follower.data.copy_(tau * parameter.data + (1.0 - tau) * follower.data)


def cleanrl_sac(sizes: Sizes, device: torch.device) -> Step:
    """SAC whose policy moves twice at every second step, and its temperature with it."""
    actor = GaussianActor(sizes).to(device)
    critics: list[nn.Module] = [Critic(sizes).to(device) for _ in range(2)]
    targets = copy.deepcopy(critics)
    critic_optimiser = torch.optim.Adam(itertools.chain(*(critic.parameters() for critic in critics)), lr=1e-3)
    actor_optimiser = torch.optim.Adam(actor.parameters(), lr=3e-4)
    log_alpha = torch.zeros(1, requires_grad=True, device=device)
    alpha_optimiser = torch.optim.Adam([log_alpha], lr=1e-3)
    replay, count = ArrayReplay(sizes, device), itertools.count()
    alpha = 1.0

    def step() -> None:
        nonlocal alpha
        obs, next_obs, actions, rewards, ends = replay.sample()
        with torch.no_grad():
            next_actions, next_log_prob = actor.sample(next_obs)
            next_values = torch.min(targets[0](next_obs, next_actions), targets[1](next_obs, next_actions))
            goal = rewards.flatten() + (1 - ends.flatten()) * 0.99 * (next_values - alpha * next_log_prob).view(-1)
        losses = [functional.mse_loss(critic(obs, actions).view(-1), goal) for critic in critics]
        critic_optimiser.zero_grad()
        (losses[0] + losses[1]).backward()
        critic_optimiser.step()
        if next(count) % 2 == 0:
            for _ in range(2):
                chosen, log_prob = actor.sample(obs)
                values = torch.min(critics[0](obs, chosen), critics[1](obs, chosen))
                actor_optimiser.zero_grad()
                (alpha * log_prob - values).mean().backward()
                actor_optimiser.step()
                with torch.no_grad():
                    _, log_prob = actor.sample(obs)
                alpha_optimiser.zero_grad()
                (-log_alpha.exp() * (log_prob - sizes.actions)).mean().backward()
                alpha_optimiser.step()
                alpha = log_alpha.exp().item()
        follow(critics, targets, 0.005)

    return step


def cleanrl_td3(sizes: Sizes, device: torch.device) -> Step:
    """TD3 whose policy moves at every second step."""
    actor: nn.Module = Actor(sizes).to(device)
    critics: list[nn.Module] = [Critic(sizes).to(device) for _ in range(2)]
    target_actor, targets = copy.deepcopy(actor), copy.deepcopy(critics)
    critic_optimiser = torch.optim.Adam(itertools.chain(*(critic.parameters() for critic in critics)), lr=3e-4)
    actor_optimiser = torch.optim.Adam(actor.parameters(), lr=3e-4)
    replay, count = ArrayReplay(sizes, device), itertools.count()

    def step() -> None:
        obs, next_obs, actions, rewards, ends = replay.sample()
        with torch.no_grad():
            noise = (torch.randn_like(actions) * 0.2).clamp(-0.5, 0.5)
            next_actions = (target_actor(next_obs) + noise).clamp(-1.0, 1.0)
            next_values = torch.min(targets[0](next_obs, next_actions), targets[1](next_obs, next_actions))
            goal = rewards.flatten() + (1 - ends.flatten()) * 0.99 * next_values.view(-1)
        losses = [functional.mse_loss(critic(obs, actions).view(-1), goal) for critic in critics]
        critic_optimiser.zero_grad()
        (losses[0] + losses[1]).backward()
        critic_optimiser.step()
        if next(count) % 2 == 0:
            actor_optimiser.zero_grad()
            (-critics[0](obs, actor(obs)).mean()).backward()
            actor_optimiser.step()
            follow([actor, *critics], [target_actor, *targets], 0.005)

    return step


def stable_baselines3(name: str, sizes: Sizes, device: torch.device) -> Step:
    """One gradient step of Stable-Baselines3's SAC or TD3 from a full replay."""
    import gymnasium
    import stable_baselines3
    from stable_baselines3.common.logger import configure

    class Still(gymnasium.Env):
        """Spaces alone: nothing is ever stepped."""

        observation_space = gymnasium.spaces.Box(-math.inf, math.inf, (sizes.obs,), np.float32)
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (sizes.actions,), np.float32)

    options = {} if name == "sac" else {"policy_delay": 2}
    model = getattr(stable_baselines3, name.upper())(
        "MlpPolicy",
        Still(),
        buffer_size=sizes.transitions,
        batch_size=sizes.batch,
        device=device,
        policy_kwargs={"net_arch": [sizes.hidden, sizes.hidden]},
        **options,
    )
    model.set_logger(configure(tempfile.mkdtemp(), []))
    replay, random = model.replay_buffer, np.random.default_rng(0)
    for array in (replay.observations, replay.next_observations, replay.actions, replay.rewards):
        array[:] = random.uniform(-1, 1, array.shape)
    replay.pos, replay.full = 0, True
    return lambda: model.train(1, sizes.batch)


def skrl(name: str, sizes: Sizes, device: torch.device) -> Step:
    """One gradient step of skrl's SAC or TD3 from a full memory."""
    import gymnasium
    from skrl.agents.torch import sac, td3
    from skrl.memories.torch import RandomMemory
    from skrl.models.torch import DeterministicMixin, GaussianMixin, Model
    from skrl.resources.noises.torch import GaussianNoise

    seen = gymnasium.spaces.Box(-math.inf, math.inf, (sizes.obs,), np.float32)
    done = gymnasium.spaces.Box(-1.0, 1.0, (sizes.actions,), np.float32)
    spaces: dict[str, Any] = {"observation_space": seen, "state_space": None, "action_space": done, "device": device}

    def layers(inputs: int, outputs: int) -> nn.Sequential:
        hidden = sizes.hidden
        first, second = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(hidden, outputs))

    class Policy(GaussianMixin if name == "sac" else DeterministicMixin, Model):  # type: ignore[misc]
        def __init__(self) -> None:
            Model.__init__(self, **spaces)
            (GaussianMixin if name == "sac" else DeterministicMixin).__init__(self, clip_actions=True)
            self.net = layers(sizes.obs, sizes.actions)
            self.log_std = nn.Parameter(torch.zeros(sizes.actions))

        def compute(self, inputs: dict[str, torch.Tensor], role: str) -> tuple[torch.Tensor, dict[str, Any]]:
            actions = torch.tanh(self.net(inputs["observations"]))
            return actions, {"log_std": self.log_std} if name == "sac" else {}

    class Value(DeterministicMixin, Model):
        def __init__(self) -> None:
            Model.__init__(self, **spaces)
            DeterministicMixin.__init__(self)
            self.net = layers(sizes.obs + sizes.actions, 1)

        def compute(self, inputs: dict[str, torch.Tensor], role: str) -> tuple[torch.Tensor, dict[str, Any]]:
            return self.net(torch.cat((inputs["observations"], inputs["taken_actions"]), 1)), {}

    models = {"policy": Policy(), "critic_1": Value(), "critic_2": Value()}
    models |= {"target_critic_1": Value(), "target_critic_2": Value()}
    options: dict[str, Any] = {"batch_size": sizes.batch}
    if name == "td3":
        models["target_policy"] = Policy()
        smooth = {"mean": 0.0, "std": 0.2, "device": device}
        options |= {"smooth_regularization_noise": GaussianNoise, "smooth_regularization_noise_kwargs": smooth}
    memory = RandomMemory(memory_size=sizes.transitions, num_envs=1, device=device)
    agent_type = sac.SAC if name == "sac" else td3.TD3
    agent = agent_type(models={key: model.to(device) for key, model in models.items()}, memory=memory, cfg=options,
                       observation_space=seen, action_space=done, device=device)  # fmt: skip
    agent.init()
    for tensor in (memory.get_tensor_by_name(each) for each in memory.get_tensor_names()):
        if tensor.dtype == torch.bool:
            tensor.fill_(False)
        else:
            tensor.uniform_(-1.0, 1.0)
    memory.filled, memory.memory_index = True, 0
    agent.enable_models_training_mode(True)
    return lambda: agent.update(timestep=0, timesteps=10**9)


def peers(name: str, sizes: Sizes, device: torch.device) -> dict[str, Step]:
    """The gradient steps of the implementations that are installed, by their names."""
    found: dict[str, Step] = {"cleanrl": (cleanrl_sac if name == "sac" else cleanrl_td3)(sizes, device)}
    for label, make in (("stable-baselines3", stable_baselines3), ("skrl", skrl)):
        try:
            found[label] = make(name, sizes, device)
        except ModuleNotFoundError as error:
            print(f"{label} is left out: {error}", flush=True)
    return found
