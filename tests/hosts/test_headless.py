from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from humanoid_rl_ext.cli import main
from humanoid_rl_ext.hosts.headless import BarProgress, PlainProgress
from humanoid_rl_ext.train.metrics import MetricHistory

REPOSITORY = Path(__file__).parents[2]


def test_ctrl_c_saves_and_exits_130_and_the_run_goes_on_afterwards(tmp_path: Path) -> None:
    run, environment = tmp_path / "run", {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = ["train", "gym:CartPole-v1", "--envs", "2", "--steps", "100M", "--run", str(run), "--json"]
    training = subprocess.Popen(
        [sys.executable, "-m", "humanoid_rl_ext", *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 120
    while not ((run / "metrics.jsonl").is_file() and len((run / "metrics.jsonl").read_text().splitlines()) >= 2):
        assert training.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    training.send_signal(signal.SIGINT)
    out, err = training.communicate(timeout=60)
    assert training.returncode == 130
    assert b"interrupted and saved" in err and b"Traceback" not in err
    (line,) = out.decode().splitlines()
    trained = json.loads(line)
    assert Path(trained["checkpoint"]).name == f"step_{trained['env_steps']}"
    assert main(["train", "--resume", str(run), "--steps", str(trained["env_steps"] + 1)]) == 0
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["env_steps"] == trained["env_steps"] + lines[0]["env_steps"]
    assert [line["iteration"] for line in lines] == list(range(1, len(lines) + 1))


def test_what_goes_wrong_is_told_among_the_lines_and_above_the_bar(capsys) -> None:
    session = SimpleNamespace(
        config=SimpleNamespace(run=SimpleNamespace(env_steps=8)),
        env_steps=0,
        env=SimpleNamespace(task_name="walker"),
        history=MetricHistory(),
    )
    for progress in (PlainProgress(session), BarProgress(session)):
        progress.warn("lost [a robot]")
        progress.close()
        assert "hrl: lost [a robot]\n" in capsys.readouterr().err
