"""A robot that nobody here wrote: the Unitree G1, taken out of the mjlab wheel without installing it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from humanoid_rl_ext.robot import load_robot

MODEL = "mjlab/asset_zoo/robots/unitree_g1/xmls/g1.xml"


@pytest.fixture(scope="module")
def g1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mjlab")
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else [shutil.which("pip") or "pip3"]
    command = [*pip, "download", "--quiet", "--no-deps", "mjlab==1.6.0", "-d", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        pytest.skip("there is no pip here to download the mjlab wheel with")
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        pytest.skip(f"the mjlab wheel cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(folder)
    return folder / MODEL


@pytest.mark.slow
def test_the_g1_has_29_joints_two_feet_and_two_hands(g1: Path) -> None:
    robot = load_robot(g1)
    assert len(robot.joints) == 29
    assert robot.with_role("foot") == ["left_ankle_roll_link", "right_ankle_roll_link"]
    assert robot.with_role("hand") == ["left_wrist_yaw_link", "right_wrist_yaw_link"]
    assert robot.base == "pelvis"
    assert robot.total_mass == pytest.approx(33.34, abs=0.01)
    assert all(joint.lower <= joint.default <= joint.upper for joint in robot.joints)
    assert robot.warnings == ()
