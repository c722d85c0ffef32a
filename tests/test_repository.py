"""The repository's top level agrees with itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from humanoid_rl_ext import __version__
from humanoid_rl_ext.doctor import locked_versions

REPOSITORY = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-bench.lock")
STACK = {
    "torch": "2.11.0",
    "warp-lang": "1.17.0",
    "newton": "1.6.1",
    "mujoco": "3.12.0",
    "mujoco-warp": "3.12.0",
    "ovphysx": "0.6.4.72118723",
    "ovstage": "0.2.1.385922",
    "usd-exchange": "3.0.1",
    "ovui": "0.3.0",
}


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def manifest() -> dict:
    return tomllib.loads(read("config/extension.toml"))


def test_both_manifests_are_the_same_file():
    assert (REPOSITORY / "extension.toml").read_bytes() == (REPOSITORY / "config/extension.toml").read_bytes()


def test_the_version_is_the_same_everywhere():
    newest = re.search(r"^## \[(\d[^\]]*)\]", read("docs/CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert manifest()["package"]["version"] == __version__
    assert tomllib.loads(read("pyproject.toml"))["project"]["version"] == __version__
    assert newest.group(1) == __version__


def test_every_file_that_the_manifest_names_exists():
    named = manifest()
    package = named["package"]
    paths = [package[key] for key in ("changelog", "readme", "icon", "preview_image") if key in package]
    paths += named["documentation"]["pages"]
    modules = [module["name"].replace(".", "/") for module in named["python"]["module"]]
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
    assert [path for path in modules if not any((REPOSITORY / f"{path}{end}").exists() for end in ("", ".py"))] == []


def test_the_lock_pins_the_stack_of_the_design():
    locked = locked_versions(REPOSITORY / "requirements.lock")
    assert {name: locked.get(name) for name in STACK} == STACK
    assert locked["numpy"].startswith("2.3.")
    assert locked["pydantic"].startswith("2.11.")


def test_the_lock_names_everything_that_is_asked_for():
    locked = locked_versions(REPOSITORY / "requirements.lock")
    asked = re.findall(r"^([A-Za-z][\w-]*)", read("requirements.in"), re.MULTILINE)
    assert [name for name in asked if name.lower() not in locked] == []


def test_usd_core_is_never_locked_beside_usd_exchange():
    assert all("usd-core" not in locked_versions(REPOSITORY / name) for name in LOCKS)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_names_versions_and_hashes_and_no_addresses(name):
    line = re.compile(r"[a-z0-9][a-z0-9._-]*==[^\s;/:]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [text for text in read(name).splitlines() if not line.fullmatch(text)] == []


@pytest.mark.parametrize("name", LOCKS[1:])
def test_an_optional_group_agrees_with_the_main_lock(name):
    main, group = locked_versions(REPOSITORY / "requirements.lock"), locked_versions(REPOSITORY / name)
    assert {key: group[key] for key in main.keys() & group.keys()} == {
        key: main[key] for key in main.keys() & group.keys()
    }


def test_the_licence_is_apache_2():
    assert "Apache License\n                           Version 2.0" in read("LICENSE")
