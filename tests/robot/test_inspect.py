from __future__ import annotations

import json

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
