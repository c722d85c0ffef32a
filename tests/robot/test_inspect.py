from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.inspect import inspect_json, print_robot


def test_the_data_has_no_infinities() -> None:
    data = json.loads(json.dumps(inspect_json(load_robot("cartpole")), allow_nan=False))
    hinge = data["joints"][1]
    assert (hinge["name"], hinge["lower"], hinge["upper"]) == ("hinge", None, None)
    assert data["total_mass"] == pytest.approx(11.1)
    assert data["bodies"][0] == {"name": "rail", "mass": 10.0, "roles": ["base"]}


def test_the_tables_name_every_joint(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    robot = load_robot("humanoid")
    print_robot(robot)
    printed = capsys.readouterr().out
    assert all(name in printed for name in robot.joint_names)
    assert "45.00 kg" in printed


@pytest.mark.parametrize("width", [80, 100])
def test_the_tables_fit_the_terminal_and_cut_no_name(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    robot = load_robot("humanoid")
    long = replace(robot, joints=tuple(replace(j, name=f"{j.name:_<25}", velocity_limit=37.123) for j in robot.joints))
    print_robot(long)
    printed = capsys.readouterr().out
    assert max(len(line) for line in printed.splitlines()) <= width
    assert all(joint.name in printed for joint in long.joints)
    assert ("left out on a narrow terminal: speed" in printed) == (width == 80)


def test_a_converted_robot_is_shown_under_the_file_that_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ball.xml"
    body = '<body name="ball" pos="0 0 1"><freejoint/><geom type="sphere" size="0.1" mass="1"/></body>'
    child = body.replace("ball", "tail").replace("<freejoint/>", '<joint name="wag" axis="0 1 0"/>')
    file.write_text(f"<mujoco><worldbody>{body.replace('</body>', child + '</body>')}</worldbody></mujoco>")
    robot = load_robot(file)
    print_robot(robot)
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == f"ball: {file}"
    assert "cache" not in printed
    data = inspect_json(robot)
    assert (data["source"], data["path"]) == (str(file), robot.path)
    assert Path(data["path"]).is_file()
    assert data["path"] != data["source"]
