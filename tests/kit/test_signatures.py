"""Every name that a stand-in offers is recorded with the signature it has in Kit; a difference would be noticed."""

from __future__ import annotations

from typing import Any

import pytest
from signatures import binds, describe, difference, offered, parse, read_definitions, recorded
from standin import Kit
from standin.kit import NAMES

RECORDED = recorded()
REFERENCED = [
    (module, name, record)
    for module, records in RECORDED.items()
    for name, record in records.items()
    if record["source"].startswith("reference: ")
]
CALLED = [each for each in REFERENCED if each[2]["source"].startswith("reference: calls in")]
SAMPLE = """
class Robot:
    def __init__(self, path, *, fixed=False):
        pass

    @property
    def joints(self):
        return []

    @classmethod
    def load(cls, path, /, scale=1.0):
        pass

    def move(self, *targets, **named):
        pass


def make(name, count=1):
    pass
"""


@pytest.mark.parametrize("module", NAMES)
def test_a_stand_in_offers_what_is_recorded_and_nothing_else(kit: Kit, module: str):
    assert sorted(name for name, _ in offered(kit[module])) == sorted(RECORDED[module])


@pytest.mark.parametrize("module", NAMES)
def test_a_stand_in_has_the_recorded_signatures(kit: Kit, module: str):
    differences = {name: difference(value, RECORDED[module][name]) for name, value in offered(kit[module])}
    assert {name: text for name, text in differences.items() if text} == {}


def test_what_public_source_defines_names_repository_commit_and_file():
    sources = {record["source"] for records in RECORDED.values() for record in records.values()}
    public = {source for source in sources if not source.startswith("reference: ")}
    assert len(public) >= 6
    assert all(source.partition("@")[2].partition(":")[0].isalnum() and source.endswith(".py") for source in public)


@pytest.mark.parametrize(("module", "name", "record"), CALLED)
def test_what_is_known_from_calls_was_seen_called(module: str, name: str, record: dict[str, Any]):
    seen = record.get("seen") or {}
    if record["kind"] in ("enum", "constant", "property"):
        assert None not in seen.values()
    elif record["parameters"] is not None:
        assert seen
        assert all(binds(record["parameters"], form["positional"], form["keywords"]) for form in seen)


@pytest.mark.parametrize(("module", "name", "record"), CALLED)
def test_a_parameter_may_be_named_only_where_a_call_named_it(module: str, name: str, record: dict[str, Any]):
    parameters = record.get("parameters") or ()
    named = {keyword for form in record["seen"] for keyword in form["keywords"]} if parameters else set()
    assert {each for each, kind, _ in parameters if kind in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")} <= named


def test_the_file_dialog_takes_the_keywords_that_were_seen(kit: Kit):
    module = "omni.kit.window.filepicker"
    seen = {keyword for form in RECORDED[module]["FilePickerDialog"]["seen"] for keyword in form["keywords"]}
    assert seen == kit[module]._KEYWORDS


def test_source_and_running_code_are_described_alike():
    scope: dict[str, Any] = {}
    exec(SAMPLE, scope)
    read = read_definitions(SAMPLE)
    robot = scope["Robot"]
    living = {
        "Robot": robot,
        "Robot.joints": vars(robot)["joints"],
        "Robot.load": vars(robot)["load"],
        "Robot.move": robot.move,
        "make": scope["make"],
    }
    assert {name: describe(value) for name, value in living.items()} == read


@pytest.mark.parametrize(
    "other",
    [
        "def make(label, count=1): ...",
        "def make(name, count): ...",
        "def make(name, *, count=1): ...",
        "def make(name): ...",
        "def make(name, count=1, **more): ...",
        "class make: ...",
    ],
)
def test_a_difference_is_noticed(other: str):
    scope: dict[str, Any] = {}
    exec(other, scope)
    assert difference(scope["make"], read_definitions(SAMPLE)["make"])


def test_a_call_binds_or_does_not():
    parameters = parse("(a, /, b=0, *, c)")
    assert binds(parameters, 1, ["c"])
    assert binds(parameters, 1, ["b", "c"])
    assert not binds(parameters, 1, [])
    assert not binds(parameters, 0, ["a", "c"])
    assert not binds(parameters, 3, ["c"])
