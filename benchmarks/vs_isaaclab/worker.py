"""One side in a process of its own: reads commands as JSON lines, answers each with a JSON line.

The answers go to the descriptor that was standard output; whatever libraries print goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from typing import Any

import torch

from benchmarks.vs_isaaclab.shared import SIDES, Bench, Side
from benchmarks.vs_isaaclab.standing import judge
from humanoid_rl_ext.errors import HumanoidRLError

PHYSICS_STEPS = 48
"""Control steps of one measurement of physics, from a start: robots with random targets are falling then."""
STANDING_STEPS = 60


def start(name: str, num_envs: int, device: str, seed: int) -> Bench:
    """The side called ``name``, ready to train."""
    side: Side = SIDES[name]
    if side.stack == "isaaclab":
        from benchmarks.vs_isaaclab.peer import IsaacLab

        return IsaacLab(side, num_envs, device, seed)
    from benchmarks.vs_isaaclab.ours import Ours

    return Ours(side, num_envs, device, seed)


class Measurements:
    """What can be asked of a started side; every method returns what goes into the answer."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        shape = (256, bench.num_envs, bench.joints)
        self._random = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(bench.device)
        self._at = 0

    def _actions(self, steps: int) -> torch.Tensor:
        index = torch.arange(self._at, self._at + steps, device=self._random.device) % len(self._random)
        self._at += steps
        return self._random[index]

    def sanity(self) -> dict[str, Any]:
        """Whether the robots stand on the ground."""
        from benchmarks.vs_isaaclab.shared import shared_task
        from humanoid_rl_ext.env.make import task_robot

        task = shared_task()
        robot = task_robot(task)
        series = self.bench.stand(STANDING_STEPS)
        return dict(judge(series, robot.total_mass, task.control_dt, robot.standing_height))

    def physics(self) -> dict[str, float]:
        """Seconds of one environment step's physics, mean over PHYSICS_STEPS."""
        scale = 0.5  # of the task's actions
        targets = self._actions(PHYSICS_STEPS) * scale
        self.bench.restart()
        return {"seconds": self._timed(lambda: self.bench.step_physics(targets)) / PHYSICS_STEPS}

    def env(self, steps: int) -> dict[str, Any]:
        """Seconds of one environment step with random actions, once episodes end at any time."""
        if self._at < len(self._random):
            self.bench.restart()
            self.bench.step_env(self._actions(len(self._random)))
        actions = self._actions(steps)
        return {"seconds": self._timed(lambda: self.bench.step_env(actions)) / steps, "finite": self.bench.finite()}

    def ppo(self, iterations: int) -> dict[str, float]:
        """Seconds of one learning iteration."""
        return {"seconds": self._timed(lambda: self.bench.learn(iterations)) / iterations}

    def train(self, seed: int, iterations: int, save: str | None = None) -> dict[str, float]:
        """Learns anew; wall-clock seconds, and the return of the best actions afterwards."""
        seconds = self._timed(lambda: self.bench.train(seed, iterations, save))
        return {"seconds": seconds, **self.bench.evaluate(None)}

    def evaluate(self, policy: str) -> dict[str, float]:
        """The return of a stored policy."""
        return self.bench.evaluate(policy)

    def _timed(self, work: Any) -> float:
        on_gpu = self.bench.device.startswith("cuda")
        if on_gpu:
            torch.cuda.synchronize()
        began = time.perf_counter()
        work()
        if on_gpu:
            torch.cuda.synchronize()
        return time.perf_counter() - began


def main() -> None:
    """Starts the side, answers with its start-up time, then answers commands until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("--envs", type=int, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--launched", type=float, required=True, help="time.time() when this process was started")
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    def answer(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    try:
        bench = start(options.side, options.envs, options.device, options.seed)
        bench.first_step()
        if options.device.startswith("cuda"):
            torch.cuda.synchronize()
        answer({"startup": time.time() - options.launched})
        measurements = Measurements(bench)
        for line in sys.stdin:
            command = json.loads(line)
            answer(getattr(measurements, command.pop("measure"))(**command))
    except HumanoidRLError as error:
        answer({"error": str(error)})
    except Exception as error:
        traceback.print_exc()
        answer({"error": f"{type(error).__name__}: {error}"})
    finally:
        sys.stderr.flush()
        answers.flush()
        os._exit(0)  # engines' own threads must not hold the end up


if __name__ == "__main__":
    main()
