"""Every algorithm against published figures, and beside public implementations on this machine.

    ./hrl python benchmarks/published.py [WORD ...] [--seeds 1 2] [--side ours|peer] [--jobs 2] [--device D] [--again]
    ./hrl python benchmarks/published.py --report | --list

Words pick cases of published_cases.py ("dqn CartPole"); what docs/results/published.json has already is not run again.
Ours is `./hrl train TASK --algo NAME --steps N --seed S`, all else by its preset; peers, which need
requirements-bench.lock, are published_peers.py, and published_teams.py where agents are several. Every run is a process
of its own with $OMP_NUM_THREADS threads, or one; a peer of one agent that is cut short goes on when it is asked for
again. Ends with the report: docs/published.md and docs/images/published_*.png.
"""

from __future__ import annotations

import argparse
import datetime
import fcntl
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path
from typing import Any

from learning import REPOSITORY, hrl
from published_cases import CASES, TEAMS, Case

from humanoid_rl_ext.home import home

RESULTS = REPOSITORY / "docs" / "results" / "published.json"
POINTS = 60
Rows = list[list[float]]
"""A learning curve: environment steps, seconds, mean return and how many episodes it is of."""


def ours(case: Case, seed: int, device: str) -> dict[str, Any]:
    """Trains once by the preset, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        options = ("--algo", case.algorithm, "--steps", str(case.steps), "--seed", str(seed), "--device", device)
        trained = hrl("train", case.task, *options, "--run", str(run))
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        names = ("env_steps", "time/seconds", "episode/return", "episode/episodes")
        evaluated = None
        if case.episodes:
            evaluated = hrl("evaluate", str(run), "--episodes", str(case.episodes))["mean_return"]
    return {
        "curve": [[line[name] for name in names] for line in lines if "episode/return" in line],
        "evaluated": evaluated,
        "seconds": trained["seconds"],
        "env_steps": trained["env_steps"],
        "versions": {name: version(name) for name in ("torch", "gymnasium")},
    }


def peer(case: Case, seed: int, device: str) -> dict[str, Any]:
    """Trains the peer once, in a process of its own."""
    script = Path(__file__).with_name("published_teams.py" if case.beside == TEAMS else "published_peers.py")
    task, kept = case.task.partition(":")[2], home() / "published" / key(case, "peer", seed)
    words = [case.algorithm, task, str(case.steps), str(seed), str(case.episodes)]
    if case.beside != TEAMS:
        words += [device, str(kept)]
    done = subprocess.run([sys.executable, str(script), *words], stdout=subprocess.PIPE, text=True, check=True)
    shutil.rmtree(kept, ignore_errors=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(case: Case, side: str, seed: int, device: str) -> dict[str, Any]:
    """One entry of the results."""
    result = (ours if side == "ours" else peer)(case, seed, device)
    curve: Rows = result.pop("curve")
    closing = mean_return([row for row in curve if row[0] > 0.9 * case.steps])
    return {
        "case": case.name,
        "side": side,
        "seed": seed,
        "reached": closing if result["evaluated"] is None else result["evaluated"],
        "closing": closing,
        **result,
        "machine": machine("cpu" if side == "peer" and case.beside == TEAMS else device),
        "date": datetime.date.today().isoformat(),
        "curve": thinned(curve, case.steps),
    }


def machine(device: str) -> str:
    """What a run ran on."""
    if device == "cpu":
        return f"{os.cpu_count()} cores, {platform.machine()}"
    import torch

    return torch.cuda.get_device_name(device)


def mean_return(rows: Rows) -> float | None:
    """The mean over all episodes in some rows of a curve; None without any."""
    episodes = sum(row[3] for row in rows)
    return sum(row[2] * row[3] for row in rows) / episodes if episodes else None


def thinned(curve: Rows, steps: int) -> Rows:
    """A curve of at most so many points, each the mean over the episodes that ended in its part of the run."""
    parts: list[Rows] = [[] for _ in range(POINTS)]
    for row in curve:
        parts[min(POINTS - 1, int(row[0] / steps * POINTS))].append(row)
    return [[part[-1][0], round(part[-1][1], 1), round(mean_return(part) or 0.0, 2)] for part in parts if part]


def key(case: Case, side: str, seed: int) -> str:
    """The name of an entry in the results."""
    return f"{case.name} {side} {seed}"


def read_results() -> dict[str, dict[str, Any]]:
    """What has been measured so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def store(entry: dict[str, Any]) -> None:
    """Adds an entry to the results, which other processes may be adding to as well."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(RESULTS.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        results = read_results()
        results[f"{entry['case']} {entry['side']} {entry['seed']}"] = entry
        aside = RESULTS.with_suffix(".unfinished")
        lines = json.dumps(dict(sorted(results.items())), separators=(",", ":")).replace('},"', '},\n"')
        aside.write_text(lines + "\n")
        os.replace(aside, RESULTS)
    finally:
        os.close(folder)


def of(case: Case, side: str, results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of one side of a case, by seed."""
    return [results[name] for seed in case.seeds if (name := key(case, side, seed)) in results]


def spread(entries: list[dict[str, Any]]) -> tuple[float, float]:
    """Mean and deviation over the seeds."""
    values = [entry["reached"] for entry in entries]
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def verdict(case: Case, results: dict[str, dict[str, Any]]) -> str:
    """Whether a case is met, or what is missing to tell."""
    mine, theirs = of(case, "ours", results), of(case, "peer", results)
    if len(mine) < len(case.seeds):
        return f"{len(mine)} of {len(case.seeds)} seeds so far" if mine else "not run yet"
    said, mean = [], spread(mine)[0]
    if case.target is not None:
        said.append("met" if mean >= case.target else "not met")
    if case.beside and len(theirs) < len(case.seeds):
        said.append(f"{case.beside}: {len(theirs)} of {len(case.seeds)} seeds so far")
    elif case.beside:
        peers, deviation = spread(theirs)
        said.append(f"{'no worse' if mean >= peers - deviation else 'worse'} than {case.beside}")
    return ", ".join(said) or "no target"


def plot(case: Case, results: dict[str, dict[str, Any]], path: Path) -> None:
    """A line per seed over environment steps, ours and the peer's, with the target."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), dpi=110, layout="constrained")
    for side, label, colour in (("peer", case.beside, "tab:orange"), ("ours", "ours", "tab:blue")):
        for number, entry in enumerate(of(case, side, results)):
            steps, values = ([row[column] for row in entry["curve"]] for column in (0, 2))
            axes.plot(steps, values, color=colour, lw=1.4, alpha=0.8, label="" if number else label)
    if case.target is not None:
        axes.axhline(case.target, color="0.5", ls="--", lw=1, label=f"target {case.target:g}")
    axes.set(xlabel="environment steps", ylabel="return while training", title=f"{case.algorithm} on {case.task}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)


def told(entries: list[dict[str, Any]]) -> str:
    """Mean and deviation in words."""
    if not entries:
        return ""
    mean, deviation = spread(entries)
    return f"{mean:,.1f} ± {deviation:,.1f} ({len(entries)})" if len(entries) > 1 else f"{mean:,.1f} (1)"


def report(results: dict[str, dict[str, Any]]) -> str:
    """The page docs/published.md."""
    lines = [
        "# Against published figures",
        "",
        "Made by `./hrl python benchmarks/published.py`. Ours is `./hrl train TASK --algo NAME --steps N --seed S`,",
        "by its preset; peers are set up as rl-baselines3-zoo does, BenchMARL by its defaults. The machine is named.",
        "Means ± deviations over (so many) seeds. A case is met when all its seeds are there and their mean",
        "reaches the target; it is no worse than a peer where it reaches the peer's mean less one deviation.",
        "Times are of runs side by side on shared machines, pauses included: `learner_speed.py` compares speed.",
        "",
        "| algorithm | task | steps | seeds | ours | peer | target | verdict |",
        "|" + "---|" * 8,
    ]
    for case in CASES:
        mine, theirs = of(case, "ours", results), of(case, "peer", results)
        target = "" if case.target is None else f"{case.target:,.0f}"
        lines.append(
            f"| `{case.algorithm}` | {case.task} | {case.steps:,} | {', '.join(map(str, case.seeds))} | {told(mine)} "
            f"| {told(theirs)} | {target} | {verdict(case, results)} |"
        )
    lines.append("")
    for case in CASES:
        mine, theirs = of(case, "ours", results), of(case, "peer", results)
        if not mine and not theirs:
            continue
        image = f"images/published_{re.sub('[^a-z0-9-]+', '_', case.name.lower())}.png"
        plot(case, results, REPOSITORY / "docs" / image)
        lines += [
            f"## {case.name}",
            "",
            f"Figure: {case.figure}. {f'Target: {case.source}.' if case.source else ''}",
            "",
        ]
        lines += ["| side | seed | reached | end of training | time (s) | steps | machine | versions | date |"]
        lines += ["|" + "---|" * 9]
        for entry in (*mine, *theirs):
            side = "ours" if entry["side"] == "ours" else case.beside
            closing = "" if entry["closing"] is None else f"{entry['closing']:,.1f}"
            versions = ", ".join(f"{name} {number}" for name, number in entry["versions"].items())
            lines.append(
                f"| {side} | {entry['seed']} | {entry['reached']:,.1f} | {closing} | {entry['seconds']:,.0f} "
                f"| {entry['env_steps']:,} | {entry['machine']} | {versions} | {entry['date']} |"
            )
        lines += ["", f"![{case.name}]({image})", ""]
    return "\n".join(lines)


def main() -> None:
    """Measures what is asked for and not there yet, and rewrites the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="cases whose name has all of them (every case when none is given)")
    parser.add_argument("--seeds", type=int, nargs="+", help="of the seeds of a case, these alone")
    parser.add_argument("--side", choices=("ours", "peer"), help="one side alone")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--device", default="cpu", help="where ours and Stable-Baselines3 learn; BenchMARL: the CPU")
    parser.add_argument("--again", action="store_true", help="measure again what is there")
    parser.add_argument("--report", action="store_true", help="rewrite page and pictures from the stored results")
    parser.add_argument("--list", action="store_true", help="show the cases and where they stand")
    arguments = parser.parse_args()
    results = read_results()
    chosen = [case for case in CASES if all(word.lower() in case.name.lower() for word in arguments.words)]
    if arguments.list:
        for case in chosen:
            print(f"{case.name:44} {verdict(case, results)}")
        return
    due = [
        (case, side, seed)
        for case in chosen
        for seed in case.seeds
        for side in ("ours", "peer")[: 2 if case.beside else 1]
        if arguments.side in (None, side)
        and (not arguments.seeds or seed in arguments.seeds)
        and (arguments.again or key(case, side, seed) not in results)
    ]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    failed = 0
    with ThreadPoolExecutor(max(1, arguments.jobs)) as pool:
        work = {} if arguments.report else {pool.submit(measured, *run, arguments.device): key(*run) for run in due}
        for future in as_completed(work):
            try:
                entry = future.result()
            except (subprocess.CalledProcessError, IndexError, ValueError) as error:
                failed += 1
                print(f"{work[future]}: failed ({error})", file=sys.stderr, flush=True)
                continue
            store(entry)
            print(work[future], f"{entry['reached']:.1f}", f"{entry['seconds']:.0f} s", flush=True)
    (REPOSITORY / "docs" / "published.md").write_text(report(read_results()))
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
