"""A fix mends its warning, and only that; a warning without a fix has no button."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from humanoid_rl_ext.robot import RobotDescription, RobotOverrides, Warning, load_robot
from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.robot.fixes import FIXES, find_fix


def without(folder: Path, name: str, *words: str) -> Path:
    """A copy of a bundled robot's file without the lines that hold any of the words."""
    lines = bundled_path(name).read_text().splitlines()
    path = folder / f"my_{name}.usda"
    path.write_text("\n".join(line for line in lines if not any(word in line for word in words)))
    return path


def mended(path: Path, robot: RobotDescription, warning: Warning) -> RobotDescription:
    """The robot read again with the warning's fix applied to an empty task."""
    fix = find_fix(warning)
    assert fix is not None
    task: dict[str, object] = {}
    for place, value in fix.edits(warning, robot, RobotOverrides()):
        section, _, key = place.partition(".")
        assert section == "robot"
        task[key] = value
    return load_robot(path, RobotOverrides.model_validate(task))


@pytest.mark.parametrize("name", ["walker", "humanoid"])
def test_estimated_efforts_are_kept(tmp_path, name):
    path = without(tmp_path, name, "maxForce")
    before = load_robot(path)
    [warning] = before.warnings
    assert warning.code == "effort_limit_missing"
    after = mended(path, before, warning)
    assert after.warnings == () and after.joints == before.joints


def test_worked_out_gains_are_kept(tmp_path):
    path = without(tmp_path, "walker", "stiffness", "damping")
    before = load_robot(path)
    [warning] = [warning for warning in before.warnings if warning.code == "no_gains"]
    after = mended(path, before, warning)
    assert after.warnings == () and after.joints == before.joints


def test_endless_joints_are_limited_and_others_left_alone(tmp_path):
    path = tmp_path / "endless.usda"
    text = bundled_path("cartpole").read_text()
    path.write_text("\n".join(line for line in text.splitlines() if "Limit = " not in line or "inf" not in line))
    before = load_robot(path)
    [warning] = [warning for warning in before.warnings if warning.code == "limits_missing"]
    after = mended(path, before, warning)
    assert not [warning for warning in after.warnings if warning.code == "limits_missing"]
    hinge = next(joint for joint in after.joints if joint.name == "hinge")
    assert (hinge.lower, hinge.upper) == pytest.approx((-math.pi, math.pi), abs=1e-4)
    assert next(j for j in after.joints if j.name == "slider") == next(j for j in before.joints if j.name == "slider")


def test_a_fixed_robot_with_feet_is_freed():
    fix = find_fix(Warning("fixed_base", "a robot with feet is fixed to the world"))
    assert fix is not None
    robot = load_robot("humanoid", RobotOverrides(fixed_base=True))
    assert fix.edits(Warning("fixed_base", ""), robot, RobotOverrides()) == [("robot.fixed_base", False)]


def test_only_the_joints_that_a_warning_names_are_touched():
    robot = load_robot("walker")
    warning = Warning("effort_limit_missing", "no effort limit on rear_left_knee, rear_right_knee: estimated")
    [(place, joints)] = FIXES[warning.code].edits(warning, robot, RobotOverrides(joints={"rear_.*": {"damping": 2}}))
    assert place == "robot.joints"
    assert joints == {
        "rear_.*": {"damping": 2.0},
        "rear_left_knee": {"effort_limit": 45.0},
        "rear_right_knee": {"effort_limit": 45.0},
    }


@pytest.mark.parametrize("code", ["zero_mass", "no_shapes", "self_collision", "unit", "up_axis", "loop", "links_added"])
def test_what_only_the_file_can_mend_has_no_fix(code):
    assert find_fix(Warning(code, "")) is None
