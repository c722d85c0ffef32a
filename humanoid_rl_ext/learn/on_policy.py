"""What on-policy algorithms share: rollouts, advantages, gradients in bounded pieces, and what is saved.

Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized Advantage Estimation"; Andrychowicz et al.
2021, "What Matters for On-Policy Deep Actor-Critic Methods?" (initialisation, normalisation, clipping of gradients).
"""

from __future__ import annotations

import collections
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from humanoid_rl_ext.env.transition import EnvSpec, Observations, Transition
from humanoid_rl_ext.errors import CheckpointError, HumanoidRLError
from humanoid_rl_ext.learn.adam import Adam
from humanoid_rl_ext.learn.advantage import generalised_advantages
from humanoid_rl_ext.learn.distributions import Distribution, make_distribution
from humanoid_rl_ext.learn.edits import edited
from humanoid_rl_ext.learn.networks import ActorCritic, copy_parameters, flatten_parameters
from humanoid_rl_ext.learn.normaliser import ObservationNormaliser, RewardNormaliser
from humanoid_rl_ext.learn.rmsprop import RMSprop
from humanoid_rl_ext.learn.rollout import Rollout
from humanoid_rl_ext.learn.saved import check_saved_shapes, saved_shapes
from humanoid_rl_ext.learn.schedules import scheduled_learning_rate
from humanoid_rl_ext.learn.settings_on_policy import OnPolicySettings, TrunkSettings
from humanoid_rl_ext.sim.recording import Branch, Recording, restore_generator


class OnPolicy[Settings: OnPolicySettings]:
    """A learner (see ``humanoid_rl_ext.learn.learner.Learner``) but for how it improves the policy.

    An algorithm is a subclass that says what to do with a full rollout (``_improve``: ``_run`` its ``_estimate``, then
    take steps), which figures it sums meanwhile (``summed``, 'grad_norm' the last), and over how many gradients.
    """

    summed: tuple[str, ...]
    """Names of the figures whose means over an update are metrics; training ends when one is not finite."""

    def __init__(
        self,
        spec: EnvSpec,
        settings: Settings,
        device: torch.device | str = "cpu",
        seed: int = 0,
        total_env_steps: int | None = None,
    ) -> None:
        self.spec = spec
        self.settings = settings
        self.device = torch.device(device)
        self.total_env_steps = total_env_steps
        self.iteration = 0
        self.env_steps = 0
        self.metrics: dict[str, float] = {}
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self._critic_group = self._group_of_critic()
        self._groups = tuple(dict.fromkeys(("policy", self._critic_group)))

        sizes, (outputs, actions, values) = spec.observations, self._widths()
        self.network = self._make_network(torch.Generator().manual_seed(seed)).to(self.device)
        self.distribution = self._make_distribution().to(self.device)
        self._parameters, self._leaves = flatten_parameters(*self._parts())
        hidden = sum(module.out_features for module in self.network.modules() if isinstance(module, nn.Linear))
        self._cost = self._parameters.numel() + 64 * hidden  # of a sample, forth and back
        self.optimiser = self._make_optimiser()
        self.normalisers = {
            group: ObservationNormaliser(sizes[group], settings.observation_clip, self.device)
            for group in self._groups
            if settings.normalise_observations
        }
        each = (spec.num_envs, values) if values else (spec.num_envs,)
        self.reward_normaliser = RewardNormaliser(each, settings.reward_clip, self.device)

        fields = {f"obs/{group}": sizes[group] for group in self._groups}
        fields |= {"params": outputs, "action": actions}
        fields |= dict.fromkeys(("log_prob", "value", "advantage", "return"), values)
        self.rollout = Rollout(settings.num_steps, spec.num_envs, fields, self.device)
        self._row = Rollout(1, spec.num_envs, fields, self.device)
        self._noise = torch.zeros(spec.num_envs, outputs, device=self.device)
        steps = (settings.num_steps, spec.num_envs)
        self._rewards = torch.zeros(settings.num_steps, *each, device=self.device)
        self._terminated = torch.zeros(steps, dtype=torch.bool, device=self.device)
        self._truncated = torch.zeros(steps, dtype=torch.bool, device=self.device)
        seen = {"obs": sizes[self._critic_group], "value": values}
        self._ends = Rollout(settings.num_steps + 1, spec.num_envs, seen, self.device)
        # where time limits cut episodes off in each step, and in the last row where the rollout ends
        self._sums = torch.zeros(len(self.summed), device=self.device)
        self._recordings: dict[Callable[[], Iterator[None]], Recording] = {}
        self._choosing = Recording(self._choose, self.device)
        self._valuing, self._cutting_off = (Branch(self.device) for _ in range(2))
        self._explained = torch.zeros((), device=self.device)
        self._on_gpu = self.device.type == "cuda"
        self._step = 0
        self._good = self._learned_state()

    def _group_of_critic(self) -> str:
        """The observations that values are of."""
        return "critic" if "critic" in self.spec.observations else "policy"

    def _widths(self) -> tuple[int, int, int]:
        """Numbers per sample: of the distribution's parameters, of actions and of values; 0 is one without a column."""
        size = self.spec.action.size
        return size, size if self.spec.action.kind == "box" else 0, 0

    def _make_distribution(self) -> Distribution:
        return make_distribution(self.spec.action, self.settings.init_noise_std, self.settings.min_noise_std)

    def _make_network(self, generator: torch.Generator) -> ActorCritic:
        """Policy and value function, with weights drawn from ``generator``."""
        settings, sizes = self.settings, self.spec.observations
        return ActorCritic(
            sizes["policy"],
            sizes[self._critic_group],
            self.spec.action.size,
            settings.actor_hidden,
            settings.critic_hidden,
            settings.activation,
            isinstance(settings, TrunkSettings) and settings.shared_trunk,
            generator,
            settings.mixed_precision,
        )

    def _parts(self) -> Sequence[nn.Module]:
        """What is learned, in the order in which its parameters lie in one vector."""
        return self.network, self.distribution

    def _make_optimiser(self) -> Adam | RMSprop:
        return Adam(self._parameters, self.settings.learning_rate, epsilon=self.settings.adam_eps)

    def _run(self, work: Callable[[], Iterator[None]]) -> Iterator[None]:
        """Does work that writes to tensors which stay: piece by piece on a CPU, as one recording on a GPU."""
        if not self._on_gpu:
            yield from work()
            return
        if work not in self._recordings:
            self._recordings[work] = Recording(lambda: collections.deque(work(), maxlen=0), self.device)
        self._recordings[work]()
        yield

    @torch.inference_mode()
    def act(self, obs: Observations) -> torch.Tensor:
        """Actions sampled from the policy, (num_envs, size) float or (num_envs,) int64; not to be written to."""
        for group in self._groups:
            self._row[f"obs/{group}"].copy_(obs[group])
        self.distribution.draw(self._noise, self.generator)
        self._choosing()
        self.rollout.take(self._step, self._row)
        actions = self.rollout["action"][self._step]
        return actions if self.spec.action.kind == "box" else actions.long()

    @torch.inference_mode()
    def _choose(self) -> None:
        """Completes the row by the policy's parameters and actions drawn from them."""
        row = self._row
        params = self.network.policy(self._normalised("policy", row["obs/policy"][0]))
        row["params"].copy_(params)
        row["action"].copy_(self.distribution.sample(params, self._noise))

    @torch.no_grad()
    def act_deterministic(self, obs: Observations) -> torch.Tensor:
        """The most likely actions, for any number of environments; reads the 'policy' group alone."""
        return self.distribution.mode(self.network.policy(self._normalised("policy", obs["policy"])))

    def policy_network(self) -> nn.Sequential:
        """The layers of ``act_deterministic`` from normalised 'policy' observations on, for box actions; not a copy."""
        return nn.Sequential(*self.network.actor_trunk, self.network.actor_head)

    def observe(self, transition: Transition) -> None:
        """Stores what followed the last ``act``, with the observations that time limits cut off."""
        settings, step = self.settings, self._step
        with torch.inference_mode():
            reward = transition.reward
            terminated, truncated = transition.terminated, transition.truncated
            if not settings.time_limit_bootstrap:
                terminated, truncated = terminated | truncated, torch.zeros_like(truncated)
            if settings.normalise_reward:
                reward = self.reward_normaliser(reward, terminated | truncated, settings.gamma)
            self._rewards[step] = reward
            self._terminated[step] = terminated
            self._truncated[step] = truncated
            # Asking a GPU whether anything was truncated would wait for it.
            if self._on_gpu or bool(truncated.any()):
                self._ends["obs"][step] = transition.final_obs[self._critic_group]
            if step + 1 == settings.num_steps:
                self._ends["obs"][-1] = transition.obs[self._critic_group]
        self._step += 1
        self.env_steps += self.spec.num_envs

    def update(self) -> Iterator[None]:
        """Improves the policy once the rollout is full; yields after every gradient of about 5 ms on one CPU core.

        Raises HumanoidRLError when the losses are no longer finite, and goes back to the last good update.
        """
        settings = self.settings
        if self._step < settings.num_steps:
            return
        begun = self.env_steps - len(self.rollout)
        rate = scheduled_learning_rate(settings.schedule, settings.learning_rate, begun, self.total_env_steps)
        if rate is not None:
            self.optimiser.learning_rate.fill_(rate)
        self.distribution.remember()
        self._sums.zero_()
        yield from self._improve()
        self._finish()

    def _improve(self) -> Iterator[None]:
        """Learns from the full rollout."""
        raise NotImplementedError

    def _num_gradients(self) -> int:
        """How many gradients an update sums figures of."""
        return 1

    def _estimate(self) -> Iterator[None]:
        """Values all observations of the rollout and turns rewards into advantages and returns (for ``_run``)."""
        self._normalise_rollout()
        yield
        cut_off = torch.cat((self._truncated, torch.ones_like(self._truncated[:1]))).flatten()
        with self._cutting_off():
            for rows in self._slices(self._all(len(cut_off)) if self._on_gpu else cut_off.nonzero()[:, 0]):
                self._value_ends(rows)
                yield
        for rows in self._slices(self._all(len(self.rollout))):
            self._evaluate(rows)
            yield
        self._cutting_off.join()
        self._estimate_advantages()
        yield

    @torch.inference_mode()
    def _normalise_rollout(self) -> None:
        """Normalises observations as they were when acting; only then do the normalisers take them in."""
        for group, normaliser in self.normalisers.items():
            obs = self.rollout.rows(f"obs/{group}")
            normalised = normaliser(obs)
            if group == self._critic_group:
                self._ends["obs"].copy_(normaliser(self._ends["obs"]))
            self._learn_statistics(group, obs)
            obs.copy_(normalised)

    def _learn_statistics(self, group: str, obs: torch.Tensor) -> None:
        """Takes observations (n, size) into their normaliser."""
        self.normalisers[group].update(obs)

    def _all(self, samples: int) -> torch.Tensor:
        return torch.arange(samples, device=self.device)

    @torch.inference_mode()
    def _evaluate(self, rows: torch.Tensor) -> None:
        """Values some samples (n,) of the rollout and takes the actions' log-densities."""
        group, batch = f"obs/{self._critic_group}", self.rollout.gather(rows)
        if self._on_gpu:  # the old policy as rounded as the gradient step will see the new one
            params, values = self.network(batch["obs/policy"], batch[group], self._valuing)
            self._valuing.join(values)
            self.rollout.rows("params")[rows] = params
        else:
            params, values = batch["params"], self.network.value(batch[group])
        self.rollout.rows("value")[rows] = values
        self.rollout.rows("log_prob")[rows] = self.distribution.log_prob(params, batch["action"])

    @torch.inference_mode()
    def _value_ends(self, rows: torch.Tensor) -> None:
        """Values some (n,) of the observations at which time limits or the rollout ended."""
        self._ends.rows("value")[rows] = self.network.value(self._ends.rows("obs")[rows])

    @torch.inference_mode()
    def _estimate_advantages(self) -> None:
        settings, rollout = self.settings, self.rollout
        advantages, returns = generalised_advantages(
            self._rewards,
            rollout["value"],
            self._ends["value"][-1],
            self._terminated,
            self._truncated,
            self._ends["value"][:-1],
            settings.gamma,
            settings.gae_lambda,
        )
        unexplained = (returns - rollout["value"]).var(correction=0)
        self._explained.copy_(1.0 - unexplained / (returns.var(correction=0) + 1e-8))
        if settings.normalise_advantage:
            advantages = self._normalised_advantages(advantages)
        rollout["advantage"].copy_(advantages)
        rollout["return"].copy_(returns)

    def _normalised_advantages(self, advantages: torch.Tensor) -> torch.Tensor:
        return (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)

    def _mean_over(
        self, samples: torch.Tensor, of: Callable[[torch.Tensor], tuple[torch.Tensor, ...]]
    ) -> Generator[None, None, tuple[torch.Tensor, ...]]:
        """Means over samples (n,) of what ``of`` gives for some of them, taken slice by slice."""
        slices = self._slices(samples)
        means = of(slices[0])
        yield
        for slice_ in slices[1:]:
            share = len(slice_) / len(slices[0])
            for mean, part in zip(means, of(slice_), strict=True):
                mean.add_(part, alpha=share)
            yield
        if len(slices) > 1:
            for mean in means:
                mean.mul_(len(slices[0]) / len(samples))
        return means

    def _descend(self, gradient: torch.Tensor) -> None:
        """One step of the optimiser along a gradient, which is scaled down to the largest norm."""
        norm = gradient.norm()
        self.optimiser.step(gradient, (norm / self.settings.max_grad_norm).clamp(min=1.0))
        self.distribution.constrain()
        self._sums[-1] += norm

    def _slices(self, samples: torch.Tensor) -> Sequence[torch.Tensor]:
        """Slices of sample indices (n,): one on a GPU; on a CPU what takes about 5 ms forth and back on one core each.

        They follow from the network's size alone, never from a clock, so that a run can be repeated exactly.
        """
        if self._on_gpu:
            return (samples,)
        return samples.split(math.ceil(len(samples) / math.ceil(len(samples) * self._cost / 1e8)))

    def _finish(self) -> None:
        """Fetches the figures of the update in one go and keeps the result, unless it is not finite."""
        means = self._sums / self._num_gradients()
        noise_std = self.distribution.noise_std().to(self.device)
        finite = self._parameters.isfinite().all()
        others = torch.stack((self._explained, self.optimiser.learning_rate, noise_std, finite))
        names = (*self.summed, "explained_variance", "learning_rate", "noise_std", "finite")
        metrics = dict(zip(names, torch.cat((means, others)).tolist(), strict=True))
        self._step = 0
        broken = [name for name in self.summed if not math.isfinite(metrics[name])]
        if broken or not metrics.pop("finite"):
            self._restore_learned_state(self._good)
            raise HumanoidRLError(
                f"{type(self).__name__}'s update {self.iteration + 1} gave {', '.join(broken) or 'weights'} that are "
                f"not finite; the policy of update {self.iteration} was kept. "
                "Lower learning_rate, or look for rewards and observations without bounds"
            )
        self.iteration += 1
        self.metrics = metrics
        self._good = self._learned_state()

    def edit(self, name: str, value: Any) -> None:
        """Changes a setting marked live; raises TaskError for others and for values out of bounds."""
        self.settings = edited(self.settings, name, value)
        if name == "learning_rate":
            self.optimiser.learning_rate.fill_(self.settings.learning_rate)
        for recording in (self._choosing, *self._recordings.values()):
            recording.forget()

    def _normalised(self, group: str, obs: torch.Tensor) -> torch.Tensor:
        return self.normalisers[group](obs) if group in self.normalisers else obs

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser, normalisers, counters and random state; not the rollout under way."""
        return {
            **saved_shapes(self.spec),
            "iteration": self.iteration,
            "env_steps": self.env_steps - self._step * self.spec.num_envs,
            "generator": self.generator.get_state(),
            **self._learned_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores ``state_dict`` and starts a new rollout; raises CheckpointError naming what does not fit."""
        check_saved_shapes(self.spec, state)
        self._restore_learned_state(state)
        restore_generator(self.generator, state["generator"])
        self.iteration, self.env_steps, self._step = int(state["iteration"]), int(state["env_steps"]), 0
        self._good = self._learned_state()

    def _weights(self) -> dict[str, torch.Tensor]:
        """The parameters by name, as views."""
        return {**self.network.state_dict(), **self.distribution.state_dict()}

    def _learned_state(self) -> dict[str, Any]:
        """Weights, optimiser and normalisers, copied."""
        normalisers = {group: normaliser.state_dict() for group, normaliser in self.normalisers.items()}
        return {
            "weights": {name: value.clone() for name, value in self._weights().items()},
            "optimiser": self.optimiser.state_dict(),
            "normalisers": {**normalisers, "reward": self.reward_normaliser.state_dict()},
        }

    def _restore_learned_state(self, state: dict[str, Any]) -> None:
        missing = [group for group in self.normalisers if group not in state["normalisers"]]
        if missing:
            raise CheckpointError(
                f"no normaliser of '{missing[0]}' in the checkpoint: set normalise_observations=false"
            )
        copy_parameters(state["weights"], self._weights())
        self.optimiser.load_state_dict(state["optimiser"])
        for group, normaliser in self.normalisers.items():
            normaliser.load_state_dict(state["normalisers"][group])
        self.reward_normaliser.load_state_dict(state["normalisers"]["reward"])
