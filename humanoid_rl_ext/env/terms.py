"""Terms bound to one environment: parameters on the device, selectors as indices, memory and random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_args

import torch

from humanoid_rl_ext.env.picking import picked
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.robot.description import RobotDescription, Role
from humanoid_rl_ext.task.schema import TermSection

Picks = slice | torch.Tensor
_ROLES = get_args(Role)


class RandomBlock:
    """One block of uniform random numbers per step, drawn by the environment and shared out among the terms.

    Reserved environments have a generator of their own, so that the others draw the same numbers with and without them.
    """

    def __init__(self, num_envs: int, device: torch.device, seed: int, reserved: int = 0) -> None:
        self.generator = torch.Generator(device=device).manual_seed(seed)
        self._reserved_generator = torch.Generator(device=device).manual_seed(seed + 1)
        self._num_envs, self._reserved, self._device, self._width = num_envs, reserved, device, 0
        self._block: torch.Tensor | None = None

    def allot(self, width: int) -> slice:
        """Sets ``width`` columns aside; all must be allotted before the first draw."""
        assert self._block is None
        self._width += width
        return slice(self._width - width, self._width)

    @property
    def numbers(self) -> torch.Tensor:
        """The whole block of the last draw, (num_envs, width), always the same tensor."""
        if self._block is None:
            self._block = torch.zeros(self._num_envs + self._reserved, self._width, device=self._device)
        return self._block

    def draw(self) -> None:
        """Fills the block anew."""
        block = self.numbers
        block[: self._num_envs].uniform_(generator=self.generator)
        if self._reserved:
            block[self._num_envs :].uniform_(generator=self._reserved_generator)

    def __getitem__(self, columns: slice) -> torch.Tensor:
        """The allotted columns of the last draw, (num_envs, width) in [0, 1)."""
        return self.numbers[:, columns]


class BoundTerm:
    """A term of the Task with everything it needs to be called once per step."""

    def __init__(
        self, name: str, section: TermSection, robot: RobotDescription, step: Step, block: RandomBlock
    ) -> None:
        """Raises TaskError when a selector picks nothing or, for ``foot`` and its like, the robot has no such body."""
        spec = section.spec
        self.name, self.spec, self._section = name, spec, section
        self._params = {
            key: _device_value(spec.params[key].type, value, robot, step, name) for key, value in section.params.items()
        }
        counts: dict[str, int] = {}
        for key, param in spec.params.items():
            if param.type in ("bodies", "joints"):
                counts[key] = count(self._params[key], len(robot.bodies if param.type == "bodies" else robot.joints))
        for key, param in spec.params.items():
            given = len(section.params[key]) if param.type == "numbers" else 0
            if given and given not in counts.values():
                raise TaskError(f"{name}: {key} has {given} numbers, one per picked body is needed: {counts}")
        width = spec.size if isinstance(spec.size, tuple) else (spec.size,)
        self.size = sum(counts[size] if isinstance(size, str) else size for size in width)
        """Width of a command."""
        self.follows = spec.follow is not None and (not spec.follow.when or section.params[spec.follow.when])
        """Whether a command moves between two draws."""
        shape = [counts[size] if isinstance(size, str) else size for size in spec.random]
        self._columns = block.allot(shape[0]) if shape else None
        self._block = block
        self.warp: Callable[[torch.Tensor], torch.Tensor] | None = None
        """What makes another distribution of the uniform random numbers."""
        self.memory = {
            key: torch.full(
                (step.num_envs, *(counts[size] if isinstance(size, str) else size for size in buffer.shape)),
                buffer.reset,
                device=step.device,
            )
            for key, buffer in spec.buffers.items()
        }

    def __call__(self, step: Step) -> torch.Tensor:
        """The term's value for every environment."""
        arguments: list[Any] = [step]
        if self.memory:
            arguments.append(self.memory)
        if self._columns is not None:
            random = self._block[self._columns]
            arguments.append(random if self.warp is None else self.warp(random))
        return self.spec.function(*arguments, **self._params)

    def follow(self, step: Step, drawn: torch.Tensor) -> torch.Tensor:
        """What a command that ``follows`` says in this step, (num_envs, size)."""
        assert self.spec.follow is not None
        arguments = (step, self.memory, drawn) if self.memory else (step, drawn)
        return self.spec.follow.function(*arguments, **self._params)

    def param(self, name: str) -> Any:
        """The bound value of a parameter: a device tensor for numbers and ranges, picks for selectors."""
        return self._params[name]

    @property
    def numbers(self) -> list[str]:
        """The parameters that ``set_numbers`` can change in place."""
        return [name for name, spec in self.spec.params.items() if spec.type in ("float", "range", "numbers")]

    def differs_in_numbers(self, section: TermSection) -> bool:
        """Whether ``section`` asks for this very term with at most other ``numbers``."""
        before, after = self._section.params, section.params
        fixed = self.spec.params.keys() - self.numbers
        lists = [key for key, spec in self.spec.params.items() if spec.type == "numbers"]
        if not section.enabled or section.spec is not self.spec or any(before[key] != after[key] for key in fixed):
            return False
        return all(len(before[key]) == len(after[key]) for key in lists)

    def set_numbers(self, section: TermSection) -> None:
        """Takes over a section's numbers in place, so that they act at the next call."""
        for name in self.numbers:
            self._params[name].copy_(torch.as_tensor(section.params[name]))

    def reset(self, mask: torch.Tensor) -> None:
        """Forgets what the term remembers where ``mask`` (num_envs,) is set."""
        for key, memory in self.memory.items():
            memory.masked_fill_(mask.view(-1, *[1] * (memory.dim() - 1)), self.spec.buffers[key].reset)


def pick(pattern: str, names: Sequence[str], roles: dict[str, list[str]] | None, where: str) -> Picks:
    """Indices into ``names`` of what a role, a name or a regular expression picks; a slice where they are adjacent.

    Raises:
        TaskError: as ``picked`` does, and for a role that no body has.
    """
    if roles is not None and pattern in _ROLES:
        chosen = [index for index, name in enumerate(names) if name in roles[pattern]]
        if not chosen:
            raise TaskError(
                f"{where}: this robot has no body with the role '{pattern}'; name it under robot.roles.{pattern}"
            )
    else:
        chosen = picked(pattern, names, where)
    return as_slice(chosen)


def as_slice(chosen: Sequence[int]) -> Picks:
    """A slice when the indices are adjacent and rising (a view, no copy), else an index tensor."""
    if list(chosen) == list(range(chosen[0], chosen[0] + len(chosen))):
        return slice(chosen[0], chosen[0] + len(chosen))
    return torch.tensor(chosen)


def count(picks: Picks, total: int) -> int:
    """How many of ``total`` things are picked."""
    return len(range(*picks.indices(total))) if isinstance(picks, slice) else len(picks)


def bind(
    table: Iterable[tuple[str, TermSection]], robot: RobotDescription, step: Step, block: RandomBlock
) -> dict[str, BoundTerm]:
    """The enabled terms of one table of the Task, by entry name."""
    return {name: BoundTerm(name, section, robot, step, block) for name, section in table if section.enabled}


def _device_value(kind: str, value: Any, robot: RobotDescription, step: Step, where: str) -> Any:
    if kind in ("float", "range", "numbers"):
        return torch.tensor(value, dtype=torch.float32, device=step.device)
    if kind == "bodies":
        roles = {role: robot.with_role(role) for role in _ROLES}
        picks = pick(value, robot.body_names, roles, where)
    elif kind == "joints":
        picks = pick(value, robot.joint_names, None, where)
    else:
        return value
    return picks.to(step.device) if isinstance(picks, torch.Tensor) else picks
