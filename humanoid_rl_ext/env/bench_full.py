"""What randomisation, a height scan and a history of observations add to a step of the environment."""

from __future__ import annotations

import multiprocessing
import statistics
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from typing import Any

import torch

from humanoid_rl_ext.env.actions import random_actions
from humanoid_rl_ext.env.bench import run_env, timed
from humanoid_rl_ext.env.make import leave_cores_to_physics, make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.task.loading import edited, edited_in_turn
from humanoid_rl_ext.task.randomisation_presets import EXACT, with_randomisation
from humanoid_rl_ext.task.schema import Task

PRESET = "common"
HISTORY = 4

_measured: tuple[VecEnv, torch.Tensor]
"""The environment of this process and its actions (steps, num_envs, actions)."""


def variants(task: Task) -> dict[str, Task]:
    """The Task without any of it, and with all: 187 points of height, the last four of whatever is measured."""
    seen = task.observations["policy"]
    plain = task
    for name in [name for name, section in seen.items() if section.spec.name == "height_scan"]:
        plain = edited(plain, f"observations.policy.{name}", None)
    full = with_randomisation(plain, PRESET)
    measured = [name for name, section in plain.observations["policy"].items() if section.spec.name not in EXACT]
    full = edited_in_turn(full, [(f"observations.policy.{name}.history", HISTORY) for name in measured])
    return {"plain": plain, "full": edited(full, "observations.policy.height_scan", {})}


def bench_full(
    task: Task, *, engine: str, num_envs: int, device: str, steps: int = 40, rounds: int = 3
) -> dict[str, Any]:
    """Environment steps per second with and without all of it, and the share that it adds to a step.

    Each in a process of its own, measured in turn with the same random actions; medians over the rounds.
    """
    rates: dict[str, list[float]] = {"plain": [], "full": []}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))) for name in rates
        }
        for name, variant in variants(task).items():
            started: Future[None] = processes[name].submit(_start, variant, engine, num_envs, device, steps)
            started.result()
        for _ in range(rounds):
            for name, process in processes.items():
                rates[name].append(process.submit(_rate).result())
    return {
        "task": task.name,
        "engine": engine,
        "device": device,
        "num_envs": num_envs,
        "plain": statistics.median(rates["plain"]),
        "full": statistics.median(rates["full"]),
        "added": statistics.median(p / f for p, f in zip(rates["plain"], rates["full"], strict=True)) - 1.0,
    }


def _start(task: Task, engine: str, num_envs: int, device: str, steps: int) -> None:
    global _measured
    leave_cores_to_physics()
    env = make_env(task, engine=engine, num_envs=num_envs, device=device)
    assert isinstance(env, VecEnv)
    actions = random_actions(env.spec, steps, env.device)
    _measured = env, actions
    env.reset()
    _rate()


def _rate() -> float:
    env, actions = _measured
    return len(actions) * env.num_envs / timed(env, lambda: run_env(env, actions))
