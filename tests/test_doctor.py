"""The doctor reports what it finds, and what to do about it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from humanoid_rl_ext import doctor
from humanoid_rl_ext.sim import falling_sphere


def test_a_falling_sphere_follows_the_sum_of_its_steps():
    speed = height = 0.0
    for _ in range(falling_sphere.STEPS):
        speed += falling_sphere.GRAVITY * falling_sphere.TIME_STEP
        height += speed * falling_sphere.TIME_STEP
    assert falling_sphere.expected_drop() == pytest.approx(height, rel=1e-9)


def test_physics_really_steps():
    check = doctor.check_physics()
    assert check.status == doctor.OK, check.found
    assert "fell 1.24" in check.found


def test_physics_that_does_not_start_is_a_failure_with_its_reason(monkeypatch):
    broken = [sys.executable, "-c", "raise SystemExit('libGL.so.1: cannot open shared object file')"]
    real_run = subprocess.run
    monkeypatch.setattr(doctor.subprocess, "run", lambda command, **options: real_run(broken, **options))
    check = doctor.check_physics()
    assert check.status == doctor.FAILED
    assert "libGL.so.1" in check.found and check.advice


def test_a_package_of_another_version_or_none_at_all_is_named(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1.0 \\\n    --hash=sha256:00\n")
    check = doctor.check_packages(lock)
    assert check.status == doctor.FAILED
    assert "not 0.0.1" in check.found and "no-such-package is missing" in check.found


def test_a_missing_library_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(doctor, "LIBRARIES", {"libnosuch.so.9": "libnosuch9"})
    check = doctor.check_libraries()
    assert check.status == doctor.FAILED
    assert check.found == "missing: libnosuch.so.9"
    assert check.advice.endswith("apt-get install libnosuch9")


def test_a_home_that_cannot_be_written_is_a_failure(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path / "file" / "home"))
    check = doctor.check_home()
    assert check.status == doctor.FAILED
    assert "HUMANOID_RL_HOME" in check.advice


def test_no_gpu_is_no_failure():
    assert doctor.check_gpu().status != doctor.FAILED


@pytest.mark.parametrize(("status", "exit_status"), [(doctor.OK, 0), (doctor.WARNING, 0), (doctor.FAILED, 1)])
def test_only_a_failure_changes_the_exit_status(monkeypatch, capsys, status, exit_status):
    monkeypatch.setattr(doctor, "CHECKS", (lambda: doctor.Check("Thing", status, "found", "advice"),))
    assert doctor.run(json=True) == exit_status
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is (exit_status == 0)
    assert report["checks"] == [{"name": "Thing", "status": status, "found": "found", "advice": "advice"}]


def test_without_rich_the_table_is_plain_text(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "CHECKS", (lambda: doctor.Check("Thing", doctor.FAILED, "found", "advice"),))
    monkeypatch.setitem(sys.modules, "rich.console", None)
    doctor.run()
    assert capsys.readouterr().out.splitlines()[0] == "failed   Thing: found; advice"
