"""What happens again and again: commands drawn anew, shoves at random times."""

from __future__ import annotations

import torch

from humanoid_rl_ext.env.terms import BoundTerm, RandomBlock
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
        self.value = torch.zeros(step.num_envs, term.spec.size, device=step.device)
        self.timer = Timer(resample_s, step, block) if resample_s else None
        self.held: tuple[float, ...] | None = None
        """What the reserved environments are told instead of what would be drawn."""
        self._reserved = self.value[reserved]
        self._holding = torch.zeros(1, dtype=torch.bool, device=step.device)
        self._held_value = torch.zeros(term.spec.size, device=step.device)

    def refresh(self, step: Step, done: torch.Tensor) -> None:
        """Draws new commands where the episode has ended or the time is up."""
        due = done if self.timer is None else self.timer.run(done)
        if due.device.type == "cpu" and not due.any():
            return
        torch.where(due.unsqueeze(-1), self.term(step), self.value, out=self.value)
        self._override()

    def hold(self, values: tuple[float, ...] | None, step: Step) -> None:
        """Gives the reserved environments a command of the user's, at once and until released (None)."""
        self.held = values
        self._holding.fill_(values is not None)
        if values is None:
            self._reserved.copy_(self.term(step)[-len(self._reserved) :])
        else:
            self._held_value.copy_(torch.tensor(values))
        self._override()

    def _override(self) -> None:
        if len(self._reserved):
            self._reserved.copy_(torch.where(self._holding, self._held_value, self._reserved))
