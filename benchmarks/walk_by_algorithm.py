"""Teaches the humanoid to walk by several algorithms on one GPU: returns by environment steps and by wall clock.

    ./hrl python benchmarks/walk_by_algorithm.py [NAME ...] [--seed 1] [--device cuda]     names: see RUNS
    ./hrl python benchmarks/walk_by_algorithm.py --plot      draws docs/images/walk_by_*.png from what was measured

Every run is by its preset but for the number of environments and steps given here, and is evaluated over 500 episodes
without exploration. Adds to docs/results/walk_by_algorithm.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from learning import hrl

DOCS = Path(__file__).resolve().parent.parent / "docs"
RESULTS = DOCS / "results" / "walk_by_algorithm.json"
COLUMNS = ("env_steps", "time/seconds", "episode/return", "episode/lin_vel_error")
POINTS = 120


@dataclass(frozen=True)
class Run:
    """One training run."""

    task: str
    algorithm: str
    envs: int
    steps: str


RUNS = {
    "ppo": Run("humanoid_walk", "ppo", 4096, "60M"),
    "sac": Run("humanoid_walk", "sac", 2048, "30M"),
    "td3": Run("humanoid_walk", "td3", 2048, "30M"),
    "ppo_whole": Run("humanoid_walk_agents", "ppo", 4096, "60M"),
    "mappo": Run("humanoid_walk_agents", "mappo", 4096, "60M"),
}
PICTURES = {"algorithms": ("ppo", "sac", "td3"), "agents": ("ppo_whole", "mappo")}


def measure(run: Run, seed: int, device: str) -> dict[str, Any]:
    """One run from nothing, and its evaluation."""
    where = ("--engine", "newton", "--device", device)
    sizes = ("--envs", str(run.envs), "--steps", run.steps, "--seed", str(seed))
    trained = hrl("train", run.task, "--algo", run.algorithm, *sizes, *where)
    evaluated = hrl("evaluate", trained["run"], "--episodes", "500", *where)
    lines = (Path(trained["run"]) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for line in lines if "episode/return" in (row := json.loads(line))]
    every = max(1, len(rows) // POINTS)
    return {
        "task": run.task,
        "algorithm": run.algorithm,
        "num_envs": run.envs,
        "seed": seed,
        "device": trained["device"],
        "gpu": _gpu(),
        "env_steps": trained["env_steps"],
        "seconds": trained["seconds"],
        "startup_seconds": trained["startup_seconds"],
        "steps_per_second": trained["steps_per_second"],
        "return": evaluated["mean_return"],
        "falls": 1.0 - evaluated["success_rate"],
        "lin_vel_error": evaluated["metrics"]["lin_vel_error"],
        "versions": {name: version(name) for name in ("torch", "warp-lang", "newton", "mujoco-warp")},
        "date": datetime.date.today().isoformat(),
        "curve": [[row.get(column) for column in COLUMNS] for row in (*rows[::every], rows[-1])],
    }


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


def results() -> dict[str, dict[str, Any]]:
    """What has been measured so far, by name of the run."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def plot(measured: dict[str, dict[str, Any]]) -> None:
    """Returns while training over environment steps (left) and over seconds (right), one line per algorithm."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    for picture, names in PICTURES.items():
        shown = {name: measured[name] for name in names if name in measured}
        if not shown:
            continue
        figure, sides = pyplot.subplots(1, 2, figsize=(10, 3.5), dpi=110, layout="constrained", sharey=True)
        for axes, column, unit, label in (
            (sides[0], 0, 1e6, "environment steps (millions)"),
            (sides[1], 1, 1.0, "wall clock (s)"),
        ):
            for entry in shown.values():
                curve = entry["curve"]
                axes.plot([row[column] / unit for row in curve], [row[2] for row in curve], lw=1.4)
            axes.set(xlabel=label)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.25)
        sides[0].set(ylabel="return while training", title=next(iter(shown.values()))["task"])
        sides[1].legend([entry["algorithm"] for entry in shown.values()], frameon=False)
        figure.savefig(DOCS / "images" / f"walk_by_{picture}.png")
        pyplot.close(figure)


def main() -> None:
    """Measures what is asked for, prints all figures and draws them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*RUNS, []], help="runs, all without any")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    arguments = parser.parse_args()
    for name in () if arguments.plot else arguments.names or RUNS:
        entry = measure(RUNS[name], arguments.seed, arguments.device)
        aside = RESULTS.with_suffix(".unfinished")
        aside.write_text(json.dumps({**results(), name: entry}).replace('},"', '},\n"') + "\n", encoding="utf-8")
        os.replace(aside, RESULTS)
    for name, entry in results().items():
        print(name, {key: value for key, value in entry.items() if key not in ("curve", "versions")}, flush=True)
    plot(results())


if __name__ == "__main__":
    main()
