"""The file dialog's decisions, without a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from humanoid_rl_ext.ui.file_listing import MOST_ROWS, FileListing

SUFFIXES = (".usd", ".xml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("robots", "Arms", ".git"):
        (tmp_path / name).mkdir()
    for name in ("walker.usd", "Arm.XML", "notes.txt", ".hidden.usd"):
        (tmp_path / name).write_text("x" * 1500)
    return tmp_path


@pytest.fixture
def listing(folder: Path) -> FileListing:
    listing = FileListing()
    listing.start_open(SUFFIXES, folder)
    return listing


def names(listing: FileListing) -> list[str]:
    return [entry.path.name for entry in listing.rows]


def test_folders_come_first_and_other_kinds_and_hidden_ones_are_left_out(listing):
    assert names(listing) == ["Arms", "robots", "Arm.XML", "walker.usd"]
    assert [entry.size_text for entry in listing.rows] == ["", "", "1.5 kB", "1.5 kB"]


def test_typing_narrows_the_list_and_one_that_is_left_is_taken(listing, folder):
    listing.type("walk")
    assert names(listing) == ["walker.usd"]
    assert listing.submit() == folder / "walker.usd"


def test_a_typed_folder_is_shown(listing, folder):
    listing.type("robots")
    assert listing.submit() is None
    assert listing.folder == folder / "robots" and listing.name == "" and "No folders" in listing.note
    listing.up()
    assert listing.folder == folder
    assert listing.go("~") and listing.folder == Path.home()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Choose a file"),
        ("cow.usd", "no such file"),
        ("/nowhere/robot.usd", "no such file"),
        ("notes.txt", "ends in .usd, .xml"),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_the_reason(listing, typed, said):
    listing.type(typed)
    assert listing.submit() is None and said in listing.error
    listing.type("w")
    assert listing.error == ""


def test_any_path_may_be_typed(listing, folder):
    (folder / "robots" / "g1.xml").write_text("<mujoco/>")
    for typed in (str(folder / "robots" / "g1.xml"), "robots/g1.xml", "robots/../robots/g1.xml"):
        listing.type(typed)
        assert listing.submit() == folder / "robots" / "g1.xml"


def test_a_folder_that_cannot_be_shown_is_said_and_the_old_one_stays(listing, folder):
    assert not listing.go(folder / "gone") and "no such folder" in listing.error
    assert not listing.go(folder / "walker.usd") and "is not a folder" in listing.error
    assert listing.folder == folder


def test_a_start_that_has_gone_begins_at_home(tmp_path):
    listing = FileListing()
    listing.start_open(SUFFIXES, tmp_path / "gone")
    assert listing.folder == Path.home() and listing.error == ""


def test_a_new_file_gets_the_usual_ending(folder):
    listing = FileListing()
    listing.start_save("walk.yaml", folder)
    assert listing.submit() == folder / "walk.yaml"
    listing.type("my_walk")
    assert listing.submit() == folder / "my_walk.yaml"
    listing.go(folder / "robots")
    assert listing.submit() == folder / "robots" / "my_walk.yaml"


def test_an_existing_file_is_replaced_only_when_asked_again(folder):
    (folder / "walk.yaml").write_text("")
    listing = FileListing()
    listing.start_save("walk.yaml", folder)
    assert listing.submit() is None and listing.replaces == folder / "walk.yaml" and "exists already" in listing.error
    listing.type("walk2.yaml")
    listing.type("walk.yaml")
    assert listing.replaces is None and listing.submit() is None
    assert listing.submit() == folder / "walk.yaml"


def test_a_new_file_needs_a_folder(folder):
    listing = FileListing()
    listing.start_save("walk.yaml", folder)
    listing.type("gone/walk.yaml")
    assert listing.submit() is None and "no such folder" in listing.error
    listing.type(" ")
    assert listing.submit() is None and "Type a name" in listing.error


def test_a_folder_with_very_many_files_says_how_many_are_not_shown(folder):
    for number in range(MOST_ROWS + 20):
        (folder / "robots" / f"r{number}.usd").touch()
    listing = FileListing()
    listing.start_open(SUFFIXES, folder / "robots")
    assert listing.note == "20 more: type a part of the name"
