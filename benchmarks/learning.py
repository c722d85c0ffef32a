"""How well and how fast the bundled tasks and two Gymnasium tasks are learnt, by default settings, three seeds each.

    ./hrl python benchmarks/learning.py [TASK ...] [--seeds 1 2 3] [--report-only]

Writes docs/results/learning.json (one entry per task and seed), docs/images/learning_*.png and docs/learning.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "docs" / "results" / "learning.json"


@dataclass(frozen=True)
class Case:
    """One task, the figure that says how well it was learnt, and what that figure has to reach."""

    task: str
    figure: str
    target: float
    limit_s: float | None
    curve: str
    unit: str
    evaluate: bool = False
    source: str = ""


CLEANRL = " CleanRL's `ppo_continuous_action` reaches 1443 +/- 46 in as many steps (Huang et al. 2022, three seeds)."

CASES = [
    Case("cartpole_balance", "share of the longest episode", 0.95, 90, "episode/length", "episode length (steps)"),
    Case("walker_run", "forward speed", 1.0, 360, "episode/forward_speed", "forward speed (m/s)"),
    Case("humanoid_stand", "share of the longest episode", 0.8, 480, "episode/length", "episode length (steps)"),
    Case(
        "gym:CartPole-v1",
        "return of 100 episodes, no exploration",
        475,
        None,
        "episode/return",
        "return",
        evaluate=True,
    ),
    Case("gym:HalfCheetah-v4", "return while training", 1390, None, "episode/return", "return", source=CLEANRL),
]


def hrl(*arguments: str) -> dict[str, Any]:
    """The JSON object that a command of ours prints."""
    command = [sys.executable, "-m", "humanoid_rl_ext", *arguments, "--json"]
    paths = (str(REPOSITORY), os.environ.get("PYTHONPATH", ""))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(case: Case, seed: int, folder: Path) -> dict[str, Any]:
    """Trains once by default settings; what it reached, in how long, and its curve."""
    run = folder / f"{case.task.replace(':', '_')}_{seed}"
    trained = hrl("train", case.task, "--seed", str(seed), "--run", str(run))
    if case.evaluate:
        reached = hrl("evaluate", str(run), "--episodes", "100")["mean_return"]
    elif case.figure == "forward speed":
        reached = trained["metrics"]["forward_speed"]
    elif case.figure.startswith("share"):
        reached = trained["mean_episode_length"] / trained["max_episode_length"]
    else:
        reached = trained["mean_return"]
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    rows = [row for row in rows if case.curve in row]
    return {
        "task": case.task,
        "seed": seed,
        "reached": reached,
        "first": rows[0][case.curve],
        "seconds": trained["seconds"] + trained["startup_seconds"],
        "env_steps": trained["env_steps"],
        "steps_per_second": trained["steps_per_second"],
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {trained['device']}",
        "versions": {name: version(name) for name in ("torch", "ovphysx", "gymnasium")},
        "date": datetime.date.today().isoformat(),
        "curve": [[row["env_steps"], row["time/seconds"], row[case.curve]] for row in rows],
    }


def plot(case: Case, entries: list[dict[str, Any]], path: Path) -> None:
    """One line per seed over wall-clock time, with the figure to reach where it is in the curve's unit."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), dpi=110, layout="constrained")
    for entry in entries:
        seconds, values = ([row[column] for row in entry["curve"]] for column in (1, 2))
        window = max(1, len(values) // 40)
        smooth = [sum(part) / len(part) for i in range(len(values)) if (part := values[max(0, i - window + 1) : i + 1])]
        (line,) = axes.plot(seconds, smooth, label=f"seed {entry['seed']}", lw=1.5)
        axes.plot(seconds, values, color=line.get_color(), lw=0.6, alpha=0.25)
    if not case.figure.startswith("share"):
        axes.axhline(case.target, color="0.5", ls="--", lw=1, label=f"target {case.target:g}")
    axes.set(xlabel="seconds of training", ylabel=case.unit, title=case.task)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)


def report(results: dict[str, dict[str, Any]]) -> str:
    """The page docs/learning.md."""
    lines = [
        "# What is learnt, and how fast",
        "",
        "Made by `./hrl python benchmarks/learning.py`: `./hrl train TASK --seed S`, all else by default. `reached` is",
        "taken over the episodes that ended in the closing part of the run (as the command prints it), `at first`",
        "over those of the first update; `time` runs from the start of the process to the last step.",
        "",
    ]
    for case in CASES:
        entries = [results[key] for key in sorted(results) if results[key]["task"] == case.task]
        if not entries:
            continue
        image = f"images/learning_{case.task.replace(':', '_').lower()}.png"
        plot(case, entries, REPOSITORY / "docs" / image)
        limit = f" within {case.limit_s:g} s" if case.limit_s else ""
        lines += [f"## {case.task}", "", f"Wanted: {case.figure} of at least {case.target:g}{limit}.{case.source}", ""]
        lines += [
            f"| seed | reached | at first: {case.unit} | time (s) | environment steps | steps/s | machine | date |",
            "|" + "---|" * 8,
        ]
        for entry in entries:
            lines.append(
                f"| {entry['seed']} | {entry['reached']:,.4g} | {entry['first']:,.4g} | {entry['seconds']:.0f} "
                f"| {entry['env_steps']:,} | {entry['steps_per_second']:,.0f} | {entry['machine']} | {entry['date']} |"
            )
        mean = sum(entry["reached"] for entry in entries) / len(entries)
        lines += ["", f"Mean over {len(entries)} seeds: {mean:,.4g}.", "", f"![{case.task}]({image})", ""]
    versions = next(iter(results.values()))["versions"]
    lines += ["Versions: " + ", ".join(f"{name} {number}" for name, number in versions.items()) + ".", ""]
    return "\n".join(lines)


def main() -> None:
    """Measures what is asked for, merges it with earlier results and rewrites the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", help="tasks to measure (all when none is named)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--report-only", action="store_true", help="rewrite page and pictures from the stored results")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not arguments.report_only:
        for case in CASES:
            if arguments.tasks and case.task not in arguments.tasks:
                continue
            for seed in arguments.seeds:
                with tempfile.TemporaryDirectory() as folder:
                    entry = measure(case, seed, Path(folder))
                results[f"{case.task} {seed}"] = entry
                print(case.task, "seed", seed, f"{entry['reached']:.4g}", f"{entry['seconds']:.0f} s", flush=True)
                RESULTS.parent.mkdir(parents=True, exist_ok=True)
                RESULTS.write_text(json.dumps(results) + "\n")
    (REPOSITORY / "docs" / "learning.md").write_text(report(results))


if __name__ == "__main__":
    main()
