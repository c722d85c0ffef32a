"""``train`` and ``evaluate``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.cli.output import Output, working
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.task.foreign import is_foreign

if TYPE_CHECKING:
    from humanoid_rl_ext.train.session import Session
    from humanoid_rl_ext.train.start import RunPlan

NOT_A_METRIC = {"episodes", "return", "length", "success_rate", "non_finite"}


def train(arguments: argparse.Namespace, out: Output) -> int:
    """Trains a new run, or goes on with one."""
    from humanoid_rl_ext.train.run_folder import task_name

    plan = _plan(arguments)
    with working(f"hrl: starting {task_name(plan.task)}") as check_interrupt:
        from humanoid_rl_ext.hosts.headless import run_headless
        from humanoid_rl_ext.train.start import open_session

        session = open_session(plan, before_writing=check_interrupt)
    out.run_folder = plan.path
    try:
        spec, run = session.env.spec, plan.config.run
        print(
            f"hrl: {session.env.task_name}: {plan.config.algorithm}, {session.env.engine_name} ({session.device}), "
            f"{spec.num_envs} environments, {run.env_steps:,} steps, seed {run.seed}\nhrl: run folder {plan.path}",
            file=sys.stderr,
        )
        interrupted = run_headless(session)
        summary = _summary(session, plan)
        out.result(summary, _summary_text(summary))
    finally:
        session.close()
    said, command = (
        ("interrupted and saved; go on with", "train --resume")
        if interrupted
        else ("to see what it learnt", "evaluate")
    )
    print(f"hrl: {said}: ./hrl {command} {shlex.quote(str(plan.path))}", file=sys.stderr)
    return 130 if interrupted else 0


def evaluate(arguments: argparse.Namespace, out: Output) -> int:
    """Plays episodes with the newest checkpoint of a run, or with the one named."""
    from humanoid_rl_ext.train.checkpoint import check_fit, latest_checkpoint, read_checkpoint, restoring
    from humanoid_rl_ext.train.config import read_run_config
    from humanoid_rl_ext.train.run_folder import RunFolder, task_name

    path: Path = arguments.run.absolute()
    checkpoint_given = path.parent.name == "checkpoints"
    folder = RunFolder.existing(path.parents[1] if checkpoint_given else path)
    checkpoint_path = path if checkpoint_given else latest_checkpoint(path)
    checkpoint = read_checkpoint(checkpoint_path)
    task = folder.task_at(checkpoint.header["env_steps"])
    config = read_run_config(folder.learner, device=arguments.device, engine=arguments.engine)
    seed = config.run.seed + 1 if arguments.seed is None else arguments.seed
    run = config.run.model_copy(update={"seed": seed})
    num_envs = arguments.num_envs or min(arguments.episodes, max(config.run.num_envs, 100))
    with working(f"hrl: playing {arguments.episodes:,} episodes of {task_name(task)}"):
        from humanoid_rl_ext.train.evaluate import evaluate_policy
        from humanoid_rl_ext.train.start import build

        env, learner, _ = build(task, config.model_copy(update={"run": run}), num_envs)
        try:
            check_fit(checkpoint, env.spec)
            with restoring(checkpoint_path):
                learner.load_state_dict(checkpoint.state["learner"])
            result = evaluate_policy(env, learner, arguments.episodes)
        finally:
            env.close()
    data = {"run": str(folder.path), "checkpoint": str(checkpoint_path), "task": env.task_name, **result.to_json()}
    out.result(data, _text(data))
    return 0


def _plan(arguments: argparse.Namespace) -> RunPlan:
    """The run that the arguments describe, checked as far as that goes without importing torch."""
    from humanoid_rl_ext.train.start import plan_resume, plan_run

    words = list(arguments.words)
    settings: dict[str, Any] = {
        "num_envs": arguments.num_envs,
        "env_steps": arguments.steps,
        "device": arguments.device,
        "engine": arguments.engine,
    }
    if arguments.resume is not None:
        fixed = {"--run": arguments.run, "--algo": arguments.algo, "--robot": arguments.robot, "--seed": arguments.seed}
        given = [option for option, value in fixed.items() if value is not None]
        if given:
            raise BadInputError(f"{given[0]} cannot change in a resumed run; start a new one with it")
        if words and "=" not in words[0]:
            raise BadInputError(f"'{words[0]}': a resumed run keeps its task; leave TASK out")
        return plan_resume(arguments.resume, words, **settings)
    if not words or ("=" in words[0] and not is_foreign(words[0])):
        raise BadInputError("which task? ./hrl train TASK, a .yaml file, gym:ID or pz:ID; './hrl tasks' lists them")
    return plan_run(
        words[0],
        words[1:],
        algorithm=arguments.algo or "ppo",
        robot=arguments.robot,
        run=arguments.run,
        seed=arguments.seed,
        **settings,
    )


def _summary(session: Session, plan: RunPlan) -> dict[str, Any]:
    """What ``train --json`` prints. Means are over the last part of the run: ``MetricHistory.closing_window``."""
    from humanoid_rl_ext.sim.device import used_memory

    means = session.closing_figures()
    steps = session.env_steps - session.first_env_steps
    ready = session.first_step_at - process_start() if session.first_step_at is not None else None
    return {
        "run": str(plan.path),
        "task": session.env.task_name,
        "algorithm": plan.config.algorithm,
        "seed": plan.config.run.seed,
        "engine": session.env.engine_name,
        "device": session.device,
        "num_envs": session.env.spec.num_envs,
        "env_steps": session.env_steps,
        "seconds": session.seconds,
        "startup_seconds": ready,
        "steps_per_second": steps / session.seconds if session.seconds else None,
        "mean_return": means.get("episode/return"),
        "mean_episode_length": means.get("episode/length"),
        "max_episode_length": session.env.spec.max_episode_length,
        "success_rate": means.get("episode/success_rate"),
        "non_finite": session.non_finite,
        "gpu_memory_mb": used_memory(session.device) / 1e6 or None,
        "metrics": {
            name.removeprefix("episode/"): value
            for name, value in means.items()
            if name.removeprefix("episode/") not in NOT_A_METRIC
        },
        "checkpoint": str(session.checkpoint) if session.checkpoint else None,
    }


def _summary_text(summary: dict[str, Any]) -> str:
    keys = ("env_steps", "seconds", "steps_per_second", "mean_return", "mean_episode_length", "success_rate")
    return _text({**{key: summary[key] for key in keys}, "metrics": summary["metrics"], "run": summary["run"]})


def _text(data: dict[str, Any]) -> str:
    """Names and figures in two columns; groups are indented."""
    rows = []
    for name, value in data.items():
        if isinstance(value, dict):
            rows += [(f"  {inner}", _figure(figure)) for inner, figure in value.items()]
        else:
            rows.append((name, _figure(value)))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else "-" if value is None else str(value)


def process_start() -> float:
    """``time.time()`` when this process was started, its launcher included where that handed over by exec."""
    fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - age
