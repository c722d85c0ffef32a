"""The Robot section without a window: choosing, editing, mending and posing a robot."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pxr import Usd, UsdGeom

from humanoid_rl_ext.errors import RobotError, TaskError
from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.robot.library import library_url
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.robot.joint_settings import by_joint, changed
from humanoid_rl_ext.ui.robot.joints import GROUPS, Column, JointTable
from humanoid_rl_ext.ui.robot.model import RobotModel
from humanoid_rl_ext.ui.workbench import Workbench

COLUMNS = {column.field: column for columns in GROUPS.values() for column in columns}
NAMES = ["left_hip", "left_knee", "right_hip", "right_knee"]


class Host:
    """A host that answers a file dialog at once."""

    def __init__(self) -> None:
        self.stage_access: Access | None = None
        self.settings: dict[str, object] = {}
        self.file: Path | None = None

    def interacted(self) -> None: ...

    def pick_file(self, title: str, suffixes: object, chosen: Callable[[Path], None]) -> None:
        if self.file is not None:
            chosen(self.file)

    def setting(self, name: str, default: object = None) -> object:
        return self.settings.get(name, default)

    def remember(self, name: str, value: object) -> None:
        self.settings[name] = value


class Access:
    """The stage of an application, with what is selected in it, and a folder as the asset library."""

    def __init__(self, folder: Path) -> None:
        self.open = Usd.Stage.CreateInMemory()
        UsdGeom.SetStageUpAxis(self.open, UsdGeom.Tokens.z)
        UsdGeom.SetStageMetersPerUnit(self.open, 1.0)
        self.selected: list[str] = []
        self.root: Path | None = folder / "assets"
        file = Path(library_url("H1", str(self.root)))
        file.parent.mkdir(parents=True)
        file.write_bytes(bundled_path("humanoid").read_bytes())

    def add(self, path: str, robot: str) -> None:
        self.open.DefinePrim(path).GetReferences().AddReference(str(bundled_path(robot)))

    def stage(self) -> Usd.Stage:
        return self.open

    def selection(self) -> list[str]:
        return self.selected

    def asset_root(self) -> str:
        if self.root is None:
            raise RobotError("the asset library does not answer")
        return str(self.root)


class Viewport:
    """The part of the viewport that shows a pose."""

    def __init__(self) -> None:
        self.preview_joints: dict[str, float] = {}

    def set_preview_joint(self, name: str, value: float) -> None:
        self.preview_joints[name] = value

    def clear_preview(self) -> None:
        self.preview_joints = {}


@pytest.fixture
def model(tmp_path, monkeypatch) -> Iterator[RobotModel]:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path / "home"))
    workbench = Workbench(Host(), Draft.load("humanoid_stand"))
    model = RobotModel(workbench, Viewport())
    assert model.reading == "humanoid"
    settle(model)
    yield model
    model.destroy()
    workbench.close()


def settle(model: RobotModel) -> None:
    end = time.perf_counter() + 20.0
    while model.workbench.background.busy:
        assert time.perf_counter() < end
        model.workbench.background.poll()
        time.sleep(0.002)


def joint(model: RobotModel, name: str):
    return next(joint for joint in model.workbench.robot.joints if joint.name == name)


def silent_copy(folder: Path, name: str, **replaced: str) -> Path:
    """A copy of a bundled robot's file with texts replaced."""
    text = bundled_path(name).read_text()
    path = folder / f"my_{name}.usda"
    path.write_text(text)
    for old, new in replaced.items():
        assert old in text
        path.write_text(path.read_text().replace(old, new))
    return path


# Settings by pattern


def test_the_last_pattern_that_matches_wins():
    settings = {".*_knee": {"stiffness": 80.0, "damping": 2.0}, "left_knee": {"stiffness": 90.0}}
    assert by_joint(settings, NAMES) == {
        "left_knee": {"stiffness": 90.0, "damping": 2.0},
        "right_knee": {"stiffness": 80.0, "damping": 2.0},
    }


@pytest.mark.parametrize(
    ("before", "pattern", "values", "after"),
    [
        ({}, "left_knee", {"damping": 1.0}, {"left_knee": {"damping": 1.0}}),
        (
            {"left_knee": {"damping": 1.0}},
            ".*_knee",
            {"damping": 3.0},
            {".*_knee": {"damping": 3.0}},
        ),
        (
            {".*": {"damping": 1.0, "armature": 0.1}},
            ".*",
            {"damping": 2.0},
            {".*": {"damping": 2.0, "armature": 0.1}},
        ),
        (
            {"left_knee": {"damping": 1.0, "armature": 0.1}, ".*_knee": {"damping": 3.0}},
            "left_knee",
            {"damping": 4.0},
            {".*_knee": {"damping": 3.0}, "left_knee": {"armature": 0.1, "damping": 4.0}},
        ),
        ({"left_knee": {"damping": 1.0}}, "left_knee", {"damping": None}, {}),
        (
            {".*_knee": {"damping": 1.0}},
            "left_knee",
            {"damping": None},
            {"right_knee": {"damping": 1.0}},
        ),
    ],
)
def test_a_change_is_written_the_shortest_way_that_means_it(before, pattern, values, after):
    assert changed(before, NAMES, pattern, values) == after


def test_a_pattern_that_others_partly_overrule_is_spelt_out_joint_by_joint():
    before = {"left_.*": {"damping": 1.0}, ".*_knee": {"armature": 0.1}, "right_.*": {"armature": 0.5}}
    after = changed(before, NAMES, ".*_knee", {"damping": 7.0})
    meant = by_joint(after, NAMES)
    assert meant["left_knee"] == {"damping": 7.0, "armature": 0.1}
    assert meant["right_knee"] == {"damping": 7.0, "armature": 0.5}
    assert meant["left_hip"] == {"damping": 1.0} and meant["right_hip"] == {"armature": 0.5}


# The table of joints


def test_a_typed_value_goes_into_the_task_and_comes_back_with_the_robot(model):
    column = COLUMNS["stiffness"]
    assert model.table.text(joint(model, "left_knee"), column) == "150"
    model.table.write(joint(model, "left_knee"), column, "175")
    assert model.workbench.draft.task.robot.joints["left_knee"].stiffness == 175.0
    settle(model)
    assert model.table.text(joint(model, "left_knee"), column) == "175"
    assert model.table.is_changed(joint(model, "left_knee"), column)
    assert not model.table.is_changed(joint(model, "right_knee"), column)
    model.table.group = "Drive"
    model.table.reset(joint(model, "left_knee"))
    settle(model)
    assert model.table.text(joint(model, "left_knee"), column) == "150"
    assert model.workbench.draft.task.robot.joints == {}


def test_one_value_is_taken_for_all_joints_that_a_pattern_finds(model):
    model.table.filter("knee")
    assert [joint.name for joint in model.table.joints] == ["left_knee", "right_knee"]
    assert model.table.common_text(COLUMNS["stiffness"]) == "150"
    model.table.write_all(COLUMNS["stiffness"], "80")
    settle(model)
    assert [joint.stiffness for joint in model.table.joints] == [80.0, 80.0]
    assert list(model.workbench.draft.task.robot.joints) == [".*knee.*"]
    model.table.filter("")
    assert len(model.table.joints) == 21 and model.table.common_text(COLUMNS["stiffness"]) == ""


def test_a_filter_that_finds_nothing_leaves_the_table_as_it_is(model):
    model.table.filter(".*_(knee|elbow)")
    for text, said in (("wing", "no joint has 'wing'"), ("(", "not a regular expression")):
        with pytest.raises(TaskError, match=said):
            model.table.filter(text)
    assert len(model.table.joints) == 4


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("stiffness", "-1", "cannot be negative"),
        ("stiffness", "none", "has to be a number"),
        ("damping", "much", "must be a number, not 'much'"),
        ("lower", "2.5", "has to be below upper"),
        ("default", "3", "outside its limits -0.02 to 2.3"),
        ("velocity_limit", "0", "would lock the joint"),
        ("effort_limit", "nan", "finite"),
    ],
)
def test_a_wrong_value_is_refused_with_the_reason_and_changes_nothing(model, field, text, said):
    task = model.workbench.draft.task
    with pytest.raises(TaskError, match=said):
        model.table.write(joint(model, "left_knee"), COLUMNS[field], text)
    assert model.workbench.draft.task is task


def test_angles_may_be_typed_in_degrees_and_limits_taken_away(model):
    table = model.table
    table.write(joint(model, "left_knee"), COLUMNS["upper"], "90deg")
    table.write(joint(model, "right_knee"), COLUMNS["upper"], "none")
    settle(model)
    assert joint(model, "left_knee").upper == pytest.approx(math.pi / 2)
    assert "90 degrees" in table.tooltip(joint(model, "left_knee"), COLUMNS["upper"])
    assert joint(model, "right_knee").upper == math.inf
    assert table.text(joint(model, "right_knee"), COLUMNS["upper"]) == "none"
    model.workbench.undo()
    settle(model)
    assert joint(model, "right_knee").upper == pytest.approx(2.3)


def test_leaving_a_cell_without_typing_keeps_all_digits(model):
    model.table.write(joint(model, "left_knee"), COLUMNS["damping"], "3.14159265")
    settle(model)
    before = model.workbench.draft.task
    model.table.write(joint(model, "left_knee"), COLUMNS["damping"], "3.142")
    assert model.workbench.draft.task is before


def test_a_limit_that_the_file_keeps_in_single_precision_can_be_typed_as_it_reads(model):
    model.table.write(joint(model, "left_knee"), COLUMNS["default"], "-0.02")
    settle(model)
    assert joint(model, "left_knee").default == joint(model, "left_knee").lower == pytest.approx(-0.02, abs=1e-5)


def test_every_column_says_what_it_is():
    for column in COLUMNS.values():
        assert isinstance(column, Column) and "." in column.help
    assert {"lower", "upper", "stiffness", "damping", "effort_limit", "default"} <= set(COLUMNS)


# Bodies


def test_roles_are_given_and_taken_away(model):
    model.toggle_role("torso", "head")
    settle(model)
    assert model.workbench.robot.with_role("head") == ["torso"]
    model.toggle_role("left_foot", "foot")
    settle(model)
    assert model.workbench.robot.with_role("foot") == ["right_foot"]
    assert model.workbench.robot.with_role("head") == ["torso"]


def test_there_is_always_one_base(model):
    task = model.workbench.draft.task
    model.toggle_role("pelvis", "base")
    assert model.workbench.draft.task is task
    model.toggle_role("torso", "base")
    settle(model)
    assert model.workbench.robot.base == "torso" and model.workbench.robot.with_role("base") == ["torso"]


# Choosing


def test_a_bundled_robot_is_taken_once_it_was_read(model):
    model.choose("walker")
    assert model.reading == "walker" and model.source == "humanoid"
    settle(model)
    assert model.source == "walker" and model.reading == "" and model.workbench.robot.name == "walker"
    assert ("Joints", "12") in model.summary() and model.recent == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.usda", None, "no such file"),
        ("text.txt", "hello", "supported"),
        ("empty.usda", "#usda 1.0\n", "no articulation"),
        ("broken.usda", "#usda 1.0\ndef {", "not a readable USD file"),
    ],
)
def test_a_file_that_is_no_robot_is_refused_and_the_robot_stays(model, tmp_path, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    model.choose(str(path))
    settle(model)
    assert said in model.error and "\n" not in model.error
    assert model.source == "humanoid" and model.reading == "" and model.recent == []
    model.choose("walker")
    assert model.error == ""


def test_a_misspelt_name_is_told_the_right_one(model):
    model.choose("humanoyd")
    settle(model)
    assert "did you mean 'humanoid'?" in model.error


def test_files_are_remembered_the_last_one_first(model, tmp_path):
    first, second = silent_copy(tmp_path, "walker"), silent_copy(tmp_path, "cartpole")
    for path in (first, second, first):
        model.workbench.host.file = path
        model.browse()
        settle(model)
        assert model.source == str(path)
    assert model.recent == [str(first), str(second)]
    first.unlink()
    assert model.recent == [str(second)]


# From the stage


@pytest.fixture
def access(model, tmp_path) -> Access:
    access = Access(tmp_path)
    access.add("/World/strider", "walker")
    model.workbench.host.stage_access = access
    return access


def test_without_a_stage_nothing_of_a_stage_is_offered(model):
    model.use_selection()
    model.use_library("H1")
    assert not model.has_stage and model.library == {} and model.reading == model.error == ""


def test_the_selected_robot_is_taken_and_remembered(model, access):
    access.selected = ["/World/strider/trunk"]
    model.use_selection()
    assert model.reading.endswith("strider.usdc") and model.source == "humanoid"
    settle(model)
    assert model.workbench.robot.name == "strider" and len(model.workbench.robot.joints) == 12
    assert model.recent == [model.source] and model.reading == model.error == ""
    before = model.workbench.draft.task
    model.use_selection()
    settle(model)
    assert model.workbench.draft.task is before and model.reading == model.error == ""


@pytest.mark.parametrize(
    ("selected", "said"),
    [
        ([], "nothing is selected"),
        (["/World/gone"], "no such prim"),
        (["/World/strider", "/World/strider/trunk"], "2 prims are selected"),
    ],
)
def test_a_selection_that_is_no_robot_is_refused_and_the_robot_stays(model, access, selected, said):
    access.selected = selected
    model.use_selection()
    settle(model)
    assert said in model.error and model.source == "humanoid" and model.reading == "" and model.recent == []
    access.selected = ["/World/strider"]
    model.use_selection()
    assert model.error == ""


def test_a_robot_of_the_library_is_taken_once_it_was_fetched(model, access):
    model.use_library("H1")
    assert model.reading == "H1" and model.source == "humanoid"
    settle(model)
    assert model.source.endswith("humanoid.usdc") and len(model.workbench.robot.joints) == 21
    assert model.recent == [model.source] and model.reading == ""


def test_a_library_that_does_not_answer_is_said_and_the_robot_stays(model, access):
    access.root = None
    model.use_library("H1")
    settle(model)
    assert model.error == "the asset library does not answer"
    assert model.source == "humanoid" and model.reading == ""


def test_a_robot_that_the_library_lacks_is_said_with_its_place(model, access):
    model.use_library("G1")
    settle(model)
    assert model.error.startswith(f"{access.root}/Isaac/Robots/Unitree/G1/g1.usd: cannot be opened")


def test_the_last_choice_counts(model, access):
    model.use_library("H1")
    model.choose("cartpole")
    settle(model)
    assert model.source == "cartpole" and model.workbench.robot.name == "cartpole"


def test_a_url_is_read_and_refused_like_a_file(model):
    model.choose("https://assets.invalid/h1.usd")
    settle(model)
    assert "https://assets.invalid/h1.usd: cannot be opened" in model.error and model.source == "humanoid"


def test_an_edit_that_the_robot_does_not_take_is_said_and_can_be_undone(model):
    model.workbench.edit("robot.roles", {"foot": ["wing"]})
    settle(model)
    assert "no body matches 'wing'" in model.error and model.can_undo
    model.undo()
    settle(model)
    assert model.error == "" and model.workbench.robot.with_role("foot") == ["left_foot", "right_foot"]


# Mending


def test_a_warning_with_a_way_out_is_gone_after_its_fix(model, tmp_path):
    text = bundled_path("walker").read_text()
    path = tmp_path / "weak.usda"
    path.write_text("\n".join(line for line in text.splitlines() if "maxForce" not in line))
    model.choose(str(path))
    settle(model)
    [(warning, fix)] = model.warnings()
    assert warning.code == "effort_limit_missing" and fix is not None
    before = model.workbench.robot.joints
    model.fix(warning)
    settle(model)
    assert model.warnings() == [] and model.workbench.robot.joints == before


# Posing


def test_sliders_move_joints_in_the_viewport_and_the_pose_can_be_kept(model):
    preview, knee = model.preview, joint(model, "left_knee")
    assert preview.range(knee) == pytest.approx((-0.02, 2.3), abs=1e-5)
    assert preview.position(knee) == pytest.approx(0.4) and not preview.posed
    preview.move(knee, 1.25)
    assert preview.posed and preview.position(knee) == 1.25
    model.workbench.edit("robot.joints", {"left_elbow": {"damping": 3.0}})
    settle(model)
    assert preview.position(joint(model, "left_knee")) == 1.25
    preview.adopt()
    settle(model)
    assert joint(model, "left_knee").default == 1.25 and not preview.posed
    assert joint(model, "left_elbow").damping == 3.0
    preview.move(joint(model, "right_knee"), 9.0)
    assert preview.position(joint(model, "right_knee")) == pytest.approx(2.3)
    preview.stand()
    assert preview.position(joint(model, "right_knee")) == pytest.approx(0.4)


def test_joints_without_limits_slide_over_half_a_turn_either_way(model):
    model.choose("cartpole")
    settle(model)
    assert model.preview.range(joint(model, "hinge")) == (-math.pi, math.pi)
    assert model.preview.range(joint(model, "slider")) == (-3.0, 3.0)


def test_another_robot_starts_unposed_and_unfiltered(model):
    model.table.filter("knee")
    model.preview.move(joint(model, "abdomen_yaw"), 0.5)
    model.choose("cartpole")
    settle(model)
    assert not model.preview.posed and model.table.typed == ""
    assert [joint.name for joint in JointTable(model.workbench).joints] == ["slider", "hinge"]


def test_nothing_is_posed_while_a_run_is_at_work(model):
    model.preview.move(joint(model, "left_knee"), 1.0)
    model.workbench._enter("starting")
    assert not model.preview.enabled and not model.preview.posed and model.waits
    model.preview.move(joint(model, "left_knee"), 1.0)
    assert not model.preview.posed
