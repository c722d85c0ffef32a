"""What comes out of runs: tables, merged files, a figure."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.vs_isaaclab.shared import PPO, SIDES

LISTS = ("startup_s", "physics_s", "env_s", "iteration_s")
T_975 = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t, two-sided 95 %, for 1 to 10 degrees of freedom."""


def merge(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One run out of several: measurements of the same side, size, device and machine are pooled.

    Memory is the most that was seen; a side that failed a check in one run has failed it.
    """
    results: dict[tuple[Any, ...], dict[str, Any]] = {}
    for run in runs:
        for result in run.get("results", []):
            machine = result.get("machine", run.get("machine"))
            key = (result["side"], result["num_envs"], result["device"], machine)
            if key not in results:
                results[key] = {**result, "machine": machine, **{name: list(result[name]) for name in LISTS}}
                continue
            known = results[key]
            for name in LISTS:
                known[name] += result[name]
            known["memory_mb"] = max(
                (m for m in (known["memory_mb"], result["memory_mb"]) if m is not None), default=None
            )
            known["finite"] = known["finite"] and result["finite"]
            if not result["sanity"]["ok"]:
                known["sanity"] = result["sanity"]
    return {
        "machine": " + ".join(dict.fromkeys(run["machine"] for run in runs)),
        "date": ", ".join(dict.fromkeys(run["date"] for run in runs)),
        "versions": runs[0]["versions"],
        "results": list(results.values()),
        "returns": [entry for run in runs for entry in run.get("returns", [])],
        "cross": [entry for run in runs for entry in run.get("cross", [])],
    }


def figures(result: dict[str, Any]) -> dict[str, float]:
    """Medians of a result: rates in environment steps per second, and physics' share of a learning iteration's rate."""
    physics, env, iteration = (median(result[name]) for name in ("physics_s", "env_s", "iteration_s"))
    num_envs = result["num_envs"]
    learning = num_envs * PPO["num_steps"] / iteration
    return {
        "physics_ms": 1e3 * physics,
        "env_ms": 1e3 * env,
        "iteration_ms": 1e3 * iteration,
        "physics_rate": num_envs / physics,
        "env_rate": num_envs / env,
        "learning_rate": learning,
        "of_physics": learning * physics / num_envs,
        "startup_s": median(result["startup_s"]),
    }


def table(results: Iterable[dict[str, Any]]) -> str:
    """A Markdown table, smallest size first; ``times Isaac Lab`` compares PPO on the same engine and machine."""
    rows = sorted(results, key=lambda result: (result["num_envs"], list(SIDES).index(result["side"])))
    lines = [
        "| environments | side | env step | physics alone | PPO, env-steps/s | an iteration | times Isaac Lab "
        "| of physics alone | start-up | GPU memory | stands |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        side, now = SIDES[row["side"]], figures(row)
        same = (f"isaaclab-{side.engine}", row["num_envs"], row["device"], row.get("machine"))
        peer = next(
            (r for r in rows if (r["side"], r["num_envs"], r["device"], r.get("machine")) == same),
            None,
        )
        times = f"{now['learning_rate'] / figures(peer)['learning_rate']:.2f}" if peer else ""
        memory = "" if row["memory_mb"] is None else f"{row['memory_mb'] / 1e3:.1f} GB"
        stands = "yes" if row["sanity"]["ok"] and row["finite"] else "**no**"
        lines.append(
            f"| {row['num_envs']:,} | {side.title} | {now['env_ms']:.2f} ms = {_rate(now['env_rate'])} "
            f"| {now['physics_ms']:.2f} ms = {_rate(now['physics_rate'])} | {_rate(now['learning_rate'])} "
            f"| {now['iteration_ms']:.0f} ms | {times} | {now['of_physics']:.0%} | {now['startup_s']:.1f} s | {memory} "
            f"| {stands} |"
        )
    return "\n".join(lines)


def returns_table(entries: Sequence[dict[str, Any]]) -> str:
    """Mean return per side over the seeds, and whether each differs from Isaac Lab's by more than seed noise."""
    by_side: dict[str, list[float]] = {}
    for entry in entries:
        by_side.setdefault(entry["side"], []).append(entry["return"])
    lines = ["| side | return of each seed | mean | against Isaac Lab |", "|---|---|---:|---|"]
    for side, values in by_side.items():
        peer = by_side.get(f"isaaclab-{SIDES[side].engine}")
        verdict = "" if peer is None or peer is values else against(values, peer)
        shown = ", ".join(f"{value:.2f}" for value in values)
        lines.append(f"| {SIDES[side].title} | {shown} | {statistics.mean(values):.2f} | {verdict} |")
    return "\n".join(lines)


def against(ours: Sequence[float], peer: Sequence[float]) -> str:
    """The difference of two means and whether it is seed noise (Welch's test, two-sided, 5 %)."""
    difference = statistics.mean(ours) - statistics.mean(peer)
    if min(len(ours), len(peer)) < 2:
        return f"{difference:+.2f} (one seed: no telling)"
    parts = [statistics.variance(values) / len(values) for values in (ours, peer)]
    error = math.sqrt(sum(parts))
    if error == 0.0:
        return f"{difference:+.2f} ({'equal' if difference == 0 else 'beyond seed noise'})"
    freedom = sum(parts) ** 2 / sum(p * p / (len(v) - 1) for p, v in zip(parts, (ours, peer), strict=True))
    noise = T_975[min(len(T_975), max(1, int(freedom))) - 1] * error
    return f"{difference:+.2f} ({'within' if abs(difference) <= noise else 'beyond'} seed noise of {noise:.2f})"


def cross_table(entries: Sequence[dict[str, Any]]) -> str:
    """How much of its return at our own solver settings a policy keeps elsewhere, mean over the seeds."""
    at_home = {(e["trained"], e["seed"]): e["return"] for e in entries if e["evaluated"] == e["trained"]}
    lines = ["| trained | evaluated | return | at home | kept |", "|---|---|---:|---:|---:|"]
    for trained, evaluated in dict.fromkeys((e["trained"], e["evaluated"]) for e in entries):
        chosen = [e for e in entries if (e["trained"], e["evaluated"]) == (trained, evaluated)]
        there = statistics.mean(e["return"] for e in chosen)
        home = statistics.mean(at_home[trained, e["seed"]] for e in chosen)
        kept = f"{there / home:.1%}" if home > 0 else "no positive return to keep"
        lines.append(f"| {SIDES[trained].title} | {SIDES[evaluated].title} | {there:.2f} | {home:.2f} | {kept} |")
    return "\n".join(lines)


def report(run: dict[str, Any]) -> str:
    """All tables of a run, with machine, date and versions."""
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    parts = [f"{run['machine']}, {run['date']}; {versions}"]
    if run.get("results"):
        parts.append(table(run["results"]))
    if run.get("returns"):
        parts.append(returns_table(run["returns"]))
    if run.get("cross"):
        parts.append(cross_table(run["cross"]))
    return "\n\n".join(parts)


def plot(run: dict[str, Any], path: Path) -> None:
    """Draws how the cost of one control step grows with the number of environments: PPO (lines), physics (dashes)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), dpi=110, layout="constrained")
    for index, (name, side) in enumerate(SIDES.items()):
        rows = sorted((r for r in run["results"] if r["side"] == name), key=lambda r: r["num_envs"])
        if not rows:
            continue
        sizes = [row["num_envs"] for row in rows]
        learning = [1e3 * median(row["iteration_s"]) / PPO["num_steps"] for row in rows]
        physics = [1e3 * median(row["physics_s"]) for row in rows]
        mark, fill = ("s", "none") if side.engine == "ovphysx" else ("o", f"C{index}")
        axes.plot(sizes, learning, f"{mark}-", color=f"C{index}", mfc=fill, lw=1.5, label=side.title)
        axes.plot(sizes, physics, ".--", color=f"C{index}", lw=0.9)
    axes.set(xscale="log", yscale="log", xlabel="environments", ylabel="ms per control step of all environments")
    ticks = sorted({row["num_envs"] for row in run["results"]})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    low, high = axes.get_ylim()
    steps = [step for power in range(-2, 4) for step in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)]
    shown = [step for step in steps if low <= step <= high]
    axes.set_yticks(shown, [f"{step:g}" for step in shown])
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("PPO end to end (solid) and physics alone (dashed)", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)


def read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Runs from their files."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def median(values: Sequence[float]) -> float:
    """The middle of measurements; NaN of none."""
    return statistics.median(values) if values else math.nan


def _rate(value: float) -> str:
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.1f} k"
