"""Several robots in one scene: a row per robot within, a scene per environment to whoever learns."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import batched

import torch

from humanoid_rl_ext.env.statistics import Episode
from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec, Observations, Transition
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.task.team import TeamSection


class TeamEnv(VecEnv):
    """A VecEnv whose robots share scenes, ``team.size`` rows of the engine each.

    What is the robots' (``view``, ``engine``, ``num_envs``, ``reserved``, statistics) has a row for each of them, scene
    by scene. What goes to a learner and comes from it has a row for each scene, with the robots' columns side by side.
    A scene's episode ends for all of its robots with the first one's.
    """

    def __init__(self, task: Task, engine: Engine, seed: int | None = None, reserved: int = 0) -> None:
        """``reserved`` counts scenes. Raises TaskError when a term does not fit the robot."""
        assert task.team is not None and engine.settings.team_size == task.team.size
        self.team = task.team
        super().__init__(task, engine, seed, reserved * task.team.size)
        self.spec = team_spec(self.spec, task.team)
        self.reserved_actions = self._side_by_side(self._reserved_rows)

    def begin_step(self, actions: torch.Tensor) -> None:
        """First half of ``step``: actions (scenes, size * actions), or choices (scenes, size), act."""
        discrete = self.spec.action.kind == "discrete"
        super().begin_step(actions.reshape(-1) if discrete else actions.reshape(-1, len(self._actions.names)))

    def end_step(self) -> Transition:
        """Second half of ``step``."""
        moved = super().end_step()
        moved.terminated, moved.truncated = (flags[:: self.team.size] for flags in (moved.terminated, moved.truncated))
        reward = moved.reward.view(-1, self.team.size)
        moved.reward = reward if self.team.rewards == "own" else reward.mean(-1)
        return moved

    def episode_metrics(self) -> dict[str, float]:
        """Means over the scenes' episodes that ended since the last call."""
        return self._per_scene(super().episode_metrics())

    def finished(self) -> list[Episode]:
        """Scene, mean return of its robots, length and success of each episode that ended in the last step."""
        return self._scenes(super().finished())

    def reserved_observations(self) -> Observations:
        """What the reserved scenes see now."""
        return {group: self._side_by_side(rows) for group, rows in super().reserved_observations().items()}

    def reserved_metrics(self) -> dict[str, float]:
        """``episode_metrics`` of the reserved scenes."""
        return self._per_scene(super().reserved_metrics())

    def reserved_finished(self) -> list[Episode]:
        """``finished`` of the reserved scenes, counted from zero."""
        return self._scenes(super().reserved_finished())

    def _together(self, *ended: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """A scene ends as soon as one robot does; it succeeds where one succeeds and none fails."""
        flags = torch.stack((*ended, self.view.failed)).unflatten(1, (-1, self.team.size)).any(-1)
        terminated, truncated, success, failed = flags
        scenes = torch.stack((terminated, truncated > terminated, success > failed))
        return scenes.unsqueeze(-1).expand(-1, -1, self.team.size).flatten(1).unbind()

    def _of_learning(self, seen: Observations) -> Observations:
        return {group: self._side_by_side(rows) for group, rows in super()._of_learning(seen).items()}

    def _side_by_side(self, rows: torch.Tensor) -> torch.Tensor:
        """(scenes, size * k) of robots' rows (num_envs, k); a view where they lie one after another."""
        return rows.reshape(len(rows) // self.team.size, self.team.size * math.prod(rows.shape[1:]))

    def _scenes(self, robots: list[Episode]) -> list[Episode]:
        size = self.team.size
        return [
            (first[0] // size, sum(robot[1] for robot in (first, *mates)) / size, first[2], first[3])
            for first, *mates in batched(robots, size)
        ]

    def _per_scene(self, metrics: dict[str, float]) -> dict[str, float]:
        return metrics | {"episodes": metrics["episodes"] / self.team.size}


def team_spec(robot: EnvSpec, team: TeamSection) -> EnvSpec:
    """What a learner sees of scenes whose robots are each as ``robot`` says."""

    def side_by_side(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{agent}.{name}" for agent in team.agents for name in names)

    action, seen = robot.action, robot.observations["policy"]
    if action.kind == "box":
        bounds = action.low * team.size, action.high * team.size
        together = ActionSpec("box", team.size * action.size, side_by_side(action.names), *bounds)
    else:
        together = ActionSpec("discrete", action.size)
    agents = []
    for place, name in enumerate(team.agents):
        own = range(place * seen, (place + 1) * seen)
        observes = tuple(own if team.observes == "own" else range(team.size * seen))
        acts = range(place * action.size, (place + 1) * action.size) if action.kind == "box" else ()
        agents.append(AgentSpec(name, observes, action, tuple(acts)))
    return replace(
        robot,
        num_envs=robot.num_envs // team.size,
        observations={group: team.size * size for group, size in robot.observations.items()},
        observation_names={group: side_by_side(names) for group, names in (robot.observation_names or {}).items()},
        action=together,
        agents=tuple(agents),
        reward_per_agent=team.rewards == "own",
        symmetry=None,
    )
