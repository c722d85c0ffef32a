"""What happens again and again: commands drawn anew, shoves at random times."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from humanoid_rl_ext.env.terms import BoundTerm, RandomBlock
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.mdp.step import Step


class Timer:
    """One countdown per environment, set anew from a range whenever it has run out or the episode has ended."""

    def __init__(self, seconds: tuple[float, float], step: Step, block: RandomBlock) -> None:
        self.seconds = torch.tensor(seconds, device=step.device)
        self.left = torch.zeros(step.num_envs, device=step.device)
        self._dt, self._block, self._column = step.dt, block, block.allot(1)

    def run(self, done: torch.Tensor) -> torch.Tensor:
        """(num_envs,) bool: set anew in this step, because it has run out or because the episode has ended."""
        self.left -= self._dt
        anew = (self.left <= 0) | done
        again = torch.lerp(self.seconds[0], self.seconds[1], self._block[self._column].squeeze(-1))
        torch.where(anew, again, self.left, out=self.left)
        return anew


class Command:
    """One kind of command: its current value per environment and when it is drawn anew."""

    def __init__(
        self,
        term: BoundTerm,
        resample_s: tuple[float, float] | None,
        step: Step,
        block: RandomBlock,
        reserved: slice,
    ) -> None:
        """``reserved`` are the environments that ``hold`` is about."""
        self.term = term
        self.value = torch.zeros(step.num_envs, term.size, device=step.device)
        follow = term.spec.follow if term.follows else None
        self.drawn = torch.zeros(step.num_envs, follow.drawn, device=step.device) if follow else self.value
        """What was drawn; the value itself, for a command that stays until the next draw."""
        self.steered = term.spec.steered
        """How many numbers ``hold`` takes."""
        self.timer = Timer(resample_s, step, block) if resample_s else None
        self.held: tuple[float, ...] | None = None
        """What the reserved environments are told instead of what would be drawn."""
        self._reserved = self.drawn[reserved]
        self._holding = torch.zeros(1, dtype=torch.bool, device=step.device)
        self._held_value = torch.zeros(self.drawn.shape[-1], device=step.device)

    def refresh(self, step: Step, done: torch.Tensor) -> None:
        """Draws new commands where the episode has ended or the time is up, and follows those that move."""
        due = done if self.timer is None else self.timer.run(done)
        if due.device.type != "cpu" or due.any():
            torch.where(due.unsqueeze(-1), self.term(step), self.drawn, out=self.drawn)
            self._override()
        if self.term.follows:
            self.value.copy_(self.term.follow(step, self.drawn))

    def hold(self, values: Sequence[float] | None, step: Step) -> None:
        """Gives the reserved environments a command of the user's, at once and until released (None).

        Raises:
            TaskError: for values that are not finite, or not ``steered`` of them.
        """
        held = None if values is None else tuple(float(value) for value in values)
        if held is not None and (len(held) != self.steered or not all(math.isfinite(value) for value in held)):
            raise TaskError(f"the command '{self.term.name}' takes {self.steered} finite numbers, not {list(held)}")
        self.held = held
        self._holding.fill_(held is not None)
        if held is None:
            self._reserved.copy_(self.term(step)[-len(self._reserved) :])
        else:
            self._held_value[: self.steered].copy_(torch.tensor(held))
        self._override()
        if self.term.follows and not self.term.memory:  # one that remembers would go two steps at once
            self.value.copy_(self.term.follow(step, self.drawn))

    def buffers(self, name: str) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps of it, by name."""
        memory = {f"{name}.{key}": value for key, value in self.term.memory.items()}
        moving = {f"{name}.drawn": self.drawn} if self.term.follows else {}
        timer = {} if self.timer is None else {f"{name}.timer": self.timer.left}
        return {name: self.value, **timer, **moving, **memory}

    def _override(self) -> None:
        if len(self._reserved):
            self._reserved.copy_(torch.where(self._holding, self._held_value, self._reserved))
