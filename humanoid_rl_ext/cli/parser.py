"""Arguments of every command."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from humanoid_rl_ext import __version__
from humanoid_rl_ext.errors import did_you_mean


class _Parser(argparse.ArgumentParser):
    """Mistakes take one line; the usage stays in --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"hrl: {message}; see '{self.prog} --help'\n")


def _command(module: str, function: str) -> Callable[..., int]:
    """A command that is imported when it is run."""

    def run(*arguments: Any) -> int:
        return getattr(importlib.import_module(f"humanoid_rl_ext.cli.{module}"), function)(*arguments)

    return run


def count(text: str) -> int:
    """A positive whole number such as 300000, 300_000, 300k, 2M or 1e6."""
    factor = {"k": 10**3, "m": 10**6, "b": 10**9}.get(text[-1:].lower(), 1)
    try:
        value = float(text[:-1] if factor > 1 else text) * factor
    except ValueError:
        value = 0
    if not 1 <= value < 1e15 or value != int(value):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive whole number (300000, 300k, 2M, 1e6)")
    return int(value)


def seed(text: str) -> int:
    """A whole number from 0 to 2147483647."""
    if not text.isdecimal() or not text.isascii() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 to {2**31 - 1}")
    return int(text)


def size(text: str) -> tuple[int, int]:
    """A size in pixels such as 1920x1080."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) >= 640 and int(height) >= 480):
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 1920x1080 (at least 640x480)")
    return int(width), int(height)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with ``command`` (a function), ``json`` and ``debug``; ends with status 2 when they are wrong."""
    parser, commands = _build()
    words = [word for word in argv if not word.startswith("-")]
    if words and words[0] not in commands:
        parser.error(f"unknown command '{words[0]}': {did_you_mean(words[0], commands)}")
    arguments, rest = parser.parse_known_args(argv)
    if "command" not in arguments:
        parser.print_help()
        sys.exit(0 if not argv else 2)
    if rest and (any(word.startswith("-") for word in rest) or not hasattr(arguments, "words")):
        options = [option for action in commands[words[0]]._actions for option in action.option_strings]
        wrong = next((word for word in rest if word.startswith("-")), rest[0])
        hint = f": {did_you_mean(wrong.partition('=')[0], options)}" if wrong.startswith("-") else ""
        commands[words[0]].error(f"unknown argument '{wrong}'{hint}")
    if hasattr(arguments, "words"):
        arguments.words += rest  # argparse takes words after an option apart from those before it
    return arguments


def _build() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = _Parser(prog="./hrl", description="Humanoid RL: teach robots from USD files to move.")
    parser.add_argument("--version", action="version", version=__version__)
    shared = _Parser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON object as the last line of standard output")
    shared.add_argument("--debug", action="store_true", help="show tracebacks")
    machine = _Parser(add_help=False)
    machine.add_argument("--device", metavar="D", help="auto, cpu, cuda or cuda:0")
    machine.add_argument("--engine", metavar="E", help="physics engine: ovphysx (default) or newton")
    machine.add_argument("--envs", type=count, metavar="N", dest="num_envs", help="environments side by side")
    groups = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    def add(name: str, run: Callable[..., int], help: str, *parents: _Parser) -> argparse.ArgumentParser:
        command = groups.add_parser(name, help=help, description=help, parents=[*parents, shared], allow_abbrev=False)
        command.set_defaults(command=run)
        return command

    train = add("train", _command("training", "train"), "train a policy for a task", machine)
    train.add_argument(
        "words",
        nargs="*",
        metavar="TASK [key=value ...]",
        help="a preset, a .yaml file, gym:ID or pz:ID; then values of the task, of the learner "
        "(learner.learning_rate=1e-3) or of the run (run.save_interval=10)",
    )
    train.add_argument("--robot", metavar="PATH", help="a bundled robot's name, or a USD, MJCF or URDF file")
    train.add_argument("--algo", metavar="NAME", help="algorithm (ppo)")
    train.add_argument("--steps", type=count, metavar="N", help="control steps of all environments together")
    train.add_argument("--seed", type=seed, metavar="N", help="seed of everything random")
    train.add_argument("--run", type=Path, metavar="DIR", help="run folder (default: <home>/runs/<task>/<time>)")
    train.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with a run in its folder; --steps gives it more"
    )

    studio = add("studio", _command("studio", "studio"), "open the panel: set, train, watch and drive with the mouse")
    studio.add_argument(
        "what",
        nargs="?",
        default="humanoid_walk",
        metavar="TASK|RUN",
        help="a preset, a .yaml file, or a run folder, whose newest checkpoint is played (humanoid_walk)",
    )
    studio.add_argument("--size", type=size, metavar="WxH", help="size of the window in pixels (most of the screen)")

    evaluate = add("evaluate", _command("training", "evaluate"), "play whole episodes with a trained policy", machine)
    evaluate.add_argument("run", type=Path, metavar="RUN", help="run folder, or one of its checkpoints")
    evaluate.add_argument("--episodes", type=count, default=100, metavar="N", help="how many (100)")
    evaluate.add_argument(
        "--seed", type=seed, metavar="N", help="seed of the start states (default: another than in training)"
    )

    export = add("export", _command("export", "export"), "write a trained policy in a form that others can play")
    export.add_argument("run", type=Path, metavar="RUN", help="run folder, or one of its checkpoints")
    export.add_argument(
        "--format",
        default="torchscript",
        metavar="NAME",
        help="torchscript: policy.pt and env.yaml, as Isaac Sim's PolicyController loads them (torchscript)",
    )
    export.add_argument("--output", type=Path, metavar="DIR", help="folder to write (default: <run>/exports/step_N)")
    export.add_argument(
        "--dof-names",
        metavar="A,B,...",
        help="order of the robot's joints in the target (default: as the run has them)",
    )

    add("tasks", _command("lists", "tasks"), "list the tasks")
    add("robots", _command("lists", "robots"), "list the bundled robots")
    add("learners", _command("lists", "learners"), "list the algorithms and their settings")
    every = add("terms", _command("lists", "terms"), "list rewards, observations and all other terms with parameters")
    every.add_argument("--markdown", action="store_true", help="print the reference page of all terms")

    inspect = add("inspect", _command("machine", "inspect"), "show what a robot file holds, and what is wrong with it")
    inspect.add_argument("robot", metavar="ROBOT", help="a USD, MJCF or URDF file, or a bundled robot's name")
    add("doctor", _command("machine", "doctor"), "check this machine and the installation")
    bench = add("bench", _command("machine", "bench"), "measure speed", machine)
    bench.add_argument(
        "subject", choices=["env", "ui"], help="env: the environment against physics alone; ui: what the Studio costs"
    )
    bench.add_argument(
        "--task", metavar="TASK", help="task to measure (humanoid_walk; with --full humanoid_walk_rough)"
    )
    bench.add_argument(
        "--full", action="store_true", help="env: what randomisation, height scan and history add to a step"
    )
    add("python", _command("machine", "launcher"), "run a script, such as a benchmark, in the project's environment")
    add("test", _command("machine", "launcher"), "run the project's checks and tests (./hrl test [PYTEST ARGUMENTS])")
    return parser, dict(groups.choices)
