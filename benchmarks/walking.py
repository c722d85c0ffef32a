"""Teaches the humanoid to walk as commanded, from nothing, and says how well it does: docs/results/walking.json.

    ./hrl python benchmarks/walking.py                     three seeds on a GPU, about two minutes each
    ./hrl python benchmarks/walking.py --plot              draws docs/images/walking.png from the results

Every run is evaluated over 1000 episodes without exploration, with commands drawn anew every 5 s.
"""

from __future__ import annotations

import argparse
import datetime
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from learning import hrl

DOCS = Path(__file__).resolve().parent.parent / "docs"
RESULTS, PICTURE = DOCS / "results" / "walking.json", DOCS / "images" / "walking.png"
COLUMNS = ("env_steps", "time/seconds", "episode/lin_vel_error", "episode/length")
FIGURES = ("lin_vel_error", "ang_vel_error")
EVERY = 6
"""Of so many iterations one is kept in the curve."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--envs", default="4096")
    parser.add_argument("--steps", default="60M")
    parser.add_argument("--engine", default="newton")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--episodes", default="1000")
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    arguments = parser.parse_args()
    if not arguments.plot:
        runs = [measure(arguments, seed) for seed in arguments.seeds]
        data = {
            "task": "humanoid_walk",
            "engine": arguments.engine,
            "num_envs": int(arguments.envs),
            "date": datetime.date.today().isoformat(),
            "versions": {name: version(name) for name in ("torch", "warp-lang", "newton", "mujoco-warp")},
            "columns": COLUMNS,
            "standing_still": standing_still(),
            "runs": runs,
        }
        RESULTS.write_text(json.dumps(data) + "\n", encoding="utf-8")
    data = json.loads(RESULTS.read_text(encoding="utf-8"))
    for run in data["runs"]:
        print({key: value for key, value in run.items() if key != "curve"})
    print(f"a robot that stood still would be wrong by {data['standing_still']:.2f} m/s")
    plot(data)


def measure(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """One run from nothing, and its evaluation."""
    where = ["--engine", arguments.engine, "--device", arguments.device]
    trained = hrl(
        "train", "humanoid_walk", "--seed", str(seed), "--envs", arguments.envs, "--steps", arguments.steps, *where
    )
    evaluated = hrl("evaluate", trained["run"], "--episodes", arguments.episodes, *where)
    lines = (Path(trained["run"]) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {
        "seed": seed,
        "device": trained["device"],
        "seconds": trained["seconds"],
        "startup_seconds": trained["startup_seconds"],
        "steps_per_second": trained["steps_per_second"],
        "falls": 1.0 - evaluated["success_rate"],
        **{name: evaluated["metrics"][name] for name in FIGURES},
        "curve": [[row.get(column) for column in COLUMNS] for row in (*rows[::EVERY], rows[-1])],
    }


def standing_still(samples: int = 1_000_000) -> float:
    """The velocity error (m/s) of a robot that does not move, for the task's commands."""
    from humanoid_rl_ext.task.loading import load_task

    params = load_task("humanoid_walk").commands["velocity"].params
    generator = np.random.default_rng(0)
    speed = np.hypot(*(generator.uniform(*params[axis], samples) for axis in ("lin_vel_x", "lin_vel_y")))
    return float((1.0 - params["standing_share"]) * speed.mean())


def plot(data: dict[str, Any]) -> None:
    """Velocity error over wall-clock time, one line per seed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), dpi=110, layout="constrained")
    for run in data["runs"]:
        points = [(seconds, error) for _, seconds, error, _ in run["curve"] if error is not None]
        axes.plot(*zip(*points, strict=True), label=f"seed {run['seed']}", lw=1.4)
    axes.axhline(data["standing_still"], color="0.5", ls=":", lw=1, label="standing still")
    axes.axhline(0.25, color="0.5", ls="--", lw=1, label="0.25 m/s")
    axes.set(xlabel="seconds of training", ylabel="velocity error (m/s)", title=data["task"], ylim=(0.0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.savefig(PICTURE)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
