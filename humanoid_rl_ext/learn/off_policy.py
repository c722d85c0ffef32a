"""What algorithms that learn from a replay have in common: gathering, warming up, iterations, going back, resuming."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any, ClassVar

import torch
from torch import nn

from humanoid_rl_ext.env.transition import EnvSpec, Observations, Transition
from humanoid_rl_ext.errors import CheckpointError, HumanoidRLError
from humanoid_rl_ext.learn.action_range import ActionRange
from humanoid_rl_ext.learn.adam import Adam
from humanoid_rl_ext.learn.edits import edited
from humanoid_rl_ext.learn.networks import copy_parameters, flatten_parameters
from humanoid_rl_ext.learn.normaliser import ObservationNormaliser
from humanoid_rl_ext.learn.replay import Batch, ReplayBuffer
from humanoid_rl_ext.learn.saved import check_saved_shapes, saved_shapes
from humanoid_rl_ext.learn.settings_off_policy import OffPolicySettings
from humanoid_rl_ext.sim.recording import Recording, restore_generator


class OffPolicy[Settings: OffPolicySettings]:
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    An algorithm adds ``_build``, ``_explore``, ``_best`` and ``_learn``, and where it needs them the other methods
    under "What an algorithm says". ``_explore`` and ``_learn`` are recorded on a GPU: see ``Recording``.
    """

    figures: ClassVar[tuple[str, ...]] = ()
    """What every gradient step measures, in the order of what ``_learn`` gives to ``_measured``."""
    policy_figures: ClassVar[tuple[str, ...]] = ()
    """What only those gradient steps measure that move the policy."""
    privileged: ClassVar[bool] = True
    """Whether it makes use of what only critics see."""

    def __init__(
        self,
        spec: EnvSpec,
        settings: Settings,
        device: torch.device | str = "cpu",
        seed: int = 0,
        total_env_steps: int | None = None,
    ) -> None:
        self.spec, self.settings, self.device = spec, settings, torch.device(device)
        self.total_env_steps = total_env_steps
        self.iteration = self.env_steps = 0
        self.gradient_steps = 0
        """Gradient steps made so far."""
        self.metrics: dict[str, float] = {}
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self._critic_group = "critic" if self.privileged and "critic" in spec.observations else "policy"
        self._groups = tuple(dict.fromkeys(("policy", self._critic_group)))
        self._kept_replay: dict[str, Any] | None = None
        if total_env_steps is not None:  # a run, not somebody who only wants to see the policy act
            ReplayBuffer.check_memory(**self._replay_sizes())
        self.normalisers = {
            group: ObservationNormaliser(spec.observations[group], settings.observation_clip, self.device)
            for group in self._groups
            if settings.normalise_observations
        }
        self.networks = nn.ModuleDict()
        """All that is learned, target networks included, by the names that checkpoints use."""
        self.optimisers: dict[str, Adam] = {}
        self._leaves: dict[str, list[nn.Parameter]] = {}
        self._followers: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._sums = torch.zeros(len(self.figures) + len(self.policy_figures), device=self.device)
        self._counts = [0, 0]  # gradient steps of this iteration, and those that moved the policy
        self._step, self._owed = 0, 0.0
        self._actions = torch.zeros(0)
        self._range = self._action_range().to(self.device)
        self._build(torch.Generator().manual_seed(seed))
        self._taking_in = Recording(self._take_in, self.device)
        self._choosing = Recording(self._choose, self.device)
        self._learning = {moves: Recording(partial(self._learn_once, moves), self.device) for moves in (False, True)}
        self._good = self._learned_state()

    # What an algorithm says.

    def _build(self, generator: torch.Generator) -> None:
        """Fills ``networks`` and ``optimisers``; first weights follow from the generator, which is the CPU's."""
        raise NotImplementedError

    def _draw_exploration(self) -> None:
        """Draws the random numbers that ``_explore`` needs into tensors that stay where they are."""

    def _explore(self, obs: torch.Tensor) -> torch.Tensor:
        """Actions as the replay stores them, to explore with, for normalised observations (num_envs, size)."""
        raise NotImplementedError

    def _best(self, obs: torch.Tensor) -> torch.Tensor:
        """Actions as the replay stores them, the best known, for normalised observations (batch, size)."""
        raise NotImplementedError

    def _moves_policy(self) -> bool:
        """Whether the next gradient step moves the policy too: what is recorded differs between the two."""
        return True

    def _draw_learning(self) -> None:
        """Draws the random numbers that ``_learn`` needs into tensors that stay where they are."""

    def _learn(self, batch: Batch, moves_policy: bool) -> None:
        """One gradient step; its observations are normalised. Ends with ``_measured``."""
        raise NotImplementedError

    def _action_width(self) -> int:
        """Numbers per action in the replay; zero stands for one, (num_envs,). Of agents that choose, each has one."""
        return self.spec.action.size if self.spec.action.kind == "box" else len(self.spec.agents)

    def _draw_at_random(self, actions: torch.Tensor) -> None:
        """Fills actions as the replay stores them with any that are allowed, all equally likely."""
        if self.spec.action.kind == "box":
            actions.uniform_(-1.0, 1.0, generator=self.generator)
        else:
            actions.random_(0, self.spec.action.size, generator=self.generator)

    def _for_env(self, actions: torch.Tensor) -> torch.Tensor:
        """Actions as the environment takes them: boxes are stored within -1 and 1, and choices as float."""
        if self.spec.action.kind == "box":
            return self._range(actions)
        return actions.long()

    def _apply_edit(self, name: str) -> None:
        """Takes over a setting that has just changed, where it is kept outside ``settings``."""

    # What they share.

    def _add(self, name: str, network: nn.Module, learning_rate: float) -> None:
        """Registers what is learned, with an optimiser of its own."""
        self.networks[name] = network.to(self.device)
        parameters, self._leaves[name] = flatten_parameters(network)
        self.optimisers[name] = Adam(parameters, learning_rate, epsilon=self.settings.adam_eps, fused=True)

    def _follower[Network: nn.Module](self, name: str, network: Network) -> Network:
        """A copy that follows a registered network slowly."""
        target = copy.deepcopy(network).requires_grad_(False)
        parameters, _ = flatten_parameters(target)
        self.networks[f"target_{name}"] = target
        self._followers.append((parameters.data, self.optimisers[name].parameters.data))
        return target

    def _descend(self, name: str, loss: torch.Tensor, max_grad_norm: float | None = None) -> None:
        """One step of a network's optimiser against the gradient of a loss, which is scaled down to a norm if given."""
        gradients = torch.autograd.grad(loss, self._leaves[name])
        gradient = torch.cat([part.flatten() for part in gradients])
        divisor = None if max_grad_norm is None else (gradient.norm() / max_grad_norm).clamp_(min=1.0)
        self.optimisers[name].step(gradient, divisor)

    @torch.no_grad()
    def _follow(self) -> None:
        """Moves the targets towards what they follow."""
        for target, source in self._followers:
            target.lerp_(source, self.settings.tau)

    def _action_range(self) -> ActionRange:
        """What -1, 0 and 1 of each element of a box action mean."""
        action = self.spec.action
        if action.kind != "box":
            return ActionRange([], [], [])
        bound = getattr(self.settings, "action_bound", 1.0)
        low, high = list(action.low) or [-bound] * action.size, list(action.high) or [bound] * action.size
        rest = [(least + most) / 2.0 for least, most in zip(low, high, strict=True)]
        if getattr(self.settings, "action_range", "environment") == "around_zero":
            rest = [0.0] * action.size
            low, high = [max(least, -bound) for least in low], [min(most, bound) for most in high]
        return ActionRange(low, rest, high)

    def _replay_sizes(self) -> dict[str, Any]:
        settings, spec = self.settings, self.spec
        return {
            "capacity": settings.buffer_size,
            "num_envs": spec.num_envs,
            "observations": {group: spec.observations[group] for group in self._groups},
            "action": self._action_width(),
            "batch_size": settings.batch_size,
            "device": self.device,
            "agents": len(spec.agents) if spec.reward_per_agent else 0,
            "priority_alpha": settings.priority_alpha if settings.prioritised else None,
        }

    @cached_property
    def replay(self) -> ReplayBuffer:
        """What was gathered; allocated when the first action is asked for, so that playing does without."""
        with torch.inference_mode(False):
            replay = ReplayBuffer(**self._replay_sizes())
        if self._kept_replay is not None:
            replay.load_state_dict(self._kept_replay)
            self._kept_replay = None
        self._anneal(replay)
        return replay

    @torch.inference_mode()
    def act(self, obs: Observations) -> torch.Tensor:
        """Actions to explore with, (num_envs, size) float or (num_envs,) int64; not to be written to.

        They are drawn at random, within the bounds, until ``learning_starts`` steps have been made.
        """
        replay = self.replay
        for group in self._groups:
            replay.put(f"obs/{group}", obs[group])
        if self.normalisers:
            self._taking_in()
        if self.env_steps < self.settings.learning_starts:
            self._draw_at_random(replay.row("action"))
            return self._for_env(replay.row("action"))
        self._draw_exploration()
        self._choosing()
        return self._actions

    @torch.inference_mode()
    def _take_in(self) -> None:
        for group, normaliser in self.normalisers.items():
            normaliser.update(self.replay.row(f"obs/{group}"))

    @torch.inference_mode()
    def _choose(self) -> None:
        actions = self._explore(self._normalised("policy", self.replay.row("obs/policy")))
        self.replay.put("action", actions)
        self._actions = self._for_env(actions)

    @torch.no_grad()
    def act_deterministic(self, obs: Observations) -> torch.Tensor:
        """The best actions known, for any number of environments; reads the 'policy' group alone."""
        return self._for_env(self._best(self._normalised("policy", obs["policy"])))

    @torch.inference_mode()
    def observe(self, transition: Transition) -> None:
        """Stores what the last ``act`` led to."""
        self.replay.push(transition, keep_order=self.settings.n_step > 1)
        self._step += 1
        self.env_steps += self.spec.num_envs

    def update(self) -> Iterator[None]:
        """Makes the gradient steps that are due, and yields after each.

        Raises HumanoidRLError at the end of an iteration whose losses were not finite, and goes back to the last good
        one.
        """
        if len(self.replay) >= self.settings.learning_starts:
            self._owed += self.settings.gradient_steps
            while self._owed >= 1.0:
                self._owed -= 1.0
                self.gradient_step()
                yield
        if self._step >= self.settings.num_steps:
            self._finish()

    def gradient_step(self) -> None:
        """Learns from one batch drawn from the replay."""
        moves = self._moves_policy()
        with torch.inference_mode():
            self.replay.draw(self.generator)
            self._draw_learning()
        self._learning[moves]()
        self.gradient_steps += 1
        self._counts[0] += 1
        self._counts[1] += moves

    def _learn_once(self, moves_policy: bool) -> None:
        with torch.no_grad():
            batch = self.replay.batch(self.settings.gamma, self.settings.n_step)
            for group in self.normalisers:
                for name in (f"obs/{group}", f"next/{group}"):
                    batch[name] = self._normalised(group, batch[name])
        self._learn(batch, moves_policy)

    def _measured(self, figures: tuple[torch.Tensor, ...], policy_figures: tuple[torch.Tensor, ...] = ()) -> None:
        """Takes in what a gradient step measured, all scalars."""
        values = torch.stack((*figures, *policy_figures)).detach()
        self._sums[: len(values)].add_(values)

    def _finish(self) -> None:
        """Ends an iteration: fetches its figures in one go and keeps the result, unless it is not finite."""
        self._step = 0
        self.metrics = {"replay_size": float(len(self.replay)), "gradient_steps": float(self.gradient_steps)}
        if self._counts[0]:
            names = (*self.figures, *self.policy_figures)
            finite = torch.stack([optimiser.parameters.isfinite().all() for optimiser in self.optimisers.values()])
            *sums, finite_weights = torch.cat((self._sums, finite.all().float().view(1))).tolist()
            counts = [self._counts[0]] * len(self.figures) + [self._counts[1]] * len(self.policy_figures)
            figures = {name: total / count for name, total, count in zip(names, sums, counts, strict=True) if count}
            self._sums.zero_()
            self._counts = [0, 0]
            broken = [name for name, value in figures.items() if not math.isfinite(value)]
            if broken or not finite_weights:
                self._restore_learned_state(self._good)
                raise HumanoidRLError(
                    f"iteration {self.iteration + 1} of {type(self).__name__} gave {', '.join(broken) or 'weights'} "
                    f"that are not finite; the policy of iteration {self.iteration} was kept. "
                    "Lower the learning rates, or look for rewards and observations without bounds"
                )
            self.metrics |= figures
        self.iteration += 1
        self._anneal(self.replay)
        self._good = self._learned_state()

    def _anneal(self, replay: ReplayBuffer) -> None:
        progress = min(1.0, self.env_steps / self.total_env_steps) if self.total_env_steps else 0.0
        beta = self.settings.priority_beta
        replay.priority_beta.fill_(beta + (1.0 - beta) * progress)

    def edit(self, name: str, value: Any) -> None:
        """Changes a setting marked live; raises TaskError for others and for values out of bounds."""
        self.settings = edited(self.settings, name, value)
        self._apply_edit(name)
        for recording in (self._choosing, *self._learning.values()):
            recording.forget()

    def _normalised(self, group: str, obs: torch.Tensor) -> torch.Tensor:
        return self.normalisers[group](obs) if group in self.normalisers else obs

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimisers, normalisers, counters and random state; the replay where ``save_replay`` asks for it."""
        state = {
            **saved_shapes(self.spec),
            "iteration": self.iteration,
            "env_steps": self.env_steps,
            "gradient_steps": self.gradient_steps,
            "owed": self._owed,
            "generator": self.generator.get_state(),
            **self._learned_state(),
        }
        if self.settings.save_replay:
            state["replay"] = self.replay.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores ``state_dict``; raises CheckpointError naming what does not fit.

        Without a replay in it, the policy gathers ``learning_starts`` transitions before it learns on.
        """
        check_saved_shapes(self.spec, state)
        self._restore_learned_state(state)
        restore_generator(self.generator, state["generator"])
        self.iteration, self.env_steps = int(state["iteration"]), int(state["env_steps"])
        self.gradient_steps, self._owed, self._step = int(state["gradient_steps"]), float(state["owed"]), 0
        self._sums.zero_()
        self._counts = [0, 0]
        self._kept_replay = state.get("replay")
        if "replay" in self.__dict__:  # recordings know where it lies: it is filled anew, not made anew
            if self._kept_replay is None:
                self.replay.clear()
            else:
                self.replay.load_state_dict(self._kept_replay)
            self._kept_replay = None
            self._anneal(self.replay)
        self._good = self._learned_state()

    def _learned_state(self) -> dict[str, Any]:
        """Weights, optimisers and normalisers, copied."""
        return {
            "weights": {name: value.clone() for name, value in self.networks.state_dict().items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "normalisers": {group: normaliser.state_dict() for group, normaliser in self.normalisers.items()},
        }

    def _restore_learned_state(self, state: dict[str, Any]) -> None:
        missing = [group for group in self.normalisers if group not in state["normalisers"]]
        if missing:
            raise CheckpointError(
                f"no normaliser of '{missing[0]}' in the checkpoint: set normalise_observations=false"
            )
        copy_parameters(state["weights"], self.networks.state_dict())
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        for group, normaliser in self.normalisers.items():
            normaliser.load_state_dict(state["normalisers"][group])
