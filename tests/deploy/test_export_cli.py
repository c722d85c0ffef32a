"""``./hrl export``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from humanoid_rl_ext.cli import main


def result(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict:
    capfd.readouterr()
    assert main(["export", *arguments, "--json"]) == 0
    (line,) = capfd.readouterr().out.splitlines()
    return json.loads(line)


def test_a_run_is_exported_and_the_files_are_named(
    walk_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = result(capfd, str(walk_run), "--format", "torchscript", "--output", str(tmp_path / "policy"))
    assert said["folder"] == str(tmp_path / "policy") and Path(said["policy"]).is_file() and Path(said["env"]).is_file()
    assert said["observations"]["joint_pos"] == 21 and sum(said["observations"].values()) == 78
    assert (said["decimation"], said["dt"], said["action_scale"]) == (4, 0.005, 0.5)
    assert said["checkpoint"] == "step_64"


def test_the_run_keeps_its_exports_unless_told_otherwise(walk_run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(walk_run)]) == 0
    out, err = capfd.readouterr()
    assert str(walk_run / "exports" / "step_64" / "policy.pt") in out and "joint_pos 21" in out
    assert "Warning" not in err


def test_the_targets_order_of_joints_can_be_given(
    walk_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = result(capfd, str(walk_run), "--output", str(tmp_path / "one"))["joint_names"]
    order = ", ".join(reversed(names))
    turned = result(capfd, str(walk_run), "--output", str(tmp_path / "two"), "--dof-names", order)
    assert turned["joint_names"] == names[::-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "tflite"], "--format: unknown format 'tflite'; known: torchscript"),
        (["--dof-names", "left_knee"], "the joints named are not those of robot 'humanoid'"),
        (["--fromat", "onnx"], "unknown argument '--fromat': did you mean '--format'?"),
    ],
)
def test_bad_input_takes_one_line_and_status_2(
    options: list[str], said: str, walk_run: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    try:
        status = main(["export", str(walk_run), *options])
    except SystemExit as leaving:
        status = int(leaving.code or 0)
    err = capfd.readouterr().err
    assert status == 2 and said in err and err.count("\n") == 1
