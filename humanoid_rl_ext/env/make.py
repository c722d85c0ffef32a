"""Environments from what a user names: a Task on an engine, or any Gymnasium id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch

from humanoid_rl_ext.env.actions import ActionMap
from humanoid_rl_ext.env.randomised import contacts_vary
from humanoid_rl_ext.env.transition import EnvSpec, Observations, Transition
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.engine import Engine, NewtonSettings, SceneSettings
from humanoid_rl_ext.sim.engines import make_engine
from humanoid_rl_ext.sim.terrain import build_terrain
from humanoid_rl_ext.task.schema import Task

if TYPE_CHECKING:
    from humanoid_rl_ext.env.vec_env import VecEnv

GYM_PREFIX, PZ_PREFIX = "gym:", "pz:"


class Env(Protocol):
    """What a training session needs of an environment."""

    spec: EnvSpec

    @property
    def task_name(self) -> str: ...
    @property
    def engine_name(self) -> str: ...
    def reset(self) -> Observations: ...
    def observations(self) -> Observations: ...
    def step(self, actions: torch.Tensor) -> Transition: ...
    def episode_metrics(self) -> dict[str, float]: ...
    def finished(self) -> list[tuple[int, float, int, bool]]: ...
    def edit(self, path: str, value: Any) -> None: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, saved: dict[str, Any]) -> None: ...
    def close(self) -> None: ...


def make_env(
    task: Task | str,
    *,
    num_envs: int,
    device: str = "cpu",
    engine: str | Engine = "ovphysx",
    seed: int | None = None,
    reserved: int = 0,
) -> Env:
    """The environment of a Task, ``gym:ID`` or ``pz:ID``, with ``num_envs`` copies and ``reserved`` more (see VecEnv).

    ``engine`` is an engine's name, or the engine itself with all copies of the Task's robot.

    Raises:
        BadInputError: for reserved copies of a Gymnasium or PettingZoo environment.
        HumanoidRLError: when the robot, the engine or the device cannot be had, or a term does not fit the robot.
    """
    leave_cores_to_physics()
    if isinstance(task, str):
        if reserved:
            raise BadInputError(f"{task} cannot be watched while it trains: it is not simulated by an engine of ours")
        seed = 1 if seed is None else seed
        if task.startswith(PZ_PREFIX):
            from humanoid_rl_ext.env.pettingzoo_in import PettingZooEnv

            return PettingZooEnv(task.removeprefix(PZ_PREFIX), num_envs, device, seed)
        from humanoid_rl_ext.env.gymnasium_in import GymnasiumEnv

        return GymnasiumEnv(task.removeprefix(GYM_PREFIX), num_envs, device, seed)
    if isinstance(engine, str):
        robot = task_robot(task)
        ActionMap(task.control, robot, 1, torch.device("cpu"), task.agents)  # what does not fit costs no scene
        engine = make_engine(engine, robot, scene_settings(task, num_envs + reserved, device))
    try:
        return env_on(engine, task, seed, reserved)
    except Exception:
        engine.close()
        raise


def env_on(engine: Engine, task: Task, seed: int | None = None, reserved: int = 0) -> VecEnv:
    """The environment of a Task on an engine that was built for it; see VecEnv, and TeamEnv where there are teams."""
    from humanoid_rl_ext.env.team import TeamEnv
    from humanoid_rl_ext.env.vec_env import VecEnv

    return (VecEnv if task.team is None else TeamEnv)(task, engine, seed, reserved)


def leave_cores_to_physics() -> None:
    """Keeps torch to one thread in this process.

    Batches of this size gain nothing from more: a PPO update takes 1.4 times as long with two threads on two cores, and
    every operation waits for its slowest thread. It also makes results independent of the number of cores.
    """
    torch.set_num_threads(1)


def task_robot(task: Task) -> RobotDescription:
    """The description of a Task's robot with the Task's overrides applied."""
    return load_robot(task.robot.source, task.robot.overrides)


def scene_settings(task: Task, num_envs: int, device: str) -> SceneSettings:
    """What an engine has to build for a Task in ``num_envs`` scenes."""
    scene, sim = task.scene, task.sim
    return SceneSettings(
        num_envs=num_envs * task.team_size,
        device=device,
        dt=sim.dt,
        gravity=sim.gravity,
        spacing=scene.spacing,
        terrain=build_terrain(scene.terrain),
        static_friction=scene.static_friction,
        dynamic_friction=scene.dynamic_friction,
        restitution=scene.restitution,
        contact_of="robot" if contacts_vary(task) else "both",
        self_collision=sim.self_collision,
        position_iterations=sim.ovphysx.position_iterations,
        velocity_iterations=sim.ovphysx.velocity_iterations,
        newton=NewtonSettings(**sim.newton.model_dump()),
        team_size=task.team_size,
        team_spacing=0.0 if task.team is None else task.team.spacing,
    )
