"""How a policy learns to walk over rough ground, level by level: docs/results/climbing.json.

    ./hrl python benchmarks/climbing.py                      humanoid_walk_rough from nothing, on a GPU
    ./hrl python benchmarks/climbing.py --plot               draws docs/images/climbing.png, prints the figures

Levels are those that all robots are on after an iteration. What ``PATH=VALUE`` changes in the Task, or in the learner
(``learner.<setting>=value``), is kept in the results.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from training import today, trained, write

from humanoid_rl_ext.cli.parser import count
from humanoid_rl_ext.env.terrain_levels import distance_walked
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.train.metrics import Metrics
from humanoid_rl_ext.train.session import Session
from humanoid_rl_ext.train.start import describe_device, plan_run

DOCS = Path(__file__).resolve().parent.parent / "docs"
RESULTS, PICTURE = DOCS / "results" / "climbing.json", DOCS / "images" / "climbing.png"
TASK = "humanoid_walk_rough"
METRICS = ("env_steps", "time/seconds", "episode/return", "episode/length", "episode/lin_vel_error")
COLUMNS = (*METRICS, "mean_level", "lowest_tenth", "highest_tenth")
POINTS = 400
"""Of the iterations so many are kept in the curve, at most twice as many."""
WRITE_EVERY_S = 30.0
Data = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", metavar="PATH=VALUE")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--envs", type=count, default=4096)
    parser.add_argument("--steps", type=count, default=count("120M"))
    parser.add_argument("--engine", default="newton")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=math.inf, help="of training, at most")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    if not arguments.plot:
        measure(arguments)
    data = json.loads(arguments.out.read_text(encoding="utf-8"))
    print(report(data))
    if arguments.plot:
        plot(data, arguments.picture)


def measure(arguments: argparse.Namespace) -> None:
    """Trains once and writes the curve again and again, last of all with where the robots ended up."""
    sizes = {"num_envs": arguments.envs, "env_steps": arguments.steps, "device": arguments.device}
    plan = plan_run(TASK, arguments.overrides, engine=arguments.engine, seed=arguments.seed, **sizes)
    data: Data = {
        "task": TASK,
        "overrides": arguments.overrides,
        "engine": arguments.engine,
        "num_envs": arguments.envs,
        "seed": arguments.seed,
        **today(),
        "columns": COLUMNS,
        "curve": [],
    }
    every, written = 1, 0.0

    def watch(session: Session, metrics: Metrics) -> None:
        nonlocal every, written
        assert session.vec_env is not None
        metrics["mean_level"], low, high = levels(session.vec_env)
        if session.iteration % every == 0:
            row = [metrics.get(name) for name in METRICS]
            data["curve"].append([*row, metrics["mean_level"], low, high])
        if len(data["curve"]) > 2 * POINTS:
            every *= 2
            data["curve"] = data["curve"][1::2]
        if metrics["time/seconds"] > written + WRITE_EVERY_S:
            written = metrics["time/seconds"]
            write(data, arguments.out)

    shown = ("mean_level", "episode/return", "episode/length", "episode/lin_vel_error")
    with trained(plan, shown, seconds=arguments.seconds, watch=watch) as session:
        env = session.vec_env
        assert env is not None
        data |= {
            "device": describe_device(session.device),
            "env_steps": session.env_steps,
            "seconds": session.seconds,
            "steps_per_second": session.env_steps / session.seconds,
            "non_finite": session.non_finite,
            "closing": session.closing_figures(),
            "levels_of": levels_of(env),
        }
        write(data, arguments.out)


def levels(env: VecEnv) -> tuple[float, float, float]:
    """The mean level that the robots are on, and the levels that a tenth is at most and at least on."""
    now = env.view.terrain_level[: env.num_envs].sort().values.cpu().numpy()
    tenth = len(now) // 10
    return float(now.mean()), float(now[tenth]), float(now[-1 - tenth])


def levels_of(env: VecEnv) -> dict[str, list[int]]:
    """How many robots are on each level, from the easiest to the hardest, for each kind of ground."""
    terrain = env.engine.settings.terrain
    assert terrain is not None
    saved = env.state_dict()
    level, column = (saved[name][: env.num_envs].cpu().numpy() for name in ("terrain_level", "terrain_column"))
    kinds = np.array(terrain.column_kinds)[column]
    return {kind: np.bincount(level[kinds == kind], minlength=terrain.rows).tolist() for kind in sorted(set(kinds))}


def mean_level(counts: list[int]) -> float:
    """The mean of levels that are counted from the easiest on."""
    return sum(level * robots for level, robots in enumerate(counts)) / max(1, sum(counts))


def climb(data: Data) -> tuple[float, float, float]:
    """Mean level at the start, at the lowest point, and over the last tenth of the curve."""
    column = [row[COLUMNS.index("mean_level")] for row in data["curve"]]
    last = column[-max(1, len(column) // 10) :]
    return column[0], min(column), sum(last) / len(last)


def obedient(samples: int = 100_000, dt: float = 0.1) -> tuple[float, float]:
    """Shares of episodes after which robots that moved exactly as told would go up and down, by the Task's commands."""
    task = load_task(TASK)
    section, random = task.commands["velocity"], np.random.default_rng(0)
    low, high = np.transpose([section.params[axis] for axis in ("lin_vel_x", "lin_vel_y", "ang_vel_z")])
    assert section.resample_s is not None
    lasts = section.resample_s[0]
    position, heading = np.zeros((samples, 2)), random.uniform(-np.pi, np.pi, samples)
    for _ in range(round(task.episode_length_s / lasts)):
        moving = random.uniform(size=(samples, 1)) >= section.params["standing_share"]
        command = random.uniform(low, high, (samples, 3)) * moving
        for _ in range(round(lasts / dt)):
            cosine, sine = dt * np.cos(heading), dt * np.sin(heading)
            position[:, 0] += cosine * command[:, 0] - sine * command[:, 1]
            position[:, 1] += sine * command[:, 0] + cosine * command[:, 1]
            heading += dt * command[:, 2]
    step = SimpleNamespace(
        root_pos_e=torch.as_tensor(position),
        commands={"velocity": torch.as_tensor(command)},
        dt=task.control_dt,
        max_episode_length=task.max_episode_length,
    )
    done = torch.ones(samples, dtype=torch.bool)
    up, down = distance_walked(done, cast(Step, step), 0.5 * task.scene.terrain.cell_size)
    return float(up.double().mean()), float(down.double().mean())


def report(data: Data) -> str:
    """What came of the run, and a Markdown table of where the robots ended up."""
    start, lowest, end = climb(data)
    up, down = obedient()
    lines = [
        f"mean level {start:.2f} at the start, {lowest:.2f} at the lowest, {end:.2f} over the last tenth",
        f"robots that moved exactly as told would go up after {up:.0%} of their episodes, down after {down:.0%}",
    ]
    if "closing" not in data:
        return "\n".join([*lines, "the run was cut off"])
    lines.append(
        f"{data['env_steps'] / 1e6:.0f} M steps in {data['seconds']:.0f} s, {data['steps_per_second']:,.0f} steps/s, "
        f"{data['non_finite']} states not finite, {data['device']}"
    )
    lines += [f"{name}: {value:.3f}" for name, value in data["closing"].items() if name.startswith("episode/")]
    total = [sum(counts) for counts in zip(*data["levels_of"].values(), strict=True)]
    lines += ["", "| ground | robots | mean level | on the hardest |", "|---|---:|---:|---:|"]
    lines += [
        f"| {kind} | {sum(counts)} | {mean_level(counts):.1f} | {100 * counts[-1] / sum(counts):.0f} % |"
        for kind, counts in {**data["levels_of"], "all": total}.items()
    ]
    return "\n".join(lines)


def plot(data: Data, path: Path) -> None:
    """Levels and return over environment steps, with the seconds of training above."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    column = {
        name: np.array([math.nan if row[index] is None else row[index] for row in data["curve"]])
        for index, name in enumerate(data["columns"])
    }
    steps, seconds = column["env_steps"] / 1e6, column["time/seconds"]
    picture, panels = pyplot.subplots(2, 1, figsize=(7, 5), dpi=110, layout="constrained", sharex=True)
    panels[0].fill_between(
        steps, column["lowest_tenth"], column["highest_tenth"], alpha=0.15, lw=0, label="all but a tenth at either end"
    )
    panels[0].plot(steps, column["mean_level"], lw=1.5, label="mean of all robots")
    panels[0].set(ylabel="level of terrain", ylim=(0.0, None))
    panels[0].legend(frameon=False, loc="upper left")
    panels[1].plot(steps, column["episode/return"], lw=1.0)
    panels[1].set(ylabel="return of an episode", xlabel="million environment steps")
    for axes in panels:
        axes.spines["right"].set_visible(False)
        axes.grid(alpha=0.25)
    if len(steps) > 1:
        above = panels[0].secondary_xaxis(
            "top",
            functions=(lambda x: np.interp(x, steps, seconds), lambda x: np.interp(x, seconds, steps)),
        )
        above.set_xlabel(f"seconds of training ({data['task']})")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path)
    pyplot.close(picture)


if __name__ == "__main__":
    main()
