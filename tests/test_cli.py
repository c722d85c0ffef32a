"""The command line as programs and people use it, in this process; start-up and signals are in tests/hosts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from humanoid_rl_ext import learn
from humanoid_rl_ext.cli import main
from humanoid_rl_ext.cli.output import table
from humanoid_rl_ext.cli.parser import count
from humanoid_rl_ext.train import start
from humanoid_rl_ext.train.config import RunConfig, load_run_config

REPOSITORY = Path(__file__).parents[1]
SMALL = ("--envs", "2", "learner.num_steps=16", "learner.actor_hidden=[8]", "learner.critic_hidden=[8]")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def status(*arguments: str) -> int:
    """The exit status, argparse's included."""
    try:
        return main(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)


def result(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The object that a command prints with --json, after checking that it prints nothing else."""
    capfd.readouterr()
    assert main([*arguments, "--json"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "unknown command 'trian': did you mean 'train'?"),
        (["train"], "which task?"),
        (["train", "cartpole_balence"], "unknown task 'cartpole_balence'; did you mean 'cartpole_balance'?"),
        (["train", "gym:CartPole-v9"], "CartPole-v"),
        (["train", "gym:CartPole-v1", "--algo", "pp"], "unknown algorithm 'pp'; did you mean 'ppo'?"),
        (["train", "gym:CartPole-v1", "learner.gama=0.9"], "unknown key; did you mean 'gamma'?"),
        (["train", "gym:CartPole-v1", "rewards.alive.weight=1"], "has no settings of its own"),
        (["train", "gym:CartPole-v1", "--steps", "none"], "'none' is not a positive whole number"),
        (["train", "gym:CartPole-v1", "--sed", "3"], "unknown argument '--sed': did you mean '--seed'?"),
        (["train", "gym:CartPole-v1", "--device", "gpu"], "--device: run.device: 'gpu' is no device: auto, cpu, cuda"),
        (["train", "gym:CartPole-v1", "--engine", "ovphysx"], "--engine: gym:CartPole-v1 brings its own physics"),
        (["train", "gym:CartPole-v1", "--envs", "1e9"], "--envs: run.num_envs: "),
        (["train", "gym:CartPole-v1", "--seed", "-1"], "'-1' is not a whole number from 0 to 2147483647"),
        (["train", "gym:CartPole-v1", "learner=3"], "write it as learner.<setting>=value"),
        (["train", "gym:CartPole-v1", "--run", "/proc/nowhere"], "/proc/nowhere: cannot be written"),
        (["train", "walker_run", "--envs", "1M"], "1,000,000 environments of 13 bodies need about 195 GB of memory"),
        (["train", "gym:CartPole-v1", "--device", "cuda:63"], "device 'cuda:63'"),
        (["train", "cartpole_balance", "rewards.alive.wieght=1"], "did you mean 'weight'?"),
        (["train", "--resume", "nowhere"], "no such run folder"),
        (["evaluate", "nowhere"], "no such run folder"),
        (["inspect", "nowhere.usd"], "nowhere.usd"),
        (["bench", "env", "--task", "gym:CartPole-v1"], "no physics of its own"),
    ],
)
def test_bad_input_gets_one_line_and_status_2_and_leaves_nothing_behind(
    arguments: list[str], said: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status(*arguments) == 2
    captured = capfd.readouterr()
    assert captured.out == "" and said in captured.err
    assert captured.err.startswith("hrl: ") and captured.err.count("\n") == 1
    assert not (home / "runs").exists()


def test_train_prints_one_object_with_the_promised_keys(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    trained = result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "1k", "--seed", "7")
    assert (trained["task"], trained["algorithm"], trained["seed"]) == ("gym:CartPole-v1", "ppo", 7)
    assert (trained["engine"], trained["device"], trained["num_envs"], trained["env_steps"]) == (
        "gymnasium",
        "cpu",
        2,
        1024,
    )
    assert trained["mean_return"] == trained["mean_episode_length"] > 5 and trained["max_episode_length"] == 500
    assert trained["seconds"] > 0 and trained["steps_per_second"] > 0 and trained["startup_seconds"] > 0
    assert trained["success_rate"] == 0.0 and isinstance(trained["metrics"], dict)
    assert trained["gpu_memory_mb"] is None
    run = Path(trained["run"])
    assert run.parent == home / "runs" / "gym-CartPole-v1" and Path(trained["checkpoint"]).is_dir()
    files = {path.name.split(".out")[0] for path in run.iterdir()}
    assert files == {"task.yaml", "learner.yaml", "environment.json", "metrics.jsonl", "checkpoints", "events"}


def test_the_same_command_twice_gives_the_same_metrics(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def figures(name: str) -> list[dict[str, Any]]:
        run = tmp_path / name
        result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "500", "--run", str(run))
        lines = (json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines())
        return [{key: value for key, value in line.items() if not key.startswith("time/")} for line in lines]

    assert figures("a") == figures("b")


def test_a_finished_run_takes_more_steps_and_is_evaluated(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = str(tmp_path / "run")
    first = result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "320", "--run", run)
    more = result(capfd, "train", "--resume", run, "--steps", "640", "learner.entropy_coef=0.02")
    assert (first["env_steps"], more["env_steps"], more["run"]) == (320, 640, run)
    assert json.loads((tmp_path / "run" / "edits.jsonl").read_text())["source"] == "command line"
    again = result(capfd, "train", "--resume", run)
    assert again["env_steps"] == 640 and again["checkpoint"] == more["checkpoint"]

    played = result(capfd, "evaluate", run, "--episodes", "3")
    assert played["episodes"] == 3 and played["mean_return"] == pytest.approx(played["mean_episode_length"])
    assert {"std_return", "success_rate", "metrics"} <= played.keys()
    assert result(capfd, "evaluate", first["checkpoint"], "--episodes", "3")["checkpoint"] == first["checkpoint"]


def test_a_truncated_checkpoint_is_refused_with_status_2(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = str(tmp_path / "run")
    trained = result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "320", "--run", run)
    os.truncate(Path(trained["checkpoint"]) / "tensors.safetensors", 200)
    for arguments in (["train", "--resume", run, "--steps", "640"], ["evaluate", run]):
        assert status(*arguments) == 2
        assert "truncated or corrupt" in capfd.readouterr().err.splitlines()[-1]
    assert "env_steps: 320" in (tmp_path / "run" / "learner.yaml").read_text()


def test_a_checkpoint_of_another_size_is_refused_with_both_sizes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "320", "--run", str(run))
    (run / "task.yaml").write_text("gymnasium: Acrobot-v1\n")
    assert status("train", "--resume", str(run), "--steps", "640") == 2
    assert "policy observations: checkpoint 4, task 6" in capfd.readouterr().err


def test_a_folder_that_holds_a_run_is_not_written_into(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = str(tmp_path / "run")
    result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "32", "--run", run)
    assert status("train", "gym:CartPole-v1", "--run", run) == 2
    assert f"--resume {run}" in capfd.readouterr().err


@pytest.mark.parametrize("part", ["spec", "env_steps", "state"])
def test_a_checkpoint_that_lacks_a_part_is_refused_with_status_2(
    part: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = str(tmp_path / "run")
    trained = result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "32", "--run", run)
    description = Path(trained["checkpoint"]) / "checkpoint.json"
    content = json.loads(description.read_text())
    del content[part]
    description.write_text(json.dumps(content))
    assert status("evaluate", run) == 2
    assert "not a checkpoint of format 1" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda learner: learner.pop("weights"), "does not fit the settings of its run"),
        (lambda learner: learner.popitem(), "does not fit the settings of its run"),
    ],
)
def test_a_checkpoint_whose_state_is_not_whole_is_refused_with_status_2(
    spoil: Any, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = str(tmp_path / "run")
    trained = result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "32", "--run", run)
    description = Path(trained["checkpoint"]) / "checkpoint.json"
    content = json.loads(description.read_text())
    spoil(content["state"]["learner"])
    description.write_text(json.dumps(content))
    for arguments in (["evaluate", run], ["train", "--resume", run, "--steps", "64"]):
        assert status(*arguments) == 2
        assert said in capfd.readouterr().err


def test_other_network_sizes_than_the_checkpoints_are_refused_with_its_path(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    trained = result(capfd, "train", "gym:CartPole-v1", *SMALL, "--steps", "32", "--run", str(run))
    settings = (run / "learner.yaml").read_text()
    (run / "learner.yaml").write_text(settings.replace("actor_hidden:\n  - 8", "actor_hidden:\n  - 9"))
    assert status("evaluate", str(run)) == 2
    said = capfd.readouterr().err
    assert said.startswith(f"hrl: {trained['checkpoint']}: ") and said.count("\n") == 1


def test_ctrl_c_that_a_library_swallows_at_start_up_still_ends_the_command(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from humanoid_rl_ext.train import start

    whole, before = start.build, signal.getsignal(signal.SIGINT)

    def build(*arguments: Any) -> Any:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return whole(*arguments)

    monkeypatch.setattr(start, "build", build)
    assert status("train", "gym:CartPole-v1", *SMALL) == 130
    assert "interrupted before there was anything to save" in capfd.readouterr().err
    assert not (home / "runs").exists()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("closed", [1, 2])
def test_closed_streams_are_no_reason_to_fail(closed: int) -> None:
    command = f'exec "$0" -m humanoid_rl_ext tasks --json {closed}>&-'
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(["sh", "-c", command, sys.executable], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("walker_run" in done.stdout) == (closed == 2)


def test_tables_break_their_last_column_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    text = table([("a", "one two three four five six seven"), ("long name", "x")], "  ")
    assert text.splitlines() == [
        "  a          one two three four five six",
        "             seven",
        "  long name  x",
    ]


def test_an_unexpected_error_leaves_its_traceback_in_the_run_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(session: Any) -> bool:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("humanoid_rl_ext.hosts.headless.run_headless", broken)
    assert status("train", "gym:CartPole-v1", *SMALL, "--run", str(tmp_path / "run")) == 1
    assert capfd.readouterr().err.splitlines()[-1].startswith("hrl: ZeroDivisionError: by zero (the traceback is in ")
    assert "broken" in (tmp_path / "run" / "error.log").read_text()


LISTS = """
import sys
from humanoid_rl_ext import learn
from humanoid_rl_ext.cli import main
from humanoid_rl_ext.cli.output import table
for command in ("tasks", "robots", "learners", "terms"):
    assert main([command]) == 0
print(sorted({"torch", "pxr", "gymnasium", "rich", "tensorboard", "warp", "newton", "ovphysx"} & set(sys.modules)))
"""


def test_lists_name_what_there_is_without_loading_anything_heavy() -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", LISTS], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in ("cartpole_balance", "humanoid_walk", "walker", "learner.learning_rate", "track_lin_vel"):
        assert name in done.stdout


def test_lists_are_data_with_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert "humanoid" in result(capfd, "robots")["robots"]
    assert "cartpole_balance" in [task["name"] for task in result(capfd, "tasks")["tasks"]]
    first = result(capfd, "learners")["learners"][0]
    assert (first["name"], first["actions"], first["on_policy"], first["multi_agent"]) == (
        "ppo",
        ["box", "discrete"],
        True,
        False,
    )
    assert "gamma" in first["settings"]
    assert "alive" in [term["name"] for term in result(capfd, "terms")["terms"]["reward"]]


def test_learners_say_what_they_work_with(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["learners"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["algorithm", "actions", "learns", "agents"]
    assert lines[1].split() == ["ppo", "continuous,", "discrete", "on-policy", "one"]


@pytest.mark.parametrize(
    ("task", "kinds", "said"),
    [
        (["humanoid_walk"], ("discrete",), "learns discrete actions, not continuous ones: what fits is "),
        (["cartpole_balance_discrete"], ("box",), "learns continuous actions, not discrete ones: what fits is "),
        (["gym:CartPole-v1"], ("box",), "learns continuous actions, not discrete ones: what fits is "),
        (
            ["cartpole_balance", "agents={a: {joints: .*}}", "rewards.alive.agents=[a]"],
            ("box", "discrete"),
            "teaches one agent, and there are 1",
        ),
    ],
)
def test_an_algorithm_that_cannot_learn_the_task_is_refused_before_anything_is_built(
    task: list[str], kinds: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    monkeypatch.setitem(learn.LEARNERS, "ppo2", replace(learn.LEARNERS["ppo"], name="ppo2", action_kinds=kinds))

    def with_the_name(algorithm: str, *arguments: Any, **options: Any) -> RunConfig:
        return load_run_config("ppo", *arguments, **options).model_copy(update={"algorithm": algorithm})

    monkeypatch.setattr(start, "load_run_config", with_the_name)
    monkeypatch.setattr(start, "open_session", None)
    assert main(["train", *task, "--algo", "ppo2"]) == 2
    assert f"algorithm 'ppo2' {said}" in capfd.readouterr().err


def test_agents_of_a_pettingzoo_environment_are_trained_and_evaluated(capfd, tmp_path: Path) -> None:
    run, task = str(tmp_path / "run"), "pz:mpe2.simple_spread_v3:max_cycles=5"
    words = ("--algo", "mappo", *SMALL, "learner.num_steps=10", "--steps", "60", "--run", run)
    trained = result(capfd, "train", task, *words)
    assert (trained["task"], trained["engine"], trained["mean_episode_length"]) == (task, "pettingzoo", 5)
    assert result(capfd, "evaluate", run, "--episodes", "4")["task"] == task
    assert status("train", task) == 2 and "what fits is mappo, ippo" in capfd.readouterr().err


def test_the_reference_of_terms_is_what_the_registry_says(capfd):
    assert main(["terms", "--markdown"]) == 0
    page = Path(__file__).parents[1] / "docs/reference/terms.md"
    assert capfd.readouterr().out == page.read_text(encoding="utf-8"), (
        "./hrl terms --markdown > docs/reference/terms.md"
    )


@pytest.mark.parametrize(("text", "value"), [("300k", 300_000), ("2M", 2_000_000), ("1e6", 10**6), ("1_000", 1000)])
def test_counts_are_written_as_people_write_them(text: str, value: int) -> None:
    assert count(text) == value
