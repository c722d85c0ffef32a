"""Isaac Lab and rsl_rl, started and stepped as their own training script does."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

import torch
import warp as wp
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, handle_deprecated_rsl_rl_cfg
from rsl_rl.runners import OnPolicyRunner

from benchmarks.vs_isaaclab.peer_task import env_cfg, runner_cfg
from benchmarks.vs_isaaclab.policy_file import load_policy
from benchmarks.vs_isaaclab.shared import Side, shared_task
from humanoid_rl_ext.env.make import task_robot


class IsaacLab:
    """A started Isaac Lab; see ``shared.Bench``."""

    def __init__(self, side: Side, num_envs: int, device: str, seed: int) -> None:
        if not torch.cuda.is_available():
            wp.init()
            cpu: Any = wp.get_device("cpu")  # its ovphysx side asks for page-locked memory, which needs CUDA
            cpu.pinned_allocator = cpu.default_allocator
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        self.task = shared_task([f"seed={seed}"])
        self.description = task_robot(self.task)
        cfg = env_cfg(self.task, self.description, side.engine, num_envs, device)
        if side.warp_frontend:
            if device == "cpu":  # its captured calls do not work there
                os.environ.setdefault("MANAGER_CALL_CONFIG", '{"default": 1}')
            from isaaclab_experimental.envs import ManagerBasedRLEnvWarp

            from benchmarks.vs_isaaclab.warp_terms import bad_orientation

            cfg.terminations.fall_by_tilt.func = bad_orientation
            self.env = ManagerBasedRLEnvWarp(cfg=cfg)
        else:
            self.env = ManagerBasedRLEnv(cfg=cfg)
        self.wrapped = RslRlVecEnvWrapper(self.env)
        self.robot, self.contacts = self.env.scene["robot"], self.env.scene.sensors["contact_forces"]
        self.num_envs, self.device, self.joints = num_envs, device, self.robot.num_joints
        self._start_learning(seed)

    def _start_learning(self, seed: int) -> None:
        torch.manual_seed(seed)
        cfg = handle_deprecated_rsl_rl_cfg(runner_cfg(seed, self.device), version("rsl-rl-lib"))
        self.runner = OnPolicyRunner(self.wrapped, cfg.to_dict(), None, self.device)

    def first_step(self) -> None:
        with torch.inference_mode():
            self.wrapped.step(self.runner.alg.act(self.wrapped.get_observations().to(self.device)))

    def restart(self) -> None:
        with torch.inference_mode():
            self.env.reset()

    def step_physics(self, targets: torch.Tensor) -> None:
        env = self.env
        steps = 1 if env.sim.physics_manager.handles_decimation() else self.task.sim.decimation
        with torch.inference_mode():
            for target in targets:
                self.robot.set_joint_position_target_index(target=target)
                for _ in range(steps):
                    env.scene.write_data_to_sim()
                    env.sim.step(render=False)
                self.contacts.update(env.step_dt, force_recompute=True)
        self.robot.update(env.step_dt)

    def step_env(self, actions: torch.Tensor) -> None:
        with torch.inference_mode():
            for action in actions:
                self.env.step(action)

    def learn(self, iterations: int) -> None:
        self.runner.learn(iterations)

    def finite(self) -> bool:
        data = self.robot.data
        state = (self.wrapped.get_observations()["policy"], data.root_pos_w.torch, data.joint_vel.torch)
        return all(bool(values.isfinite().all()) for values in state)

    def stand(self, steps: int) -> dict[str, list[float]]:
        reset_joints = self.env.event_manager.get_term_cfg("reset_joints").params
        before = reset_joints["position_range"]
        reset_joints["position_range"] = (0.0, 0.0)
        series: dict[str, list[float]] = {}
        with torch.inference_mode():
            self.env.reset()
            for _ in range(steps):
                self.env.step(torch.zeros(self.num_envs, self.joints, device=self.device))
                for key, value in self._standing().items():
                    series.setdefault(key, []).append(value)
        reset_joints["position_range"] = before
        return series

    def _standing(self) -> dict[str, float]:
        data, feet = self.robot.data, self.description.with_role("foot")
        on_sensor = self.contacts.find_sensors(feet)[0]
        on_robot = self.robot.find_bodies(feet)[0]
        force = self.contacts.data.net_normal_forces_w.torch[..., 2]
        mass = data.body_mass.torch.to(self.device)
        velocity = (data.body_com_lin_vel_w.torch[..., 2] * mass).sum(1) / mass.sum(1)
        return {
            "force": force.sum(1).mean().item(),
            "feet_force": force[:, on_sensor].sum(1).mean().item(),
            "height": data.root_pos_w.torch[:, 2].mean().item(),
            "feet_height": data.body_pos_w.torch[:, on_robot, 2].mean().item(),
            "velocity": velocity.mean().item(),
        }

    def train(self, seed: int, iterations: int, save: str | None) -> None:
        if save is not None:
            raise ValueError("rsl_rl's policies are not stored: train ours to compare settings")
        self.env.seed(seed)
        self.restart()
        self._start_learning(seed)
        self.runner.learn(iterations)

    def evaluate(self, policy: str | None) -> dict[str, float]:
        if policy is None:
            act = self.runner.get_inference_policy(self.device)
        else:
            stored = load_policy(policy, self.robot.joint_names, self.device)

            def act(obs: Any) -> torch.Tensor:
                return stored(obs["policy"])

        totals = torch.zeros(self.num_envs, device=self.device)
        lengths, playing = torch.zeros_like(totals), torch.ones_like(totals, dtype=torch.bool)
        with torch.inference_mode():
            self.restart()
            obs = self.wrapped.get_observations()
            for _ in range(self.task.max_episode_length):
                obs, reward, done, _ = self.wrapped.step(act(obs))
                totals += torch.where(playing, reward, 0.0)
                lengths += playing
                playing &= done == 0
        return {"return": totals.mean().item(), "length": lengths.mean().item()}
