"""``tasks``, ``robots``, ``learners`` and ``terms``: what there is. None of them imports torch."""

from __future__ import annotations

import argparse
from typing import Any

from humanoid_rl_ext.cli.output import Output, table


def tasks(arguments: argparse.Namespace, out: Output) -> int:
    """Lists the task presets."""
    from humanoid_rl_ext.task.loading import load_task, task_names

    loaded = [load_task(name) for name in task_names()]
    data = [{"name": task.name, "description": task.description, "robot": task.robot.source} for task in loaded]
    lines = table([(task.name, task.description) for task in loaded])
    others = (
        "gym:ID trains any Gymnasium environment, for example gym:CartPole-v1\n"
        "pz:ID trains the agents of a PettingZoo environment, for example pz:mpe2.simple_spread_v3"
    )
    out.result({"tasks": data}, f"{lines}\n\n{others}")
    return 0


def robots(arguments: argparse.Namespace, out: Output) -> int:
    """Lists the bundled robots."""
    from humanoid_rl_ext.robot import bundled_robots

    names = list(bundled_robots())
    out.result(
        {"robots": names}, "\n".join([*names, "", "./hrl inspect NAME shows one; --robot also takes a file of yours"])
    )
    return 0


def learners(arguments: argparse.Namespace, out: Output) -> int:
    """Lists what each algorithm works with, and its settings."""
    from humanoid_rl_ext.learn import LEARNERS

    head = ("algorithm", "actions", "learns", "agents")
    overview = [head, *((entry.name, *entry.properties) for entry in LEARNERS.values())]
    data, text = [], [table(overview)]
    for entry in LEARNERS.values():
        fields = entry.settings.model_json_schema()["properties"]
        data.append(
            {
                "name": entry.name,
                "help": entry.help,
                "actions": list(entry.action_kinds),
                "on_policy": entry.on_policy,
                "multi_agent": entry.multi_agent,
                "settings": fields,
            }
        )
        rows = [(f"learner.{name}", _default(field), field.get("description", "")) for name, field in fields.items()]
        text.append(f"{entry.name}: {entry.help}\n{table(rows, '  ')}")
    out.result({"learners": data}, "\n\n".join(text))
    return 0


def terms(arguments: argparse.Namespace, out: Output) -> int:
    """Lists every term that a task can use, by kind, with its parameters."""
    if arguments.markdown:
        from humanoid_rl_ext.cli.reference import reference

        print(reference(), end="")
        return 0
    from humanoid_rl_ext.task.registry import KINDS
    from humanoid_rl_ext.task.registry import terms as registered

    data: dict[str, list[dict[str, Any]]] = {}
    text = []
    for kind in KINDS:
        found = registered(kind)
        data[kind] = [
            {
                "name": name,
                "help": spec.help,
                "params": [
                    {"name": param.name, "type": param.type, "default": param.default} for param in spec.params.values()
                ],
            }
            for name, spec in found.items()
        ]
        rows = []
        for name, spec in found.items():
            rows.append((name, spec.help))
            if spec.params:
                rows.append(("", ", ".join(f"{p.name}={_yaml(p.default)}" for p in spec.params.values())))
        text.append(f"{kind}\n{table(rows, '  ')}")
    out.result({"terms": data}, "\n\n".join(text))
    return 0


def _yaml(value: Any) -> str:
    """A default as a task would write it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple | list) else str(value)


def _default(field: dict[str, Any]) -> str:
    return str(field["default"]) if "default" in field else "required"
