"""Wall clock per gradient step of SAC and TD3, ours beside CleanRL's way, Stable-Baselines3 and skrl, in one process.

    python benchmarks/learner_speed.py [--device cpu|cuda] [--rounds 30] [--steps 20] [--json]

All sides have the same sizes (observation 17, action 6, batch 256, hidden 256 x 256), draw their batches from a full
replay of 20,000 transitions, and take turns; the ratio is the median over rounds of a peer's time by ours, so that what
else the machine does meanwhile strikes all alike. On the CPU once with one thread and once with all.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import os
import platform
import statistics
import sys
import time
from importlib.metadata import version

import torch
from learner_peers import Sizes, Step, peers

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.learn import LEARNERS, make_learner
from humanoid_rl_ext.sim.memory import keep_freed_memory

WARM_UP = 10
"""Gradient steps of each side before the clock starts: libraries settle, graphs are recorded."""


def ours(name: str, sizes: Sizes, device: torch.device) -> Step:
    """One gradient step of our learner from a full replay."""
    num_envs = 1000
    spec = EnvSpec(num_envs, {"policy": sizes.obs}, ActionSpec("box", sizes.actions), 1000)
    changes = {"actor_hidden": [sizes.hidden] * 2, "critic_hidden": [sizes.hidden] * 2, "batch_size": sizes.batch}
    settings = LEARNERS[name].settings(buffer_size=sizes.transitions, **changes)
    learner = make_learner(name, spec, settings, device, seed=1)
    never = torch.zeros(num_envs, dtype=torch.bool, device=device)
    for _ in range(sizes.transitions // num_envs):
        obs = {"policy": torch.rand(num_envs, sizes.obs, device=device) * 2 - 1}
        learner.act(obs)
        learner.observe(Transition(obs, torch.rand(num_envs, device=device), never, never, obs))
    return learner.gradient_step  # type: ignore[attr-defined, no-any-return]


def timed(step: Step, steps: int, device: torch.device) -> float:
    """Seconds per gradient step over some of them, the device's work included."""
    started = time.perf_counter()
    for _ in range(steps):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / steps


def compared(name: str, device: torch.device, rounds: int, steps: int) -> dict[str, dict[str, float]]:
    """By side: the median time of a gradient step (ms), and by how much it is longer than ours (ratio)."""
    sizes = Sizes()
    sides = {"ours": ours(name, sizes, device), **peers(name, sizes, device)}
    for step in sides.values():
        timed(step, WARM_UP, device)
    times: dict[str, list[float]] = {side: [] for side in sides}
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for side, step in sides.items():
            times[side].append(timed(step, steps, device))
    gc.enable()
    return {
        side: {
            "ms": 1e3 * statistics.median(taken),
            "best_ms": 1e3 * min(taken),
            "ratio": statistics.median(its / own for its, own in zip(taken, times["ours"], strict=True)),
        }
        for side, taken in times.items()
    }


def main() -> None:
    """Times every algorithm and prints a table, or one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--rounds", type=int, default=30, help="turns that every side takes")
    parser.add_argument("--steps", type=int, default=20, help="gradient steps per turn (even: policies may be delayed)")
    parser.add_argument("--algorithms", nargs="+", default=["sac", "td3"], choices=["sac", "td3"])
    parser.add_argument("--threads", nargs="+", type=int, help="CPU threads to try; default: one, and all there are")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.set_float32_matmul_precision("high")  # as training does: TF32 on a GPU, and on the CPU
    if device.type == "cpu":
        keep_freed_memory()
    counts = [1] if device.type == "cuda" else sorted({1, os.cpu_count() or 1})
    results = []
    for threads in options.threads or counts:
        torch.set_num_threads(threads)
        for name in options.algorithms:
            figures = compared(name, device, options.rounds, options.steps)
            results.append({"algorithm": name, "threads": threads, "sides": figures})
            for side, figure in figures.items():
                print(
                    f"{name} {threads} thread(s) {side:>18}: {figure['ms']:7.3f} ms per gradient step "
                    f"(best {figure['best_ms']:.3f}), {figure['ratio']:.2f} x ours",
                    file=sys.stderr if options.json else sys.stdout,
                    flush=True,
                )
    if options.json:
        machine = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or platform.machine()
        about = {"device": machine, "torch": version("torch"), "date": datetime.date.today().isoformat()}
        print(json.dumps({**about, "results": results}))


if __name__ == "__main__":
    main()
