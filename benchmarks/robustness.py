"""What a walking policy keeps of its return on heavier links and slippery ground: docs/results/robustness.json.

    ./hrl python benchmarks/robustness.py                     three seeds on a GPU, with and without randomisation
    ./hrl python benchmarks/robustness.py --plot              draws docs/images/robustness.png, prints the table
    ./hrl python benchmarks/robustness.py --merge A.json B.json    takes over what was measured elsewhere

Every policy plays 500 whole episodes without exploration in two worlds that are the same for all of them: the robot as
it is, and one with 20 % heavier links and half the friction. Runs that are in the results already are not repeated.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

from training import today, trained, write

from humanoid_rl_ext.cli.parser import count
from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.learn.learner import Learner
from humanoid_rl_ext.task.loading import edited_in_turn, load_task
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.train.config import load_run_config
from humanoid_rl_ext.train.evaluate import Evaluation, evaluate_policy
from humanoid_rl_ext.train.start import describe_device, plan_draft, resolve_device

DOCS = Path(__file__).resolve().parent.parent / "docs"
RESULTS, PICTURE = DOCS / "results" / "robustness.json", DOCS / "images" / "robustness.png"
TASK = "humanoid_walk"
TRAINED_ON = {"randomised": "humanoid_walk_robust", "plain": TASK}
WORLDS = {"nominal": {"mass": 1.0, "friction": 1.0}, "changed": {"mass": 1.2, "friction": 0.5}}
"""Factors on the robot's links and on the friction of its contacts."""
KINDS = {"randomised": "with randomisation", "plain": "without"}
WANTED = 0.8
"""Least share of the return that a policy trained with randomisation is to keep."""
EVALUATION_SEED = 1000
SAME = ("task", "engine", "num_envs", "env_steps", "episodes", "worlds")
"""What has to be the same in results that stand in one table."""
Data = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--envs", type=count, default=4096)
    parser.add_argument("--steps", type=count, default=count("40M"))
    parser.add_argument("--episodes", type=count, default=500, help="one environment for each")
    parser.add_argument("--engine", default="newton")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=math.inf, help="no run begins that would end later")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--merge", type=Path, nargs="+", default=[], help="only take over these files into --out")
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    if arguments.merge:
        files = [*([arguments.out] if arguments.out.exists() else []), *arguments.merge]
        write(merged([json.loads(path.read_text(encoding="utf-8")) for path in files]), arguments.out)
    elif not arguments.plot:
        measure(arguments)
    data = json.loads(arguments.out.read_text(encoding="utf-8"))
    print(table(data))
    print(verdict(data))
    if arguments.plot:
        plot(data, arguments.picture)


def measure(arguments: argparse.Namespace) -> None:
    """Trains and evaluates what is not in the results yet, and writes each run to them as it ends."""
    began = time.perf_counter()
    data = {
        "task": TASK,
        "engine": arguments.engine,
        "num_envs": arguments.envs,
        "env_steps": arguments.steps,
        "episodes": arguments.episodes,
        "worlds": WORLDS,
        **today(),
        "runs": [],
    }
    if arguments.out.exists():
        data = merged([json.loads(arguments.out.read_text(encoding="utf-8")), data])
    there = {(run["seed"], run["kind"]) for run in data["runs"]}
    wanted = [(seed, kind) for seed in arguments.seeds for kind in arguments.kinds if (seed, kind) not in there]
    if not wanted:
        return
    device = resolve_device(arguments.device)
    worlds = {name: scene(arguments, device, **factors) for name, factors in WORLDS.items()}
    print(f"{len(worlds)} scenes to evaluate in after {time.perf_counter() - began:.0f} s", flush=True)
    try:
        longest = 0.0
        for seed, kind in wanted:
            started = time.perf_counter()
            if started - began + longest > arguments.seconds:
                print(f"no time left for seed {seed} {KINDS[kind]}", flush=True)
                break
            run = one_run(arguments, worlds, seed, kind)
            data = merged([data, {**data, "runs": [run]}])
            write(data, arguments.out)
            longest = max(longest, time.perf_counter() - started)
    finally:
        for env in worlds.values():
            env.close()


def one_run(arguments: argparse.Namespace, worlds: dict[str, VecEnv], seed: int, kind: str) -> Data:
    """One policy from nothing, and how it does in every world."""
    began = time.perf_counter()
    print(f"seed {seed} {KINDS[kind]}", flush=True)
    task = edited_in_turn(load_task(TRAINED_ON[kind]), [("seed", seed)])
    sizes = {"num_envs": arguments.envs, "env_steps": arguments.steps}
    config = load_run_config("ppo", TASK, engine=arguments.engine, device=arguments.device, seed=seed, **sizes)
    with trained(plan_draft(task, config), ("episode/return", "episode/length", "episode/lin_vel_error")) as session:
        run: Data = {
            "seed": seed,
            "kind": kind,
            "device": describe_device(session.device),
            "seconds": session.seconds,
            "startup_seconds": time.perf_counter() - began - session.seconds,
            "steps_per_second": session.env_steps / session.seconds,
            "non_finite": session.non_finite,
            **{name: evaluated(env, session.learner, arguments.episodes) for name, env in worlds.items()},
        }
    print(
        f"  {run['startup_seconds']:.0f} s to start, {run['seconds']:.0f} s of training, "
        f"{time.perf_counter() - began:.0f} s in all; return "
        + ", ".join(f"{run[name]['return']:.2f} {name}" for name in worlds),
        flush=True,
    )
    return run


def world(mass: float, friction: float) -> Task:
    """The Task with every link's mass and the robot's friction scaled, and nothing else that differs from it."""
    factors = {"mass": mass, "friction": friction}
    entries = {name: {"mode": "start", "params": {"scale": [factor, factor]}} for name, factor in factors.items()}
    return edited_in_turn(load_task(TASK), [(f"randomisation.{name}", entry) for name, entry in entries.items()])


def scene(arguments: argparse.Namespace, device: str, **factors: float) -> VecEnv:
    """A world with one environment for each episode."""
    env = make_env(
        world(**factors),
        num_envs=arguments.episodes,
        device=device,
        engine=arguments.engine,
        seed=EVALUATION_SEED,
    )
    assert isinstance(env, VecEnv)
    return env


def evaluated(env: VecEnv, learner: Learner, episodes: int) -> dict[str, float]:
    """What a policy does without exploration; starts and commands are the same for every policy."""
    env.seed(EVALUATION_SEED)
    return figures(evaluate_policy(env, learner, episodes), env.view.dt)


def figures(evaluation: Evaluation, control_dt: float) -> dict[str, float]:
    """The figures that are kept of an evaluation; a fall is an episode that ended before the time limit."""
    return {
        "return": evaluation.mean_return,
        "return_std": evaluation.std_return,
        "length_s": evaluation.mean_episode_length * control_dt,
        "falls": 1.0 - evaluation.success_rate,
        "lin_vel_error": evaluation.metrics["lin_vel_error"],
        "ang_vel_error": evaluation.metrics["ang_vel_error"],
    }


def merged(files: list[Data]) -> Data:
    """All runs of some results, by seed; of a seed and kind that is there twice the later one.

    Ends the process for results that were not measured alike.
    """
    first = files[0]
    for other in files[1:]:
        for key in SAME:
            if other[key] != first[key]:
                raise SystemExit(f"{key} {first[key]} and {other[key]} cannot stand in one table: name another --out")
    runs = {(run["seed"], run["kind"]): run for data in files for run in data["runs"]}
    order = list(KINDS)
    return {**files[-1], "runs": [runs[key] for key in sorted(runs, key=lambda key: (order.index(key[1]), key[0]))]}


def kept(run: Data) -> float | None:
    """Share of the return that is left in the changed world; None where there is nothing to keep in the nominal one."""
    nominal: float = run["nominal"]["return"]
    return run["changed"]["return"] / nominal if nominal > 0 else None


def shares(data: Data, kind: str) -> list[float]:
    """The shares that the policies of a kind keep, by seed."""
    found = [kept(run) for run in data["runs"] if run["kind"] == kind]
    return [share for share in found if share is not None]


def mean(values: list[float]) -> float:
    """The mean of one value or more."""
    return sum(values) / len(values)


def table(data: Data) -> str:
    """The results as Markdown."""
    changed = data["worlds"]["changed"]
    lines = [
        f"*Changed: links {100 * changed['mass'] - 100:+.0f} %, friction times {changed['friction']:g}.* "
        "Figures are nominal, then changed.",
        "",
        "| trained | seed | return | | kept | episode (s) | | falls | | velocity error (m/s) | |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind, title in KINDS.items():
        runs = [run for run in data["runs"] if run["kind"] == kind]
        rows = [(str(run["seed"]), {name: run[name] for name in WORLDS}, kept(run)) for run in runs]
        if len(runs) > 1:
            means = {name: {key: mean([run[name][key] for run in runs]) for key in runs[0][name]} for name in WORLDS}
            rows.append(("mean", means, mean(shares(data, kind)) if shares(data, kind) else None))
        for seed, found, share in rows:
            pairs = [
                [form.format(found[name][key]) for name in WORLDS]
                for key, form in (
                    ("return", "{:.1f}"),
                    ("length_s", "{:.1f}"),
                    ("falls", "{:.1%}"),
                    ("lin_vel_error", "{:.3f}"),
                )
            ]
            left = "-" if share is None else f"{share:.1%}"
            cells = [title, seed, *pairs[0], left, *itertools.chain(*pairs[1:])]
            lines.append("| " + " | ".join(cells).replace("%", " %") + " |")
    return "\n".join(lines)


def verdict(data: Data) -> str:
    """One sentence per kind of policy: what it keeps, and whether that is what is wanted."""
    lines = []
    for kind, title in KINDS.items():
        if found := shares(data, kind):
            lines.append(f"{title}: {mean(found):.1%} of the return kept on average, {min(found):.1%} at least")
    enough = shares(data, "randomised")
    if enough:
        lines.append(f"wanted {WANTED:.0%} with randomisation: {'yes' if min(enough) >= WANTED else 'NO'}")
    return "\n".join(lines)


def plot(data: Data, path: Path) -> None:
    """Return and falls in both worlds, one line per policy."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    picture, panels = pyplot.subplots(1, 2, figsize=(7, 3.5), dpi=110, layout="constrained")
    changed = data["worlds"]["changed"]
    ticks = ["nominal", f"links {100 * changed['mass'] - 100:+.0f} %\nfriction x {changed['friction']:g}"]
    panels_show = (("return", "return of an episode", 1.0), ("falls", "episodes that end in a fall (%)", 100.0))
    for axes, (key, label, factor) in zip(panels, panels_show, strict=True):
        for colour, (kind, title) in zip(("C0", "C1"), KINDS.items(), strict=True):
            for index, run in enumerate(run for run in data["runs"] if run["kind"] == kind):
                values = [factor * run[name][key] for name in WORLDS]
                axes.plot(ticks, values, "o-", color=colour, lw=1.4, ms=4, label=None if index else title)
        axes.set(ylabel=label, ylim=(0.0, None), xlim=(-0.3, 1.3))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    panels[0].legend(frameon=False, loc="lower left")
    picture.suptitle(f"{data['task']}, {data['episodes']} episodes per policy and world", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path)
    pyplot.close(picture)


if __name__ == "__main__":
    main()
