"""Isaac Lab 3.0.0 with rsl_rl against Humanoid RL: the same task, side by side on one machine.

    ./hrl python benchmarks/vs_isaaclab.py --envs 1024 4096 16384 --out newton.json
    ./hrl python benchmarks/vs_isaaclab.py --sides isaaclab-ovphysx ours-ovphysx --envs 4096 --out ovphysx.json
    ./hrl python benchmarks/vs_isaaclab.py --returns 300 --envs 4096 --out returns.json
    ./hrl python benchmarks/vs_isaaclab.py --cross 300 --envs 4096 --out cross.json
    ./hrl python benchmarks/vs_isaaclab.py --merge newton.json ovphysx.json returns.json cross.json --plot cost.png

Every side runs in a process of its own; all are started, then measured in turn, round by round; figures are medians
over the rounds. Before that robots have to stand on the ground on every side. Measured are: an environment step with
random actions (resets included, once episodes end at any time), physics alone (targets made beforehand, contacts read,
no resets), PPO end to end, start-up (from launching the process to the first step of training; run twice, so that
kernels are cached) and GPU memory. ``vs_isaaclab/__init__.py`` lists what is equal on both sides and what is not.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.vs_isaaclab import processes, report
from benchmarks.vs_isaaclab.shared import SIDES

NEWTON_SIDES = ("isaaclab-newton", "isaaclab-newton-warp", "ours-newton", "ours-newton-default")
PACKAGES = ("isaaclab", "rsl-rl-lib", "torch", "newton", "mujoco-warp", "warp-lang", "ovphysx")


def machine(device: str) -> str:
    """The GPU's name, or the CPU's cores."""
    if not device.startswith("cuda"):
        return f"{os.cpu_count()} cores, {platform.machine()}"
    command = ["nvidia-smi", "-i", device.partition(":")[2] or "0", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def versions() -> dict[str, str]:
    """Versions of what is installed of both stacks."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def say(line: str) -> None:
    """Progress, apart from the tables."""
    print(line, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=NEWTON_SIDES)
    parser.add_argument("--envs", type=int, nargs="+", default=[4096])
    parser.add_argument("--device", default="cuda:0", help="cpu or cuda:index")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=96, help="environment steps of one measurement")
    parser.add_argument("--iterations", type=int, default=10, help="learning iterations of one measurement")
    parser.add_argument("--alone", action="store_true", help="one side at a time, where memory is short")
    parser.add_argument("--returns", type=int, metavar="ITERATIONS", help="train all sides and compare what was learnt")
    parser.add_argument("--cross", type=int, metavar="ITERATIONS", help="train at our settings, evaluate at the peer's")
    parser.add_argument("--engine", choices=("newton", "ovphysx"), default="newton", help="of --cross")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--merge", type=Path, nargs="+", metavar="JSON", help="pool earlier runs; measures nothing")
    parser.add_argument("--out", type=Path, help="where the run's figures go, as JSON")
    parser.add_argument("--plot", type=Path, help="draw the cost against the number of environments")
    parser.add_argument("--logs", type=Path, default=Path("vs_isaaclab_logs"), help="what the sides print")
    return parser.parse_args()


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """A run of what was asked for."""
    plan = processes.Plan(
        options.device, options.rounds, options.steps, options.iterations, options.alone, options.logs
    )
    run: dict[str, Any] = {
        "machine": machine(options.device),
        "date": datetime.date.today().isoformat(),
        "versions": versions(),
        "results": [],
        "returns": [],
        "cross": [],
    }
    for num_envs in options.envs:
        if options.returns:
            run["returns"] += processes.compare_returns(
                options.sides, num_envs, options.seeds, options.returns, plan, say
            )
        elif options.cross:
            run["cross"] += processes.cross(options.engine, num_envs, options.seeds, options.cross, plan, say)
        else:
            run["results"] += processes.measure(options.sides, num_envs, plan, say)
        if options.out:  # after every size: a run that is cut short keeps what it has
            options.out.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    return run


def main() -> None:
    """Measures or merges, and prints the tables."""
    options = arguments()
    run = report.merge(report.read(options.merge)) if options.merge else measured(options)
    if options.merge and options.out:
        options.out.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print(report.report(run))
    if options.plot and run["results"]:
        report.plot(run, options.plot)


if __name__ == "__main__":
    main()
