"""Checkpoints on disk: ``checkpoints/step_N/`` with one safetensors and one JSON file, whole or not there at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec
from humanoid_rl_ext.errors import CheckpointError

if TYPE_CHECKING:
    import torch

FORMAT = 1
TENSORS, TREE = "tensors.safetensors", "checkpoint.json"
HEADER = {"env_steps", "spec", "sha256", "state"}
"""What reading a checkpoint relies on."""
_STEP = re.compile(r"step_(\d+)")
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint in memory: ``header`` says what it is, ``state`` is what was saved."""

    path: Path
    header: dict[str, Any]
    state: dict[str, Any]


def write_checkpoint(folder: Path, env_steps: int, header: dict[str, Any], state: dict[str, Any]) -> Path:
    """Path of the new ``folder/step_N``, complete on disk when this returns.

    Everything is written into a folder of another name, flushed to the disk and renamed, so that a process killed at
    any moment leaves the earlier checkpoints and never half of this one.
    """
    from safetensors.torch import save

    from humanoid_rl_ext.train.state_tree import flatten

    tree, tensors = flatten(state)
    blob = save(tensors)
    content = {**header, "format": FORMAT, "env_steps": env_steps, "sha256": hashlib.sha256(blob).hexdigest()}
    text = json.dumps({**content, "state": tree}, allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left_over)
    aside, final = folder / f"{_UNFINISHED}{env_steps}", folder / f"step_{env_steps}"
    aside.mkdir()
    _write_through(aside / TENSORS, blob)
    _write_through(aside / TREE, text.encode())
    _flush(aside)
    if final.exists():  # the same step saved twice: a rename cannot replace a folder that holds files
        final.rename(folder / f"{_UNFINISHED}replaced")
    aside.rename(final)
    _flush(folder)
    shutil.rmtree(folder / f"{_UNFINISHED}replaced", ignore_errors=True)
    return final


def list_checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints in a folder, earliest first."""
    if not folder.is_dir():
        return []
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := _STEP.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def latest_checkpoint(run: Path) -> Path:
    """The newest checkpoint of a run folder; raises CheckpointError when there is none."""
    found = list_checkpoints(run / "checkpoints")
    if not found:
        raise CheckpointError(f"{run}: holds no checkpoint yet; start it anew with './hrl train'")
    return found[-1]


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """A checkpoint with its tensors on ``device``; raises CheckpointError when it is missing, truncated or altered."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from humanoid_rl_ext.train.state_tree import unflatten

    try:
        header = json.loads((path / TREE).read_text(encoding="utf-8"))
        blob = (path / TENSORS).read_bytes()
    except FileNotFoundError as error:
        raise CheckpointError(f"{error.filename}: missing; is {path.name} a checkpoint of this project?") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path / TREE}: truncated or corrupt ({error}); {_way_out(path)}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT or not header.keys() >= HEADER:
        raise CheckpointError(f"{path / TREE}: not a checkpoint of format {FORMAT}; {_way_out(path)}")
    if hashlib.sha256(blob).hexdigest() != header.get("sha256"):
        raise CheckpointError(f"{path / TENSORS}: truncated or corrupt; {_way_out(path)}")
    try:
        state = unflatten(header.pop("state"), {name: tensor.to(device) for name, tensor in load(blob).items()})
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: corrupt ({error}); {_way_out(path)}") from None
    return Checkpoint(path, header, state)


@contextmanager
def restoring(path: Path) -> Iterator[None]:
    """Turns what goes wrong while a checkpoint's state is taken over into a CheckpointError."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path}: does not fit the settings of its run in learner.yaml ({reason})") from error


def prune(folder: Path, keep: int, best: int | None) -> None:
    """Removes all but the newest ``keep`` checkpoints and the one saved at ``best`` env steps."""
    for path in list_checkpoints(folder)[:-keep]:
        if path.name != f"step_{best}":
            gone = path.rename(folder / f"{_UNFINISHED}{path.name}")  # never half a checkpoint under its real name
            shutil.rmtree(gone)


def describe_spec(spec: EnvSpec) -> dict[str, Any]:
    """Sizes and names of observations and actions as plain data, stored with a checkpoint to match it later."""
    agents = [
        {"name": agent.name, "observes": list(agent.observes), "size": agent.action.size, "acts": list(agent.acts)}
        for agent in spec.agents
    ]
    return {
        "observations": dict(spec.observations),
        "observation_names": {group: list(names) for group, names in (spec.observation_names or {}).items()},
        "action": {"kind": spec.action.kind, "size": spec.action.size, "names": list(spec.action.names)},
        **({"agents": agents, "reward_per_agent": spec.reward_per_agent} if agents else {}),
    }


def saved_agents(saved: dict[str, Any]) -> tuple[AgentSpec, ...]:
    """The agents of what ``describe_spec`` made, without the names of their actions."""
    kind = saved["action"]["kind"]
    return tuple(
        AgentSpec(agent["name"], tuple(agent["observes"]), ActionSpec(kind, agent["size"]), tuple(agent["acts"]))
        for agent in saved.get("agents", [])
    )


def check_fit(checkpoint: Checkpoint, spec: EnvSpec) -> None:
    """Raises CheckpointError that names the first way in which a checkpoint does not fit an environment."""
    saved, here = checkpoint.header["spec"], describe_spec(spec)
    for group in {**saved["observations"], **here["observations"]}:
        then, now = saved["observations"].get(group, 0), here["observations"].get(group, 0)
        if then != now:
            names = _difference(saved["observation_names"].get(group, []), here["observation_names"].get(group, []))
            raise CheckpointError(f"{checkpoint.path}: {group} observations: checkpoint {then}, task {now}{names}")
    then, now = saved["action"], here["action"]
    if (then["kind"], then["size"]) != (now["kind"], now["size"]):
        names = _difference(then["names"], now["names"])
        sizes = f"checkpoint {then['size']} {then['kind']}, task {now['size']} {now['kind']}"
        raise CheckpointError(f"{checkpoint.path}: actions: {sizes}{names}")
    for what, before, after in (
        *(
            (f"{g} observations", saved["observation_names"].get(g), names)
            for g, names in here["observation_names"].items()
        ),
        ("actions", then["names"], now["names"]),
    ):
        if before and after and list(before) != list(after):
            raise CheckpointError(f"{checkpoint.path}: {what} are others than in the task{_difference(before, after)}")
    _check_agents(checkpoint.path, saved.get("agents", []), here.get("agents", []), here["action"]["kind"])


def _check_agents(path: Path, then: list[dict[str, Any]], now: list[dict[str, Any]], kind: str) -> None:
    """Numbers for all joints are the same whoever they come from; choices, and what several agents learnt, are not."""
    if then == now or (kind == "box" and not (then and now)):
        return
    before, after = ([agent["name"] for agent in agents] for agents in (then, now))
    if before != after:
        raise CheckpointError(f"{path}: agents are others than in the task{_difference(before, after)}")
    changed = next(a["name"] for a, b in zip(then, now, strict=True) if a != b)
    raise CheckpointError(f"{path}: agent '{changed}' sees or moves something else in the task")


def _difference(then: list[str], now: list[str]) -> str:
    only_then, only_now = [n for n in then if n not in now], [n for n in now if n not in then]
    parts = [
        f"only in the {where}: {', '.join(names[:4])}{' ...' if len(names) > 4 else ''}"
        for where, names in (("checkpoint", only_then), ("task", only_now))
        if names
    ]
    if not parts and then and sorted(then) == sorted(now) and then != now:
        parts = ["the same names in another order"]
    return f" ({'; '.join(parts)})" if parts else ""


def _way_out(path: Path) -> str:
    earlier = [other.name for other in list_checkpoints(path.parent) if other.name != path.name]
    return f"delete that folder to go on from {earlier[-1]}" if earlier else "no other checkpoint is there"


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    if os.name == "nt":  # Windows has no way to flush a folder, and no need to
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
