"""What Isaac Sim lacks is asked for, installed with Kit's pip, or named with a way out; nothing starts without it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standin import Kit

from humanoid_rl_ext.doctor import locked_versions
from humanoid_rl_ext.ui.background import Background
from humanoid_rl_ext.ui.draft import Draft

REPOSITORY = Path(__file__).resolve().parents[2]


class Asked:
    """A user who is asked, and answers when ``answer`` is set."""

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.answer: bool | None = None

    def __call__(self, title: str, text: str, yes: str) -> Callable[[], bool | None]:
        self.questions.append(text)
        return lambda: self.answer


class Opening:
    """A run of cart-poles that is being opened."""

    def __init__(self, kit: Kit, user: Asked, background: Background) -> None:
        from humanoid_rl_ext.hosts.kit.opener import KitOpener
        from humanoid_rl_ext.train.start import plan_draft

        self.kit, self.background = kit, background
        self.opener = KitOpener(background, user)
        draft = Draft.load("cartpole_balance")
        draft.edit("run.num_envs", 2)
        self.opened: list[Any] = []
        self.errors: list[Exception] = []
        self.opener.session(plan_draft(draft.task, draft.config), self.opened.append, self.errors.append)

    def updates(self, count: int = 1) -> None:
        for _ in range(count):
            self.background.poll()
            self.opener.advance()
            self.kit.update()


@pytest.fixture
def user() -> Asked:
    return Asked()


@pytest.fixture
def opening(kit: Kit, user: Asked, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Opening]]:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    kit.new_stage()
    background = Background()
    made: list[Opening] = []

    def start() -> Opening:
        made.append(Opening(kit, user, background))
        return made[-1]

    yield start
    for one in made:
        one.opener.close()
    background.close()


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Packages that cannot be found, until ``pipapi.install`` gives them."""
    gone: set[str] = set()
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in gone else find(name, *rest))
    return gone


def test_nothing_is_asked_where_nothing_is_missing(opening: Callable[[], Opening], user: Asked) -> None:
    one = opening()
    one.updates(3)
    assert not user.questions and not one.errors


def test_a_missing_package_is_asked_for_and_a_no_starts_nothing(
    kit: Kit, opening: Callable[[], Opening], user: Asked, lacking: set[str]
) -> None:
    lacking.add("safetensors")
    one = opening()
    one.updates(5)
    assert len(user.questions) == 1 and "safetensors==" in user.questions[0]
    assert not one.errors and not kit.installed_packages
    user.answer = False
    one.updates()
    assert "nothing was started" in str(one.errors[0])
    assert not kit.installed_packages and not kit.stage.GetPrimAtPath("/HumanoidRL")


def test_a_yes_installs_it_and_goes_on(
    kit: Kit, opening: Callable[[], Opening], user: Asked, lacking: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking.add("safetensors")
    pipapi = kit["omni.kit.pipapi"]
    install = pipapi.install

    def installing(package: str, **settings: Any) -> bool:
        lacking.discard(package)
        assert settings["version"] and settings["extra_args"] == ["--no-deps"]
        return bool(install(package, **settings))

    monkeypatch.setattr(pipapi, "install", installing)
    user.answer = True
    one = opening()
    one.updates(4)
    assert kit.installed_packages == ["safetensors"] and not one.errors


def test_a_failed_installation_says_how_to_do_it_by_hand(
    kit: Kit, opening: Callable[[], Opening], user: Asked, lacking: set[str]
) -> None:
    lacking.add("safetensors")
    kit.refuse_installs()
    user.answer = True
    one = opening()
    one.updates(4)
    assert "pip download safetensors==" in str(one.errors[0]) and "python.sh" in str(one.errors[0])


def test_a_missing_torch_is_told_with_the_extension_that_brings_it(
    opening: Callable[[], Opening], lacking: set[str]
) -> None:
    lacking.add("torch")
    one = opening()
    one.updates(2)
    assert "omni.isaac.ml_archive" in str(one.errors[0])


def test_versions_are_those_of_the_lock() -> None:
    version = locked_versions(REPOSITORY / "requirements.lock")["safetensors"]
    source = (REPOSITORY / "humanoid_rl_ext/hosts/kit/packages.py").read_text(encoding="utf-8")
    assert f'Package("safetensors", "{version}")' in source
    assert f"safetensors=={version}" in (REPOSITORY / "docs/isaac-sim.md").read_text(encoding="utf-8")
