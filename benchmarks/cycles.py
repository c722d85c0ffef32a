"""Whether the Studio gives back what it takes: memory over many cycles of load, train, stop, beside the bare engine.

    ./hrl python benchmarks/cycles.py [--cycles 200] [--json]

Each side runs in a process of its own. The growth is the slope of a straight line through the resident memory after
each cycle, the first 20 left out.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TASKS = ("humanoid_walk", "walker_run", "cartpole_balance")
NUM_ENVS, STEPS, WARM_UP = 16, 4, 20
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_mb() -> float:
    """Resident memory of this process (MB)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6


def bare_engine(cycles: int) -> list[float]:
    """Resident memory after each cycle of making an engine, stepping it and closing it."""
    from humanoid_rl_ext.env.make import leave_cores_to_physics, scene_settings, task_robot
    from humanoid_rl_ext.sim.engines import make_engine
    from humanoid_rl_ext.task.loading import load_task

    leave_cores_to_physics()
    memory = []
    for cycle in range(cycles):
        task = load_task(TASKS[cycle % len(TASKS)])
        engine = make_engine("ovphysx", task_robot(task), scene_settings(task, NUM_ENVS + 1, "cpu"))
        for _ in range(STEPS):
            engine.step(task.sim.decimation)
        engine.close()
        memory.append(resident_mb())
    return memory


def studio(cycles: int) -> list[float]:
    """Resident memory after each cycle of loading a task in the Studio, training a few steps, and stopping."""
    os.environ.update(OMNIUI_HEADLESS="1", OMNIUI_BACKEND="vulkan")
    from humanoid_rl_ext.hosts.studio import Studio
    from humanoid_rl_ext.ui.draft import Draft

    window = Studio(Draft.load(TASKS[0]), size=(1280, 720))
    bench, memory = window.workbench, []

    def until(condition, what: str) -> None:
        end = time.perf_counter() + 60.0
        while not condition():
            if time.perf_counter() > end:
                raise TimeoutError(f"{what}: {bench.message.text}")
            window.work()
            window.draw()

    for cycle in range(cycles):
        bench.load_task(TASKS[cycle % len(TASKS)])
        bench.edit("run.num_envs", NUM_ENVS)
        until(lambda: not bench.background.busy, "the robot was not read")
        bench.start()
        until(lambda: bench.session is not None and bench.session.env_steps >= STEPS * NUM_ENVS, "no training")
        bench.stop()
        until(lambda: bench.state == "idle", "the run did not stop")
        memory.append(resident_mb())
    window.close()
    return memory


def growth(memory: list[float]) -> float:
    """MB per cycle after the warm-up."""
    settled = memory[WARM_UP:]
    return float(np.polyfit(np.arange(len(settled)), settled, 1)[0])


def measured(side: str, cycles: int) -> list[float]:
    """One side's memory, from a process of its own with a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, __file__, "--side", side, "--cycles", str(cycles)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "HUMANOID_RL_HOME": home}
        )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", choices=["bare", "studio"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps((bare_engine if arguments.side == "bare" else studio)(arguments.cycles)))
        return
    result = {side: growth(measured(side, arguments.cycles)) for side in ("bare", "studio")}
    result["difference"] = result["studio"] - result["bare"]
    if arguments.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name:<12}{value:8.3f} MB per cycle" for name, value in result.items()))


if __name__ == "__main__":
    main()
