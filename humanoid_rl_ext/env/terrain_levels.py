"""On which level of the terrain each environment is: starts there, goes up and down."""

from __future__ import annotations

from typing import Any

import torch

from humanoid_rl_ext.env.terms import RandomBlock
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.sim.ground import Ground
from humanoid_rl_ext.sim.terrain import Terrain


class TerrainLevels:
    """What is asked of the ground's levels; this one is for flat ground, which has one level and nowhere to go."""

    def __init__(self, engine: Engine) -> None:
        self.origins = engine.env_origins
        """(num_envs, 3) where episodes start that are about to."""

    def __call__(self, done: torch.Tensor, step: Step) -> None:
        """Decides where those go on whose episode ends, (num_envs,) bool; nothing but ``origins`` changes yet."""

    def settle(self) -> None:
        """Takes the decision over, once nobody asks any more where the ended episodes took place."""

    def open(self, max_difficulty: float) -> None:
        """Lets environments be on levels of at most this difficulty; those above leave with their next episode."""

    def state_dict(self, rows: slice) -> dict[str, Any]:
        """Where some environments are; nothing on flat ground."""
        return {}

    def load_state_dict(self, saved: dict[str, Any], rows: slice) -> None:
        """Restores ``state_dict``; a state that knows of no levels leaves them as they are."""


class GridLevels(TerrainLevels):
    """Level and column of each environment (num_envs,) int64; the engine's origins follow them, in place.

    Nothing here synchronises or draws random numbers: it may run in a recorded step. What rewards may be reading at the
    same time changes in ``settle`` alone.
    """

    def __init__(self, terrain: Terrain, engine: Engine, step: Step, block: RandomBlock) -> None:
        """Puts every environment on its start cell, and gives ``step`` the ground."""
        device = engine.device
        step.ground = Ground(terrain, device)
        level, column = (torch.as_tensor(cells, device=device) for cells in terrain.start_cells(engine.num_envs))
        self.level, self.column = step.terrain_level, column
        self._next = level.clone()
        self._terrain, self._env_origins = terrain, engine.env_origins
        self._table = torch.as_tensor(terrain.origins.reshape(-1, 3), device=device)
        self.origins = torch.empty_like(engine.env_origins)
        self._block, self._draws = block, block.allot(1)
        self._open = torch.tensor(terrain.levels_up_to(terrain.max_difficulty), device=device)
        self.place(level, column)

    def __call__(self, done: torch.Tensor, step: Step) -> None:
        """Decides by the distance they walked where those go on whose episode ends, if the Task says so."""
        if self._terrain.levels_by_distance and (done.is_cuda or done.any()):
            self.move(done, *distance_walked(done, step, 0.5 * self._terrain.cell_size))

    def move(self, done: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> None:
        """One level up where ``up`` (num_envs,) bool is set, one down where ``down`` is: in ``origins`` at once, in
        ``level`` and the engine's origins with ``settle``.

        The first level is the lowest; who is ``done`` and past the last open one goes to a random one.
        """
        wanted = (self.level + up.long() - down.long()).clamp_(min=0)
        anywhere = (self._block[self._draws].squeeze(-1) * self._open).long()
        torch.where(done & (wanted >= self._open), anywhere, wanted, out=self._next)
        torch.index_select(self._table, 0, self._next * self._terrain.columns + self.column, out=self.origins)

    def settle(self) -> None:
        """Takes over what ``move`` decided."""
        self.level.copy_(self._next)
        self._env_origins.copy_(self.origins)

    def open(self, max_difficulty: float) -> None:
        """Lets environments be on levels of at most this difficulty; those above leave with their next episode."""
        self._open.fill_(self._terrain.levels_up_to(max_difficulty))

    def place(self, level: torch.Tensor, column: torch.Tensor) -> None:
        """Takes over levels and columns (num_envs,) int64, at once."""
        self._next.copy_(level)
        self.column.copy_(column)
        torch.index_select(self._table, 0, self._next * self._terrain.columns + self.column, out=self.origins)
        self.settle()

    def state_dict(self, rows: slice) -> dict[str, Any]:
        """Levels and columns of some environments."""
        return {"terrain_level": self.level[rows].clone(), "terrain_column": self.column[rows].clone()}

    def load_state_dict(self, saved: dict[str, Any], rows: slice) -> None:
        """Restores ``state_dict``; a state that knows of no levels leaves them as they are."""
        if "terrain_level" in saved:
            level, column = self.level.clone(), self.column.clone()
            level[rows] = saved["terrain_level"].to(level)
            column[rows] = saved["terrain_column"].to(column)
            self.place(level.clamp(max=self._terrain.rows - 1), column.clamp(max=self._terrain.columns - 1))


def levels_of(engine: Engine, step: Step, block: RandomBlock) -> TerrainLevels:
    """The levels of the engine's ground."""
    terrain = engine.settings.terrain
    return TerrainLevels(engine) if terrain is None else GridLevels(terrain, engine, step, block)


def distance_walked(done: torch.Tensor, step: Step, half_cell: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(num_envs,) bool each: who goes up a level and who goes down one, of the environments that are ``done``.

    Up: ended more than half a cell from the origin. Down: ended less than half as far away as the velocity command
    asked for over a whole episode, and not up. Rudin et al. 2022, "Learning to Walk in Minutes Using Massively
    Parallel Deep Reinforcement Learning", section 3.1. Without a velocity command, who fails goes down.
    """
    distance = step.root_pos_e[:, :2].norm(dim=-1)
    up = done & (distance > half_cell)
    velocity = step.commands.get("velocity")
    if velocity is None:
        return up, step.failed & done & ~up
    asked = velocity[:, :2].norm(dim=-1) * (0.5 * step.dt * step.max_episode_length)
    return up, done & (distance < asked) & ~up
