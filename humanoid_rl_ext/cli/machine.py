"""``inspect``, ``doctor``, ``bench`` and ``test``: robots, this machine, its speed, the project itself."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from humanoid_rl_ext.cli.output import Output, working
from humanoid_rl_ext.errors import BadInputError

if TYPE_CHECKING:
    from humanoid_rl_ext.task.schema import Task


def inspect(arguments: argparse.Namespace, out: Output) -> int:
    """Shows a robot file as tables, or as data."""
    from humanoid_rl_ext.robot import load_robot
    from humanoid_rl_ext.robot.inspect import inspect_json, print_robot

    robot = load_robot(arguments.robot)
    if out.json:
        out.result(inspect_json(robot), "")
    else:
        print_robot(robot)
    return 0


def doctor(arguments: argparse.Namespace, out: Output) -> int:
    """Checks the installation; its own exit status says whether all is well."""
    from humanoid_rl_ext import doctor as checks

    with out.untouched():
        return checks.run(json=out.json)


def bench(arguments: argparse.Namespace, out: Output) -> int:
    """Measures the environment against physics alone, or what the open Studio costs."""
    return {"env": _bench_env, "ui": _bench_ui}[arguments.subject](arguments, out)


def _bench_env(arguments: argparse.Namespace, out: Output) -> int:
    from humanoid_rl_ext.train.start import load_any_task, resolve_device

    task = load_any_task(arguments.task or ("humanoid_walk_rough" if arguments.full else "humanoid_walk"))
    if isinstance(task, str):
        raise BadInputError(f"bench env: {task} has no physics of its own to compare with; name one of './hrl tasks'")
    from humanoid_rl_ext.env.bench import bench_env
    from humanoid_rl_ext.train.memory import check_memory

    device = resolve_device(arguments.device or "auto")
    engine, num_envs = arguments.engine or "ovphysx", arguments.num_envs or 256
    check_memory(task, num_envs, engine, device, None)
    if arguments.full:
        return _bench_full(task, engine, num_envs, device, out)
    result = bench_env(task, engine=engine, num_envs=num_envs, device=device)
    text = (
        f"{result['task']} on {result['engine']} ({result['device']}), {result['num_envs']} environments\n"
        f"physics alone  {result['physics_only']:>12,.0f} steps/s\n"
        f"environment    {result['env']:>12,.0f} steps/s\n"
        f"ratio          {result['ratio']:>12.3f}"
    )
    if result["gpu_memory_mb"] is not None:
        text += f"\nGPU memory     {result['gpu_memory_mb']:>12,.0f} MB"
    out.result(result, text)
    return 0


def _bench_full(task: Task, engine: str, num_envs: int, device: str, out: Output) -> int:
    from humanoid_rl_ext.env.bench_full import bench_full

    result = bench_full(task, engine=engine, num_envs=num_envs, device=device)
    out.result(
        result,
        f"{result['task']} on {result['engine']} ({result['device']}), {result['num_envs']} environments\n"
        f"without   {result['plain']:>12,.0f} steps/s\n"
        f"with all  {result['full']:>12,.0f} steps/s: randomisation, 187 points of height, a history of 4\n"
        f"added     {result['added']:>12.1%} to a step",
    )
    return 0


def _bench_ui(arguments: argparse.Namespace, out: Output) -> int:
    from humanoid_rl_ext.hosts.bench_ui import bench_ui

    task = arguments.task or "humanoid_walk"
    with working(f"hrl: measuring the Studio with {task}"):
        result = bench_ui(task, num_envs=arguments.num_envs or 64, device=arguments.device or "auto")
    rates = result["steps_per_second"]
    text = (
        f"{result['task']} on {result['device']}, {result['num_envs']} environments\n"
        f"training alone              {rates['headless']:>10,.0f} steps/s\n"
        f"everything in view          {rates['visible']:>10,.0f} steps/s, costs {result['cost_visible']:.1%}\n"
        f"viewport and plots closed   {rates['collapsed']:>10,.0f} steps/s, costs {result['cost_collapsed']:.1%}\n"
        f"redraws                     {result['redraws_per_second']:>10.1f} a second\n"
        f"frame, its work included    {result['frame_ms_p99']:>10.1f} ms (99 % of frames are shorter)\n"
        f"a click is answered after   {result['answer_ms_median']:>10.1f} ms, "
        f"95 % of them within {result['answer_ms_p95']:.1f} ms"
    )
    out.result(result, text)
    return 0


def launcher(arguments: argparse.Namespace, out: Output) -> int:
    """What the launcher does itself, because it first installs what is needed."""
    raise BadInputError("this is for the launcher: ./hrl test [PYTEST ARGUMENTS], ./hrl python SCRIPT [ARGUMENTS]")
