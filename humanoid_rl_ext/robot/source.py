"""From what a user names to a USD file: bundled robots, USD files, MJCF and URDF files converted into a cache."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from humanoid_rl_ext.errors import RobotError, did_you_mean
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
            raise RobotError(f"unknown robot '{source}'; {did_you_mean(str(source), BUNDLED)} or give the path of a file")
        raise RobotError(f"{path}: no such file; give the path of a {', '.join(supported)} file")
    if suffix not in supported:
        raise RobotError(f"{path}: cannot read '{suffix or path.name}' files; supported: {', '.join(supported)}")
    if path.is_dir():
        raise RobotError(f"{path}: is a folder; give the path of the robot's file in it")
    path = path.resolve()
    return path.stem, path, convert(path) if suffix in CONVERTERS else path


def cache_folder() -> Path:
    """Where converted robots are kept."""
    from humanoid_rl_ext.home import home

    return home() / "cache" / "robots"


def cached(key: str, make: Callable[[Path], Path]) -> Path:
    """The file that ``make(folder)`` writes, made once per key: in a folder aside that is then renamed."""
    final = cache_folder() / key
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
    folders = [path.parent, *(path.parent / name for name in re.findall(r'(?:mesh|texture|asset)dir\s*=\s*"([^"]+)"', text))]
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
    if path.suffix.lower() == ".urdf":
        from urdf_usd_converter import Converter
    else:
        from mujoco_usd_converter import Converter
    try:
        with _quiet():
            asset = Converter().convert(str(path), str(folder))
    except Exception as error:  # the converters raise whatever their parsers raise
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise RobotError(f"{path}: cannot be converted to USD: {reason}") from error
    return Path(asset.path)


@contextlib.contextmanager
def _quiet():  # type: ignore[no-untyped-def]
    """Keeps the converters' progress notes off the terminal."""
    import usdex.core

    before = usdex.core.getDiagnosticsOutputStream()
    usdex.core.setDiagnosticsOutputStream(usdex.core.DiagnosticsOutputStream.eNone)
    try:
        yield
    finally:
        usdex.core.setDiagnosticsOutputStream(before)
