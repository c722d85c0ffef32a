"""A run in small, for what it tells about memory."""

from __future__ import annotations

import gc
from dataclasses import dataclass

import torch

from humanoid_rl_ext.env.bench import bench_env
from humanoid_rl_ext.sim.device import used_memory
from humanoid_rl_ext.sim.recording import EAGER_CALLS
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.train.config import RunConfig
from humanoid_rl_ext.train.memory import most_memory_mb
from humanoid_rl_ext.train.start import assemble


@dataclass(frozen=True, slots=True)
class Seen:
    """What sizes of a run needed (bytes), each at its most, beyond a process that has only opened the device."""

    gpu: tuple[float, ...]
    host: tuple[float, ...]
    free_gpu: float


def rehearse(task: Task, engine: str, device: str, config: RunConfig | None, sizes: tuple[int, ...]) -> Seen:
    """Works at each of some rising numbers of environments until every graph is recorded; for a fresh process.

    What the allocators keep of one size serves the next, so that each is seen as if it were alone.

    Raises:
        RuntimeError, EngineError, MemoryError: when a size does not fit.
    """
    on_gpu = device != "cpu"
    if on_gpu:
        torch.zeros(1, device=device)  # CUDA's own part is there whatever runs
    gpu_before, host_before = used_memory(device), _most_host_memory()
    free = float(torch.cuda.mem_get_info(device)[0]) if on_gpu else float("inf")
    gpu, host = [], []
    for num_envs in sizes:
        most = _train(task, engine, device, config, num_envs) if config else _bench(task, engine, device, num_envs)
        gpu.append(most - gpu_before)
        host.append(_most_host_memory() - host_before)
        gc.collect()
        if on_gpu:
            torch.cuda.empty_cache()
    return Seen(tuple(gpu), tuple(host), free)


def _train(task: Task, engine: str, device: str, config: RunConfig, num_envs: int) -> float:
    """Most memory in use on the device during the first iterations, those that record included (bytes)."""
    run = config.run.model_copy(update={"engine": engine, "device": device})
    env, learner = assemble(task, config.model_copy(update={"run": run}), device, num_envs)
    most = 0.0
    try:
        obs = env.reset()
        while learner.iteration <= EAGER_CALLS:
            transition = env.step(learner.act(obs))
            learner.observe(transition)
            obs = transition.obs
            most = max(most, used_memory(device))
            for _ in learner.update():
                most = max(most, used_memory(device))
        return most
    finally:
        env.close()


def _bench(task: Task, engine: str, device: str, num_envs: int) -> float:
    return 1e6 * (bench_env(task, engine=engine, num_envs=num_envs, device=device, rounds=1)["gpu_memory_mb"] or 0.0)


def _most_host_memory() -> float:
    return 2**20 * (most_memory_mb() or 0.0)
