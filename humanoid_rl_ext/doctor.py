"""Checks of the machine and the installation, each with what to do about it.

Starts with the standard library alone, in whatever Python there is, so that it can also look at a broken environment.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json as json_module
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from humanoid_rl_ext import __version__
from humanoid_rl_ext.home import home

REPOSITORY = Path(__file__).resolve().parent.parent
OK, WARNING, FAILED = "ok", "warning", "failed"
# Shared libraries that the wheels load but do not carry, with the Debian package of each; hrl installs the same ones.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libX11.so.6": "libx11-6",
    "libgomp.so.1": "libgomp1",
    "libvulkan.so.1": "libvulkan1",
}
VULKAN_DRIVERS = (Path("/usr/share/vulkan/icd.d"), Path("/etc/vulkan/icd.d"))
"""Where Vulkan's drivers leave their descriptions, the one that renders on the CPU included."""
PHYSICS_TIMEOUT = 120.0  # seconds; the check itself takes one or two


@dataclass(frozen=True)
class Check:
    """The outcome of one check: what was looked at, how it stands, what was found and what to do."""

    name: str
    status: str
    found: str
    advice: str = ""


def check_python() -> Check:
    """Whether this is the Python version that the packages are locked for."""
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] == (3, 12):
        return Check("Python", OK, found)
    return Check("Python", FAILED, found, "start it with ./hrl, which finds or brings Python 3.12")


def locked_versions(lock: Path) -> dict[str, str]:
    """Package names and versions of a lock file."""
    pattern = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
    return dict(pattern.findall(lock.read_text(encoding="utf-8")))


def check_packages(lock: Path = REPOSITORY / "requirements.lock") -> Check:
    """Whether every locked package is installed in its locked version, and none that overwrites another's files."""
    locked = locked_versions(lock)
    wrong = []
    for name, version in locked.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
        else:
            if installed != version:
                wrong.append(f"{name} is {installed}, not {version}")
    if any((dist.metadata["Name"] or "").lower() == "usd-core" for dist in metadata.distributions()):
        wrong.append("usd-core overwrites usd-exchange's files")
    if not wrong:
        return Check("Packages", OK, f"all {len(locked)} as in {lock.name}")
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    advice = f"delete {sys.prefix} and run ./hrl doctor again"
    if sys.prefix == sys.base_prefix:
        advice = "this is no virtual environment: start with ./hrl, and see what it says when it cannot install"
    return Check("Packages", FAILED, ", ".join(wrong[:5]) + more, advice)


def check_libraries() -> Check:
    """Whether the shared libraries that physics and the panel need can be loaded, and Vulkan has a driver."""
    missing = {}
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing[library] = package
    if not any(any(folder.glob("*.json")) for folder in VULKAN_DRIVERS):
        missing["a Vulkan driver"] = "mesa-vulkan-drivers"
    if not missing:
        return Check("System libraries", OK, ", ".join(LIBRARIES))
    packages = " ".join(missing.values())
    return Check("System libraries", FAILED, "missing: " + ", ".join(missing), f"sudo apt-get install {packages}")


def check_gpu() -> Check:
    """Whether PyTorch sees a CUDA device; having none is no failure."""
    try:
        torch = importlib.import_module("torch")
    except Exception as error:  # a broken installation may raise anything, and saying so is this module's work
        return Check("Compute device", FAILED, f"PyTorch does not start: {_one_line(error)}", "see Packages")
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return Check("Compute device", OK, f"CUDA {torch.version.cuda}: " + ", ".join(names))
    if Path("/proc/driver/nvidia/version").exists():
        advice = f"the NVIDIA driver is too old for CUDA {torch.version.cuda}, or hidden by CUDA_VISIBLE_DEVICES"
        return Check("Compute device", WARNING, "CPU only, although an NVIDIA driver is loaded", advice)
    return Check("Compute device", OK, "CPU only")


def check_physics() -> Check:
    """Whether PhysX steps: a sphere falls, in a process of its own because PhysX's CPU mode is for a process's life."""
    command = [sys.executable, "-m", "humanoid_rl_ext.sim.falling_sphere"]
    advice = "see System libraries and Packages; for the whole message: python -m humanoid_rl_ext.sim.falling_sphere"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONSAFEPATH": "1"}
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=PHYSICS_TIMEOUT, env=environment)
    except subprocess.TimeoutExpired:
        return Check("PhysX", FAILED, f"gave no answer in {PHYSICS_TIMEOUT:.0f} s", advice)
    if result.returncode == 0:
        return Check("PhysX", OK, result.stdout.strip().splitlines()[-1])
    ended = f"killed by signal {-result.returncode}" if result.returncode < 0 else f"exit status {result.returncode}"
    last = (result.stderr.strip().splitlines() or [ended])[-1]
    return Check("PhysX", FAILED, last[:300], advice)


def check_home() -> Check:
    """Whether the home folder can be written and has room for runs."""
    folder = home()
    advice = "free some space, or set HUMANOID_RL_HOME to another folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return Check(
            "Home folder", FAILED, f"{folder}: {error.strerror}", "set HUMANOID_RL_HOME to a folder you can write"
        )
    return Check(
        "Home folder", OK if free >= 2.0 else WARNING, f"{folder}, {free:.0f} GB free", "" if free >= 2.0 else advice
    )


def check_machine() -> Check:
    """How many CPU cores this process may use, and how much memory the machine has."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    found = f"{cores} CPU cores, {memory:.0f} GB memory"
    if cores >= 2 and memory >= 4.0:
        return Check("Machine", OK, found)
    return Check("Machine", WARNING, found, "training wants 2 cores and 4 GB; use fewer environments (--envs)")


CHECKS: tuple[Callable[[], Check], ...] = (
    check_python,
    check_packages,
    check_libraries,
    check_gpu,
    check_physics,
    check_home,
    check_machine,
)


def run(json: bool = False) -> int:
    """The exit status of `./hrl doctor`: 0 when nothing failed, else 1; prints a table, or one JSON object."""
    checks = [check() for check in CHECKS]
    failed = sum(check.status == FAILED for check in checks)
    if json:
        print(json_module.dumps({"version": __version__, "ok": not failed, "checks": [asdict(c) for c in checks]}))
    else:
        _print_table(checks)
        print(f"{failed} of {len(checks)} checks failed" if failed else "Humanoid RL is ready")
    return 1 if failed else 0


def _print_table(checks: list[Check]) -> None:
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        for check in checks:
            print(f"{check.status:8} {check.name}: {check.found}" + (f"; {check.advice}" if check.advice else ""))
        return
    table = Table(title=f"Humanoid RL {__version__}")
    colours = {OK: "green", WARNING: "yellow", FAILED: "red"}
    for heading in ("Check", "Status", "Found", "What to do"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        table.add_row(check.name, f"[{colours[check.status]}]{check.status}[/]", check.found, check.advice)
    Console().print(table)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def main() -> int:
    """The exit status of `python -m humanoid_rl_ext.doctor [--json]`, which needs none of the locked packages."""
    parser = argparse.ArgumentParser(prog="hrl doctor", description="Check this machine and say what to do.")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return run(json=parser.parse_args().json)


if __name__ == "__main__":
    sys.exit(main())
