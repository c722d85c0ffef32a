"""Sides in processes of their own, all alive at once, measured in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
ANSWER_LIMIT_S = 570.0
"""A side that takes longer over one answer is given up."""
WARM_UP_ITERATIONS = 3

Say = Callable[[str], None]


class SideError(Exception):
    """A side could not start or failed; one line says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one run measures."""

    device: str
    rounds: int = 3
    env_steps: int = 96
    iterations: int = 10
    alone: bool = False
    """Whether each side has the machine's memory to itself, at the price of measuring sides one after the other."""
    logs: Path = Path("vs_isaaclab_logs")


class SideProcess:
    """One started side; what it prints goes to a log file."""

    def __init__(self, name: str, num_envs: int, plan: Plan, seed: int = 1) -> None:
        plan.logs.mkdir(parents=True, exist_ok=True)
        self.name, self.log = name, plan.logs / f"{name}_{num_envs}.log"
        paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._memory_before = gpu_memory_mb(plan.device)
        self.startup = float("nan")
        """Seconds from the launch to the first step of training."""
        options = [f"--envs={num_envs}", f"--device={plan.device}", f"--seed={seed}"]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.vs_isaaclab.worker", name, *options, f"--launched={time.time()}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )

    def wait_until_started(self) -> None:
        """Raises SideError when the side cannot start."""
        self.startup = self._answer()["startup"]

    def ask(self, measure: str, **options: Any) -> dict[str, Any]:
        """The answer to one command of ``worker.Measurements``; raises SideError."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"measure": measure, **options}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise SideError(f"{self.name} has ended; see {self.log}") from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        limit = threading.Timer(ANSWER_LIMIT_S, self._process.kill)
        limit.start()
        line = self._process.stdout.readline()
        limit.cancel()
        if not line:
            raise SideError(f"{self.name} ended without an answer; see {self.log}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SideError(answer["error"])
        return answer

    def memory_mb(self, device: str) -> float | None:
        """GPU memory that has gone since this side was started (MB); None on the CPU."""
        now = gpu_memory_mb(device)
        return None if now is None or self._memory_before is None else now - self._memory_before

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running(name: str, num_envs: int, plan: Plan) -> Iterator[SideProcess]:
    """A started side that is ended afterwards; raises SideError."""
    process = SideProcess(name, num_envs, plan)
    try:
        process.wait_until_started()
        yield process
    finally:
        process.close()


def measure(sides: Sequence[str], num_envs: int, plan: Plan, say: Say) -> list[dict[str, Any]]:
    """One result per side that could be measured; the rounds of all sides are interleaved (unless ``alone``)."""
    if plan.alone:
        return [result for side in sides for result in _measure_together([side], num_envs, plan, say)]
    return _measure_together(sides, num_envs, plan, say)


def _measure_together(sides: Sequence[str], num_envs: int, plan: Plan, say: Say) -> list[dict[str, Any]]:
    found: list[tuple[SideProcess, dict[str, Any]]] = []
    with ExitStack() as stack:
        for name in sides:
            try:
                process = stack.enter_context(running(name, num_envs, plan))
                found.append((process, _warm_up(process, num_envs, plan, say)))
            except SideError as error:
                say(f"{name}, {num_envs} environments: left out: {error}")
        for _ in range(plan.rounds):
            for process, result in list(found):
                try:
                    _measure_once(process, result, plan)
                except SideError as error:
                    say(f"{process.name}, {num_envs} environments: left out: {error}")
                    found.remove((process, result))
    return [result for _, result in found]


def _warm_up(process: SideProcess, num_envs: int, plan: Plan, say: Say) -> dict[str, Any]:
    sanity = process.ask("sanity")
    say(f"{process.name}, {num_envs} environments: started in {process.startup:.1f} s, standing: {sanity}")
    process.ask("physics")
    process.ask("env", steps=8)
    process.ask("ppo", iterations=WARM_UP_ITERATIONS)
    return {
        "side": process.name,
        "num_envs": num_envs,
        "device": plan.device,
        "startup_s": [process.startup],
        "memory_mb": process.memory_mb(plan.device),
        "sanity": sanity,
        "finite": True,
        "physics_s": [],
        "env_s": [],
        "iteration_s": [],
    }


def _measure_once(process: SideProcess, result: dict[str, Any], plan: Plan) -> None:
    result["physics_s"].append(process.ask("physics")["seconds"])
    env = process.ask("env", steps=plan.env_steps)
    result["env_s"].append(env["seconds"])
    result["finite"] = result["finite"] and env["finite"]
    result["iteration_s"].append(process.ask("ppo", iterations=plan.iterations)["seconds"])


def compare_returns(
    sides: Sequence[str], num_envs: int, seeds: Sequence[int], iterations: int, plan: Plan, say: Say
) -> list[dict[str, Any]]:
    """What every side and seed has learnt after so many iterations: mean return of one episode per environment."""
    found = []
    for name in sides:
        try:
            with running(name, num_envs, plan) as process:
                for seed in seeds:
                    answer = process.ask("train", seed=seed, iterations=iterations)
                    found.append({"side": name, "num_envs": num_envs, "seed": seed, "iterations": iterations, **answer})
                    say(f"{name}, seed {seed}: return {answer['return']:.3f} after {answer['seconds']:.0f} s")
        except SideError as error:
            say(f"{name}: left out: {error}")
    return found


def cross(
    engine: str, num_envs: int, seeds: Sequence[int], iterations: int, plan: Plan, say: Say
) -> list[dict[str, Any]]:
    """Policies learnt by ours at our own solver settings: their return there, at the peer's, and in the peer itself."""
    home, others = f"ours-{engine}-default", (f"ours-{engine}", f"isaaclab-{engine}")
    plan.logs.mkdir(parents=True, exist_ok=True)
    files = {seed: str((plan.logs / f"policy_{engine}_{seed}.pt").absolute()) for seed in seeds}
    found = []
    try:
        with running(home, num_envs, plan) as process:
            for seed, file in files.items():
                answer = process.ask("train", seed=seed, iterations=iterations, save=file)
                found.append({"trained": home, "evaluated": home, "seed": seed, "iterations": iterations, **answer})
    except SideError as error:
        say(f"{home}: left out: {error}")
        return found
    for name in others:
        try:
            with running(name, num_envs, plan) as process:
                for seed, file in files.items():
                    answer = process.ask("evaluate", policy=file)
                    found.append({"trained": home, "evaluated": name, "seed": seed, "iterations": iterations, **answer})
        except SideError as error:
            say(f"{name}: left out: {error}")
    return found


def gpu_memory_mb(device: str) -> float | None:
    """Memory of the GPU in use by anybody (MB); None on the CPU."""
    if not device.startswith("cuda"):
        return None
    index = device.partition(":")[2] or "0"
    used = subprocess.run(
        ["nvidia-smi", "-i", index, "--query-gpu=memory.used", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return float(used) if used.replace(".", "").isdigit() else None
