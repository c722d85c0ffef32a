"""How much of physics' own speed the environment keeps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from humanoid_rl_ext.env.actions import random_actions
from humanoid_rl_ext.env.make import env_on, leave_cores_to_physics, scene_settings, task_robot
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim.device import used_memory
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.sim.engines import make_engine
from humanoid_rl_ext.task.schema import Task


class _Recorder:
    """Stands between environment and engine and notes the targets and resets of each control step."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.steps: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def set_targets(self, mode: str, targets: torch.Tensor) -> None:
        self.steps.append({"mode": mode, "targets": targets.clone(), "resets": []})
        self._engine.set_targets(mode, targets)  # type: ignore[arg-type]

    def reset(self, *arguments: torch.Tensor, bodies: bool = True) -> None:
        if self.steps:
            self.steps[-1]["resets"].append(([argument.clone() for argument in arguments], bodies))
        self._engine.reset(*arguments, bodies=bodies)


def bench_env(
    task: Task, *, engine: str, num_envs: int, device: str, steps: int = 120, rounds: int = 5
) -> dict[str, Any]:
    """Environment steps per second of physics alone and of the whole environment, and their ratio.

    Random actions are stepped once and recorded. Then ``rounds`` times, interleaved: the same targets and resets
    replayed on the engine alone, with contacts read, and the environment stepped with the same actions.
    Medians over the rounds; the ratio is the median of the rounds' ratios. ``gpu_memory_mb`` is what the GPU's driver
    sees in use at the end, by this process and any other; None on the CPU.
    """
    leave_cores_to_physics()
    recorder = _Recorder(make_engine(engine, task_robot(task), scene_settings(task, num_envs, device)))
    env = env_on(recorder, task)  # type: ignore[arg-type]
    try:
        actions = random_actions(env.spec, steps, env.device)
        env.reset()
        start = env.state_dict()
        run_env(env, actions)
        recorded, decimation = recorder.steps, task.sim.decimation
        plain: Engine = recorder._engine
        alone, whole = [], []
        env.engine = plain
        advance = plain.record(decimation) or (lambda: plain.step(decimation))
        for _ in range(rounds):
            env.load_state_dict(start)
            alone.append(timed(env, lambda: _replay(plain, recorded, advance)))
            env.load_state_dict(start)
            whole.append(timed(env, lambda: run_env(env, actions)))
        per_run = steps * num_envs
        return {
            "task": task.name,
            "engine": engine,
            "device": device,
            "num_envs": num_envs,
            "physics_only": per_run / statistics.median(alone),
            "env": per_run / statistics.median(whole),
            "ratio": statistics.median(a / w for a, w in zip(alone, whole, strict=True)),
            "gpu_memory_mb": used_memory(device) / 1e6 or None,
        }
    finally:
        env.close()


def run_env(env: VecEnv, actions: torch.Tensor) -> None:
    """One step for each of (steps, num_envs, actions) actions."""
    for action in actions:
        env.step(action)


def _replay(engine: Engine, recorded: list[dict[str, Any]], advance: Callable[[], None]) -> None:
    for step in recorded:
        engine.set_targets(step["mode"], step["targets"])
        advance()
        engine.read_contacts()
        for arguments, bodies in step["resets"]:
            engine.reset(*arguments, bodies=bodies)


def timed(env: VecEnv, work: Callable[[], None]) -> float:
    """Seconds that some work takes, a GPU's share included."""
    if env.device.type == "cuda":
        torch.cuda.synchronize(env.device)
    start = time.perf_counter()
    work()
    if env.device.type == "cuda":
        torch.cuda.synchronize(env.device)
    return time.perf_counter() - start
