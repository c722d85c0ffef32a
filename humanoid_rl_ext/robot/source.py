"""From what a user names to a USD file: bundled robots, USD files, MJCF and URDF files converted into a cache."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from humanoid_rl_ext.errors import RobotError, did_you_mean
from humanoid_rl_ext.home import cache_folder
from humanoid_rl_ext.robot.bundled import BUNDLED, bundled_path
from humanoid_rl_ext.robot.stage import USD_SUFFIXES

CONVERTERS = {".xml": "mujoco-usd-converter", ".urdf": "urdf-usd-converter"}
ASSETS = re.compile(r"""(?:file|filename|fileup|fileright|filefront)\s*=\s*["']([^"']+)["']""")


def resolve(source: str | Path) -> tuple[str, Path, Path]:
    """Name of the robot, the file that the user means, and the USD file to read (a converted one for MJCF, URDF).

    RobotError for an unknown name, a missing file, an unsupported extension or a failed conversion.
    """
    if isinstance(source, str) and source in BUNDLED:
        return source, bundled_path(source), bundled_path(source)
    path = Path(source).expanduser()
    suffix = path.suffix.lower()
    supported = [*USD_SUFFIXES, *CONVERTERS]
    if not path.exists():
        if not suffix:
            raise RobotError(
                f"unknown robot '{source}'; {did_you_mean(str(source), BUNDLED)} or give the path of a file"
            )
        raise RobotError(f"{path}: no such file; give the path of a {', '.join(supported)} file")
    if suffix not in supported:
        raise RobotError(f"{path}: cannot read '{suffix or path.name}' files; supported: {', '.join(supported)}")
    if path.is_dir():
        raise RobotError(f"{path}: is a folder; give the path of the robot's file in it")
    path = path.resolve()
    return path.stem, path, convert(path) if suffix in CONVERTERS else path


def cached(key: str, make: Callable[[Path], Path]) -> Path:
    """The file that ``make(folder)`` writes, made once per key: in a folder aside that is then renamed."""
    final = cache_folder("robots") / key
    marker = "robot.path"
    if not (final / marker).exists():
        final.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=final.parent))
        try:
            made = make(aside)
            (aside / marker).write_text(str(made.relative_to(aside)), encoding="utf-8")
            with contextlib.suppress(OSError):  # somebody else was faster: theirs is as good
                os.replace(aside, final)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return final / (final / marker).read_text(encoding="utf-8")


def content_key(path: Path, *salt: str) -> str:
    """A key from the contents of a file and of every file that it names, and from ``salt``."""
    digest = hashlib.sha256("\0".join(salt).encode())
    seen: set[Path] = set()
    queue = [path]
    while queue:
        current = queue.pop()
        if current in seen or not current.is_file():
            continue
        seen.add(current)
        data = current.read_bytes()
        digest.update(data)
        if current.suffix.lower() in CONVERTERS:
            queue += _named_files(current, data.decode("utf-8", "replace"))
    return f"{path.stem}-{digest.hexdigest()[:16]}"


def _named_files(path: Path, text: str) -> list[Path]:
    folders = [
        path.parent,
        *(path.parent / name for name in re.findall(r'(?:mesh|texture|asset)dir\s*=\s*"([^"]+)"', text)),
    ]
    names = sorted(set(ASSETS.findall(text)))
    return [folder / name.removeprefix("package://") for name in names for folder in folders]


def convert(path: Path) -> Path:
    """The USD file converted from an MJCF or URDF file; kept in the cache by the content of the file and its assets."""
    package = CONVERTERS[path.suffix.lower()]
    try:
        release = version(package)
    except PackageNotFoundError:
        raise RobotError(f"{path}: needs the package {package} to be read; install it with ./hrl doctor") from None
    return cached(content_key(path, package, release), lambda folder: _run_converter(path, folder))


def _run_converter(path: Path, folder: Path) -> Path:
    """The file that the converter writes into ``folder``.

    In a process of its own: converters have to register their USD schemas before anything else in a process looks
    a schema up, and their parsers may end it.
    """
    command = [sys.executable, "-m", "humanoid_rl_ext.robot.conversion", str(path), str(folder)]
    places = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in places if place)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode != 0:
        reason = lines[-1] if lines else f"the converter ended with status {done.returncode}"
        raise RobotError(f"{path}: cannot be converted to USD: {reason}")
    return Path(done.stdout.splitlines()[-1])
