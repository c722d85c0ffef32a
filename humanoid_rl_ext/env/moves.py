"""Discrete control: a choice among moves, looked up as a row of what continuous actions would be."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from humanoid_rl_ext.env.picking import per_joint, picked
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.control import Choices

MOST_MOVES = 4096


@dataclass(frozen=True, slots=True)
class Moves:
    """What one agent chooses among."""

    names: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    """For each move, an action for each of the agent's joints."""


def moves_of(choices: Choices, joints: Sequence[str], where: str) -> Moves:
    """The moves of the named joints: those with names, or every combination of the bins.

    Raises:
        TaskError: for a pattern that picks no joint, a joint without bins, and more than 4096 combinations.
    """
    if choices.moves:
        rows = []
        for move, actions in choices.moves.items():
            row = [0.0] * len(joints)
            for pattern, action in actions.items():
                for index in picked(pattern, joints, f"{where}.moves.{move}"):
                    row[index] = action
            rows.append(tuple(row))
        return Moves(tuple(choices.moves), tuple(rows))
    bins = per_joint(choices.bins or [], joints, f"{where}.bins")
    count = math.prod(len(values) for values in bins)
    if count > MOST_MOVES:
        raise TaskError(
            f"{where}.bins: {count:,} combinations for {len(joints)} joints, and {MOST_MOVES:,} is the limit; "
            "name the ones that matter under 'moves', or share the joints out among 'agents'"
        )
    if count < 2:
        raise TaskError(f"{where}.bins: one combination is no choice; give a joint at least two actions")
    rows = list(itertools.product(*bins))
    spelled = (", ".join(f"{joint}={value:g}" for joint, value in zip(joints, row, strict=True)) for row in rows)
    return Moves(tuple(spelled), tuple(rows))


class MoveTable:
    """The moves of all agents on the device, by which choices become actions of the joints."""

    def __init__(self, moves: Sequence[Moves], columns: Sequence[Sequence[int]], device: torch.device) -> None:
        """``columns`` are the places of each agent's joints in a row of actions; together they fill it."""
        width = sum(len(places) for places in columns)
        sizes = [len(each.rows) for each in moves]
        table = torch.zeros(sum(sizes), width)
        starts = [0, *itertools.accumulate(sizes)][:-1]
        for each, places, start in zip(moves, columns, starts, strict=True):
            table[start : start + len(each.rows), list(places)] = torch.tensor(each.rows)
        self._table = table.to(device)
        self._start = torch.tensor(starts, device=device)
        self._last = torch.tensor(sizes, device=device) - 1
        self._rest = [min(range(len(each.rows)), key=lambda move: sum(map(abs, each.rows[move]))) for each in moves]

    def look_up(self, choices: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """Actions (num_envs, joints) for choices (num_envs,), or (num_envs, agents) of several agents.

        A choice beyond the last move is taken for the last, and one below zero for the first.
        """
        rows = torch.minimum(choices.clamp(min=0), self._last).add_(self._start)
        if rows.dim() == 1:
            return torch.index_select(self._table, 0, rows, out=out)
        return torch.sum(self._table[rows], 1, out=out)  # each agent's row is zero where another's joints are

    def at_rest(self, rows: int, single: bool) -> torch.Tensor:
        """Choices of the moves that ask for least, (rows,) or (rows, agents)."""
        rest = torch.tensor(self._rest, device=self._table.device).repeat(rows, 1)
        return rest[:, 0].contiguous() if single else rest
