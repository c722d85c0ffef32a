"""The estimate of a GPU's memory against what runs really take of it.

`./hrl test -m gpu tests/train/test_memory_cuda.py -s` prints what it measures; some five minutes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.train.config import RunConfig, load_run_config
from humanoid_rl_ext.train.memory import Need, free_gpu_memory, rehearse_apart, rehearsed

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
]
CUDA = "cuda:0"
TASK = "humanoid_walk"
SIZES = {"newton": (1024, 4096, 16384), "ovphysx": (4096,)}


def config() -> RunConfig:
    return load_run_config("ppo", TASK, device=CUDA)


@pytest.mark.parametrize("engine", SIZES)
def test_the_estimate_is_what_a_run_of_that_size_takes(engine: str) -> None:
    began = time.perf_counter()
    need, on_host = rehearsed(load_task(TASK), engine, CUDA, config())
    print(
        f"\n{engine}: rehearsed in {time.perf_counter() - began:.1f} s: {need.small[0]} environments take "
        f"{need.small[1] / 1e6:,.0f} MB, {need.large[0]} {need.large[1] / 1e6:,.0f} MB, so "
        f"{(need.of(1001) - need.of(1000)) / 1e3:,.0f} kB each; {need.available / 1e6:,.0f} MB free on the GPU: "
        f"{need.fitting:,} fit, and {on_host.fitting:,} into the machine's memory"
    )
    for num_envs in SIZES[engine]:
        measured = rehearse_apart(load_task(TASK), engine, CUDA, config(), (num_envs,)).gpu[0]
        error = need.of(num_envs) / measured - 1.0
        print(
            f"{engine}, {num_envs:,} environments: estimated {need.of(num_envs) / 1e6:,.0f} MB, "
            f"measured {measured / 1e6:,.0f} MB ({error:+.1%})"
        )
        if num_envs >= 4096:  # fewer are never asked about, and rounding shows in them
            assert abs(error) < 0.1


def test_the_number_that_fits_does_fit() -> None:
    free = free_gpu_memory(CUDA)
    taken = torch.empty(max(0, int(free - 12e9)), dtype=torch.uint8, device=CUDA)
    try:
        need, _ = rehearsed(load_task(TASK), "newton", CUDA, config())
        assert isinstance(need, Need) and 4096 < need.fitting < 200_000
        took = rehearse_apart(load_task(TASK), "newton", CUDA, config(), (need.fitting,)).gpu[0]
        print(f"\n{need.fitting:,} environments fit into {need.available / 1e9:.1f} GB; they took {took / 1e9:.1f} GB")
        assert 0.8 * need.available < took < need.available
    finally:
        del taken
        torch.cuda.empty_cache()


def hrl(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "humanoid_rl_ext", *arguments],
        env={**os.environ, "HUMANOID_RL_HOME": str(home)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("command", [["train", TASK], ["bench", "env", "--task", TASK]], ids=["train", "bench"])
@pytest.mark.parametrize("engine", SIZES)
def test_an_impossible_number_ends_with_one_line_before_anything_is_written(
    command: list[str], engine: str, tmp_path: Path
) -> None:
    began = time.perf_counter()
    done = hrl(tmp_path, *command, "--envs", "1M", "--device", "cuda", "--engine", engine)
    print(f"\n{' '.join(command)} on {engine}, after {time.perf_counter() - began:.1f} s: {done.stderr.strip()}")
    lines = [line for line in done.stderr.splitlines() if line.startswith("hrl: ")]
    assert done.returncode == 2 and len(lines) == 1
    assert re.search(r"1,000,000 environments need about [\d,.]+ GB of memory.*; [\d,]+ would fit", lines[0])
    assert not (tmp_path / "runs").exists()


def test_a_run_reports_the_memory_in_use_on_the_gpu(tmp_path: Path) -> None:
    small = ("--envs", "256", "--steps", "32k", "--device", "cuda", "--engine", "newton", "--json")
    done = hrl(tmp_path, "train", "cartpole_balance", *small)
    assert done.returncode == 0, done.stderr
    trained = json.loads(done.stdout)
    metrics = [json.loads(line) for line in (Path(trained["run"]) / "metrics.jsonl").read_text().splitlines()]
    print(f"\ncartpole_balance, 256 environments: {trained['gpu_memory_mb']:,.0f} MB in use")
    assert 100 < metrics[-1]["time/gpu_memory_mb"] <= 1.1 * trained["gpu_memory_mb"]
