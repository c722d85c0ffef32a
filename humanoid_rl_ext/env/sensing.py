"""What stands between the robot and what a policy is shown of it: noise, bias, delay, and the last few readings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch

from humanoid_rl_ext.env.terms import RandomBlock
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.schema import ObservationSection


class Sensing:
    """One group's sensors: readings (num_envs, width) in, what they show (num_envs, size) out.

    Order of events in a step: ``advance`` once, readings before resets, ``begin`` for the episodes that start anew,
    readings after. Readings of the same step replace each other.
    """

    def __init__(
        self,
        sections: Sequence[ObservationSection],
        widths: Sequence[int],
        step: Step,
        block: RandomBlock,
    ) -> None:
        """``sections`` are the group's entries in order, ``widths`` the sizes of their readings."""
        self._block, device = block, step.device

        def spread(values: Iterable[float]) -> torch.Tensor:
            return torch.tensor(
                [value for value, width in zip(values, widths, strict=True) for _ in range(width)], device=device
            )

        width = sum(widths)
        starts = [sum(widths[:index]) for index in range(len(widths))]
        order = [
            (start + part, lag, entry)
            for entry, (section, start, size) in enumerate(zip(sections, starts, widths, strict=True))
            for lag in range(section.history)
            for part in range(size)
        ]
        self.columns = [column for column, _, _ in order]
        """Which reading each shown element is of."""
        self.lags = [lag for _, lag, _ in order]
        """How many control steps before the entry's newest it is."""

        self._noise = spread(section.noise for section in sections)
        self.noisy = any(section.noise for section in sections)
        """Whether what is shown depends on the random numbers of the step."""
        normal = [section.noise_distribution == "normal" and section.noise > 0 for section in sections]
        self._normal = spread(normal).bool() if any(normal) else None
        self._noise_columns = block.allot(width) if self.noisy else slice(0)

        biased = any(section.bias for section in sections)
        self._bias_range = spread(section.bias for section in sections)
        self._bias = torch.zeros(step.num_envs, width, device=device) if biased else None
        self._bias_columns = block.allot(width) if biased else slice(0)

        ages = [[seconds / step.dt for seconds in section.delay_s] for section in sections]
        longest = max(math.ceil(high - 1e-6) for _, high in ages)
        depth = longest + max(section.history for section in sections)
        self._readings = torch.zeros(step.num_envs, depth, width, device=device) if depth > 1 else None
        """The newest first."""
        past = spread(section.history > 1 or section.delay_s[1] > 0 for section in sections).tolist()
        late = [column for column, seen in enumerate(past) if seen]
        self._kept = slice(late[0], late[-1] + 1) if late else slice(0)
        """The columns whose past is ever seen."""
        self._index = torch.tensor([lag * width + column for column, lag, _ in order], device=device)
        self._ages = torch.tensor(ages, device=device)
        self._entries = torch.tensor([entry for _, _, entry in order], device=device)
        self._delayed = self._index.repeat(step.num_envs, 1) if longest else None
        self._delay_columns = block.allot(len(sections)) if longest else slice(0)
        self._fresh: torch.Tensor | None = None

    def advance(self) -> None:
        """A new control step: what was read last becomes the past."""
        if self._readings is not None:
            self._readings[:, 1:, self._kept] = self._readings[:, :-1, self._kept].clone()

    def begin(self, done: torch.Tensor) -> None:
        """Draws bias and delay where an episode starts anew, ``done`` (num_envs,) bool; the past is forgotten there."""
        if done.device.type == "cpu" and not done.any():
            return
        rows = done.unsqueeze(-1)
        if self._bias is not None:
            fresh = (2.0 * self._block[self._bias_columns] - 1.0) * self._bias_range
            torch.where(rows, fresh, self._bias, out=self._bias)
        if self._delayed is not None and self._readings is not None:
            low, high = self._ages.unbind(-1)
            age = (low + (high - low) * self._block[self._delay_columns]).round().long()
            fresh = self._index + self._readings.shape[-1] * age[:, self._entries]
            torch.where(rows, fresh, self._delayed, out=self._delayed)
        self._fresh = done

    def __call__(self, readings: torch.Tensor) -> torch.Tensor:
        """(num_envs, size) what is shown; ``readings`` (num_envs, width) are the truth of now."""
        if self.noisy:
            noise = 2.0 * self._block[self._noise_columns] - 1.0
            if self._normal is not None:
                bell = torch.erfinv(noise.clamp(-0.999999, 0.999999)) * math.sqrt(2.0)
                noise = torch.where(self._normal, bell, noise)
            readings = torch.addcmul(readings, noise, self._noise)
        if self._bias is not None:
            readings = readings + self._bias
        if self._readings is None:
            return readings
        if self._fresh is not None:
            fresh, kept = self._fresh.view(-1, 1, 1), self._readings[..., self._kept]
            torch.where(fresh, readings[:, None, self._kept], kept, out=kept)
            self._fresh = None
        self._readings[:, 0].copy_(readings)
        flat = self._readings.flatten(1)
        return flat.index_select(1, self._index) if self._delayed is None else flat.gather(1, self._delayed)

    def buffers(self) -> dict[str, torch.Tensor]:
        """What a checkpoint has to keep, (num_envs, ...) each."""
        kept = {"bias": self._bias, "readings": self._readings, "delay": self._delayed}
        return {name: values for name, values in kept.items() if values is not None}


class Sensors:
    """The sensors of all groups together."""

    def __init__(self, groups: Mapping[str, Sensing | None], block: RandomBlock) -> None:
        self._groups = {group: sensing for group, sensing in groups.items() if sensing is not None}
        self._block = block

    def advance(self) -> None:
        """See ``Sensing.advance``."""
        for sensing in self._groups.values():
            sensing.advance()

    def begin(self, done: torch.Tensor) -> None:
        """See ``Sensing.begin``."""
        for sensing in self._groups.values():
            sensing.begin(done)

    def buffers(self) -> dict[str, torch.Tensor]:
        """What a checkpoint has to keep, (num_envs, ...) each; with noise, the random numbers of the last step too."""
        kept = {
            f"sensing.{group}.{key}": values for group, s in self._groups.items() for key, values in s.buffers().items()
        }
        if any(sensing.noisy for sensing in self._groups.values()):
            kept["sensing.random"] = self._block.numbers
        return kept


def sensing(
    sections: Sequence[ObservationSection], widths: Sequence[int], step: Step, block: RandomBlock
) -> Sensing | None:
    """The group's sensors, or None where every entry shows the truth of now."""
    if any(section.is_shaped for section in sections):
        return Sensing(sections, widths, step, block)
    return None
