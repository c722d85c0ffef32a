"""Humanoid RL, started and stepped as ``./hrl train`` does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch

from benchmarks.vs_isaaclab.policy_file import load_policy, save_policy
from benchmarks.vs_isaaclab.shared import PPO, TASK, Side, physics_overrides, robot_usd
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.learn import make_learner
from humanoid_rl_ext.train.evaluate import EpisodeCount
from humanoid_rl_ext.train.run_folder import RunFolder
from humanoid_rl_ext.train.session import Session
from humanoid_rl_ext.train.start import open_session, plan_run


class Ours:
    """A started session of ours; see ``shared.Bench``."""

    def __init__(self, side: Side, num_envs: int, device: str, seed: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="humanoid_rl_")
        settings = [f"learner.{name}={value}" for name, value in PPO.items()]
        settings.append(f"learner.mixed_precision={side.mixed_precision}".lower())
        plan = plan_run(
            str(TASK),
            [f"robot.source={robot_usd()}", *physics_overrides(side), *settings, "run.save_interval=1000000"],
            run=self._run_folder("bench"),
            num_envs=num_envs,
            env_steps=10**13,
            device=device,
            engine=side.engine,
            seed=seed,
        )
        self.session = open_session(plan)
        assert isinstance(self.session.env, VecEnv)
        self.env, self.plan = self.session.env, plan
        self.num_envs, self.device, self.joints = num_envs, device, self.env.spec.action.size

    def _run_folder(self, name: str) -> Path:
        return Path(self._folder.name) / name

    def first_step(self) -> None:
        self.session.step_once()

    def restart(self) -> None:
        self.env.reset()

    def step_physics(self, targets: torch.Tensor) -> None:
        engine = self.env.engine
        with torch.no_grad():
            for target in targets:
                engine.set_targets("position", target)
                self._advance()
                engine.read_contacts()

    @cached_property
    def _advance(self) -> Callable[[], None]:
        engine, decimation = self.env.engine, self.env.task.sim.decimation
        return engine.record(decimation) or (lambda: engine.step(decimation))

    def step_env(self, actions: torch.Tensor) -> None:
        with torch.no_grad():
            for action in actions:
                self.env.step(action)

    def learn(self, iterations: int) -> None:
        last = self.session.iteration + iterations

        def hold(_: object) -> None:
            if self.session.iteration >= last:
                self.session.pause()

        self.session.on_metrics.append(hold)
        self.session.run()
        self.session.on_metrics.remove(hold)
        self.session.resume()

    def finite(self) -> bool:
        state = self.env.engine.state
        values = (self.env.observations()["policy"], state.root_pose, state.joint_vel)
        return all(bool(value.isfinite().all()) for value in values) and self.session.non_finite == 0

    def stand(self, steps: int) -> dict[str, list[float]]:
        env, series = self.env, dict[str, list[float]]()
        path = "randomisation.initial_joint_pos.params.offset"
        before = env.task.randomisation["initial_joint_pos"].params["offset"]
        env.edit(path, [0.0, 0.0])
        with torch.no_grad():
            env.reset()
            for _ in range(steps):
                env.step(torch.zeros(self.num_envs, self.joints, device=env.device))
                for key, value in self._standing().items():
                    series.setdefault(key, []).append(value)
        env.edit(path, list(before))
        return series

    def _standing(self) -> dict[str, float]:
        state, robot = self.env.engine.state, self.env.engine.robot
        feet = [robot.body_names.index(name) for name in robot.with_role("foot")]
        mass = torch.tensor([body.mass for body in robot.bodies], device=self.env.device)
        force = self.env.engine.read_contacts()[..., 2]
        velocity = (state.body_velocity[..., 2] * mass).sum(1) / mass.sum()
        return {
            "force": force.sum(1).mean().item(),
            "feet_force": force[:, feet].sum(1).mean().item(),
            "height": state.root_pose[:, 2].mean().item(),
            "feet_height": state.body_pose[:, feet, 2].mean().item(),
            "velocity": velocity.mean().item(),
        }

    def train(self, seed: int, iterations: int, save: str | None) -> None:
        config = self.plan.config
        self.env.seed(seed)
        torch.manual_seed(seed)
        learner = make_learner(config.algorithm, self.env.spec, config.settings, self.session.device, seed, None)
        folder = RunFolder.create(self._run_folder(f"seed_{seed}"), self.plan.task, config, self.device)
        self.session = Session(self.env, learner, self.plan.task, config, folder)
        self.learn(iterations)
        if save is not None:
            save_policy(save, learner, self.env.spec, config.settings, self.env.spec.action.names)

    def evaluate(self, policy: str | None) -> dict[str, float]:
        env, learner = self.env, self.session.learner
        stored = load_policy(policy, env.spec.action.names, self.session.device) if policy else None
        count = EpisodeCount(self.num_envs, self.num_envs)
        with torch.no_grad():
            obs = env.reset()
            env.episode_metrics()
            while not count.complete:
                actions = stored(obs["policy"]) if stored else learner.act_deterministic(obs)
                obs = env.step(actions).obs
                count.add(env.finished(), env.episode_metrics)
        result = count.result()
        return {"return": result.mean_return, "length": result.mean_episode_length, **result.metrics}
