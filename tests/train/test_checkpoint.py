from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec
from humanoid_rl_ext.errors import CheckpointError
from humanoid_rl_ext.train import checkpoint as checkpoints
from humanoid_rl_ext.train.checkpoint import (
    check_fit,
    describe_spec,
    latest_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from humanoid_rl_ext.train.state_tree import flatten, unflatten

REPOSITORY = Path(__file__).parents[2]
WALKER = EnvSpec(4, {"policy": 3}, ActionSpec("box", 2, ("hip", "knee")), 10, {"policy": ("x", "y", "z")})


def save(folder: Path, env_steps: int, spec: EnvSpec = WALKER) -> Path:
    state = {"weights": torch.arange(1000.0) + env_steps}
    return write_checkpoint(folder / "checkpoints", env_steps, {"spec": describe_spec(spec)}, state)


def test_nested_state_comes_back_as_it_was() -> None:
    shared = torch.arange(6.0)
    state = {
        "optimiser": {
            "state": {0: {"step": torch.tensor(3.0)}, 1: {}},
            "groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}],
        },
        "views": [shared[:3], shared.view(2, 3).T],
        "random": {"key": np.arange(4, dtype=np.uint32), "state": 2**127 + 1},
        "flags": torch.tensor([True, False]),
        "odd": {"best": -math.inf, "name": None, "$tensor": "not one"},
    }
    tree, tensors = flatten(state)
    back = unflatten(json.loads(json.dumps(tree, allow_nan=False)), tensors)
    assert back["optimiser"]["state"][0]["step"] == 3.0 and back["optimiser"]["groups"][0]["betas"] == (0.9, 0.999)
    assert back["optimiser"]["state"][1] == {}
    assert torch.equal(back["views"][1], shared.view(2, 3).T) and torch.equal(back["views"][0], shared[:3])
    assert np.array_equal(back["random"]["key"], state["random"]["key"]) and back["random"]["state"] == 2**127 + 1
    assert back["flags"].dtype == torch.bool and back["odd"] == state["odd"]


def test_state_that_only_pickle_could_store_is_refused_with_its_path() -> None:
    with pytest.raises(TypeError, match="env/clock: a PosixPath"):
        flatten({"env": {"clock": Path()}})


def test_the_newest_checkpoint_is_found_by_number_not_by_name(tmp_path: Path) -> None:
    for env_steps in (900, 1000, 80):
        save(tmp_path, env_steps)
    assert latest_checkpoint(tmp_path).name == "step_1000"
    assert read_checkpoint(latest_checkpoint(tmp_path)).state["weights"][1] == 1001.0


def test_a_run_without_checkpoints_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no checkpoint yet"):
        latest_checkpoint(tmp_path)


@pytest.mark.parametrize("name", [checkpoints.TENSORS, checkpoints.TREE])
def test_a_truncated_file_is_told_in_one_line_with_the_way_out(tmp_path: Path, name: str) -> None:
    save(tmp_path, 10)
    broken = save(tmp_path, 20) / name
    os.truncate(broken, broken.stat().st_size // 2)
    with pytest.raises(
        CheckpointError, match=r"truncated or corrupt.*delete that folder to go on from step_10"
    ) as error:
        read_checkpoint(broken.parent)
    assert str(broken) in str(error.value) and "\n" not in str(error.value)


def test_a_flipped_bit_in_the_tensors_is_noticed(tmp_path: Path) -> None:
    tensors = save(tmp_path, 10) / checkpoints.TENSORS
    content = bytearray(tensors.read_bytes())
    content[-1] ^= 1
    tensors.write_bytes(content)
    with pytest.raises(CheckpointError, match="corrupt"):
        read_checkpoint(tensors.parent)


def test_sizes_that_do_not_fit_are_named_with_what_is_missing(tmp_path: Path) -> None:
    saved = read_checkpoint(save(tmp_path, 10))
    larger = EnvSpec(4, {"policy": 4}, WALKER.action, 10, {"policy": ("x", "y", "z", "speed")})
    with pytest.raises(CheckpointError, match=r"policy observations: checkpoint 3, task 4 \(only in the task: speed\)"):
        check_fit(saved, larger)
    with pytest.raises(CheckpointError, match=r"critic observations: checkpoint 0, task 5"):
        check_fit(saved, EnvSpec(4, {"policy": 3, "critic": 5}, WALKER.action, 10, WALKER.observation_names))
    with pytest.raises(CheckpointError, match=r"actions: checkpoint 2 box, task 2 discrete"):
        check_fit(saved, EnvSpec(4, {"policy": 3}, ActionSpec("discrete", 2), 10))


def test_names_in_another_order_do_not_fit(tmp_path: Path) -> None:
    saved = read_checkpoint(save(tmp_path, 10))
    swapped = EnvSpec(4, {"policy": 3}, ActionSpec("box", 2, ("knee", "hip")), 10, WALKER.observation_names)
    with pytest.raises(CheckpointError, match=r"actions are others than in the task .*another order"):
        check_fit(saved, swapped)
    check_fit(saved, WALKER)


def test_pruning_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    for env_steps in range(10, 80, 10):
        save(tmp_path, env_steps)
    checkpoints.prune(tmp_path / "checkpoints", keep=2, best=30)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step_30", "step_60", "step_70"]


SAVE_FOR_EVER = """
import itertools, sys, torch
from pathlib import Path
from humanoid_rl_ext.train.checkpoint import write_checkpoint
for step in itertools.count(1):
    state = {"weights": torch.full((2_000_000,), float(step))}
    write_checkpoint(Path(sys.argv[1]) / "checkpoints", step, {"spec": {}}, state)
"""


def test_kill_9_during_a_save_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    writer = subprocess.Popen([sys.executable, "-c", SAVE_FOR_EVER, str(tmp_path)], env=environment)
    folder, deadline = tmp_path / "checkpoints", time.monotonic() + 120
    try:
        while not (checkpoints.list_checkpoints(folder) and list(folder.glob(".unfinished-*/*.safetensors"))):
            assert writer.poll() is None and time.monotonic() < deadline
            time.sleep(0.001)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    left = read_checkpoint(latest_checkpoint(tmp_path))
    assert torch.equal(left.state["weights"], torch.full((2_000_000,), float(left.header["env_steps"])))
    again = left.header["env_steps"] + 1
    write_checkpoint(folder, again, {"spec": {}}, {"weights": torch.zeros(1)})
    assert latest_checkpoint(tmp_path).name == f"step_{again}" and not list(folder.glob(".unfinished-*"))
