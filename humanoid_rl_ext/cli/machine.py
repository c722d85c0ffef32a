"""``inspect``, ``doctor``, ``bench`` and ``test``: robots, this machine, its speed, the project itself."""

from __future__ import annotations

import argparse

from humanoid_rl_ext.cli.output import Output
from humanoid_rl_ext.errors import BadInputError


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
    """Measures environment steps per second, whole and physics alone."""
    from humanoid_rl_ext.train.start import load_any_task, resolve_device

    task = load_any_task(arguments.task)
    if isinstance(task, str):
        raise BadInputError(f"bench env: {task} has no physics of its own to compare with; name one of './hrl tasks'")
    from humanoid_rl_ext.env.bench import bench_env

    device = resolve_device(arguments.device or "auto")
    result = bench_env(task, engine=arguments.engine or "ovphysx", num_envs=arguments.num_envs or 256, device=device)
    text = (
        f"{result['task']} on {result['engine']} ({result['device']}), {result['num_envs']} environments\n"
        f"physics alone  {result['physics_only']:>12,.0f} steps/s\n"
        f"environment    {result['env']:>12,.0f} steps/s\n"
        f"ratio          {result['ratio']:>12.3f}"
    )
    out.result(result, text)
    return 0


def launcher(arguments: argparse.Namespace, out: Output) -> int:
    """What the launcher does itself, because it first installs what is needed."""
    raise BadInputError("this is for the launcher: ./hrl test [PYTEST ARGUMENTS], ./hrl python SCRIPT [ARGUMENTS]")
