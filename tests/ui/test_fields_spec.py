"""What a field allows comes from the schema, and everything else is refused with a reason."""

from __future__ import annotations

import math

import pytest

from humanoid_rl_ext.robot.overrides import JointOverride, RobotOverrides
from humanoid_rl_ext.task.registry import term
from humanoid_rl_ext.task.schema import CommandSection, Task
from humanoid_rl_ext.ui.fields.numbers import format_number, parse_number, parse_whole, scrub_step
from humanoid_rl_ext.ui.fields.spec import (
    FieldKind,
    FieldSpec,
    humanised,
    learner_fields,
    model_fields,
    run_fields,
    term_fields,
)

FIELDS = {spec.path: spec for spec in [*model_fields(Task), *run_fields(), *learner_fields("ppo")]}


def field(kind: FieldKind, **more) -> FieldSpec:
    return FieldSpec(path="some.thing", label="Thing", kind=kind, **more)


@pytest.mark.parametrize(
    ("spec", "text", "reason"),
    [
        (field("number", low=0, high=10, unit="m"), "12", "must lie between 0 and 10 m, not 12"),
        (field("number", low=0, low_open=True), "0", "must be above 0, not 0"),
        (field("number", high=1, high_open=True), "1", "must be below 1, not 1"),
        (field("number", low=0, low_open=True, high=1), "2", "must be above 0 and at most 1, not 2"),
        (field("number"), "fast", "must be a number, not 'fast'"),
        (field("number"), "", "needs a number"),
        (field("number"), "nan", "must be a finite number, not 'nan'"),
        (field("number"), "1e999", "must be a finite number, not '1e999'"),
        (field("number"), "1/0", "must be a number, not '1/0'"),
        (field("number"), "0,5", "write 0.5, with a point"),
        (field("whole"), "2.5", "must be a whole number, not '2.5'"),
        (field("whole", low=1), "0", "must be at least 1, not 0"),
        (field("switch"), "perhaps", "must be yes or no, not 'perhaps'"),
        (field("choice", choices=("a", "b")), "c", "must be one of a, b, not 'c'"),
        (field("text", format_pattern="^[a-z]+$"), "a b", "'a b' does not match [a-z]+"),
        (field("text", format_pattern="^[a-z]+$"), "", "must not be empty"),
        (field("pattern"), "(knee", "'(knee' is not a regular expression"),
        (field("pattern"), "", "needs a regular expression"),
        (field("numbers", length=2, ordered=True), "2, 1", "low 2 is above high 1"),
        (field("numbers", length=2, ordered=True), "2", "needs 2 numbers, not 1"),
        (field("numbers", length=2, optional=True), "2, ", "needs 2 numbers, or none at all"),
        (field("numbers", length=3), "0, 0, down", "must be a number, not 'down'"),
        (field("numbers", length=2, low=-1, high=1), "-2, 0", "must lie between -1 and 1, not -2"),
        (field("wholes", low=1), "128, 0.5", "must be a whole number, not '0.5'"),
        (field("wholes", max_length=2), "1, 2, 3", "takes at most 2 whole numbers, not 3"),
        (field("texts"), " , ", "must not be empty"),
        (field("number_or_table"), "much", "must be a number, not 'much'"),
        (field("number_or_table"), ".*knee: much", "'.*knee' needs a number, not 'much'"),
        (field("number_or_table"), "a: [", "must be a number, or pattern: number"),
    ],
)
def test_every_kind_of_field_refuses_wrong_text_with_a_reason(spec, text, reason):
    with pytest.raises(ValueError) as error:
        spec.parse(text)
    assert str(error.value).startswith(reason)


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        (field("number"), " 1e-3 ", 0.001),
        (field("number"), "1/120", 1 / 120),
        (field("number", optional=True), "", None),
        (field("whole"), "1e6", 1_000_000),
        (field("whole"), "1 000 000", 1_000_000),
        (field("whole"), "9007199254740993", 9007199254740993),
        (field("switch"), "yes", True),
        (field("switch", optional=True), "unset", None),
        (field("choice", choices=("a", "b")), "b", "b"),
        (field("pattern"), ".*(knee|hip).*", ".*(knee|hip).*"),
        (field("numbers", length=2, ordered=True), "-0.5, 1.5", [-0.5, 1.5]),
        (field("numbers", length=2, optional=True), ", ", None),
        (field("wholes"), "[256, 128]", [256, 128]),
        (field("wholes"), "", []),
        (field("texts"), "legs", ["legs"]),
        (field("texts", single=True), "own", "own"),
        (field("texts", single=True), "own, a[b{1,2}], c", ["own", "a[b{1,2}]", "c"]),
        (field("texts", optional=True), "", None),
        (field("number_or_table"), "0.5", 0.5),
        (field("number_or_table"), ".*knee: 0.5, .*hip: 1", {".*knee": 0.5, ".*hip": 1.0}),
    ],
)
def test_what_is_allowed_becomes_a_value_of_the_right_type(spec, text, value):
    parsed = spec.parse(text)
    assert parsed == value and type(parsed) is type(value)
    again = spec.parse(spec.format(parsed))
    assert again == parsed if spec.kind == "texts" else again == pytest.approx(parsed, rel=1e-2)


def test_a_table_of_patterns_survives_being_shown():
    spec = field("number_or_table")
    table = {".*(hip|knee)_[xyz]": 0.5, "a{1,2}": 1.0}
    assert spec.parse(spec.format(table)) == table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 120, "0.00833"),
        (0.1 + 0.2, "0.3"),
        (2.0, "2"),
        (1e-5, "1e-5"),
        (9.80665, "9.80665"),
        (math.pi, "3.14"),
        (-0.0005, "-0.0005"),
        (20_000_000, "20000000"),
        (1e20, "1e20"),
        (math.inf, "inf"),
    ],
)
def test_numbers_are_shown_short_and_without_noise(value, text):
    assert format_number(value) == text


def test_text_that_is_no_number_is_no_number():
    for text in ("", "x", "1/2/3", "--1", "inf"):
        with pytest.raises(ValueError):
            parse_number(text)
        with pytest.raises(ValueError):
            parse_whole(text)


def test_a_drag_moves_a_number_by_a_share_of_its_size():
    assert scrub_step(0.5, -math.inf, math.inf, False) == pytest.approx(0.002)
    assert scrub_step(500.0, 0, math.inf, False) == pytest.approx(2)
    assert scrub_step(0.0, 0, 1, False) == pytest.approx(0.002)
    assert scrub_step(4, 1, 255, True) == pytest.approx(0.2)


def test_bounds_units_help_and_types_come_from_the_models():
    dt, gravity, control = FIELDS["sim.dt"], FIELDS["sim.gravity"], FIELDS["control.type"]
    assert (dt.kind, dt.unit, dt.low, dt.low_open, dt.high, dt.high_open) == ("number", "s", 0, True, 0.1, False)
    assert dt.help == "Physics sub-step" and dt.label == "Time step"
    assert (gravity.kind, gravity.parts, gravity.ordered, gravity.default) == ("numbers", 3, False, (0.0, 0.0, -9.81))
    assert control.kind == "choice" and "effort" in control.choices
    assert FIELDS["sim.ovphysx.position_iterations"].kind == "whole"
    assert FIELDS["sim.self_collision"].kind == "switch"
    assert FIELDS["control.scale"].kind == "number_or_table"
    assert FIELDS["control.joints"].kind == "pattern"
    assert FIELDS["name"].format_pattern
    resample = next(spec for spec in model_fields(CommandSection, "commands.velocity") if "resample" in spec.path)
    assert (resample.parts, resample.ordered, resample.optional, resample.unit) == (2, True, True, "s")


def test_bounds_inside_of_optional_types_are_found():
    robot = {spec.path: spec for spec in (*model_fields(RobotOverrides, "robot"), *model_fields(JointOverride, "j"))}
    height, fixed, stiffness = robot["robot.standing_height"], robot["robot.fixed_base"], robot["j.stiffness"]
    assert (height.kind, height.low, height.low_open, height.optional) == ("number", 0, True, True)
    assert (fixed.kind, fixed.optional) == ("switch", True)
    assert (stiffness.low, stiffness.low_open, stiffness.optional) == (0, False, True)
    assert "robot.joints" not in robot and "robot.roles" not in robot


def test_the_settings_of_run_and_learner_have_fields():
    assert "run.seed" not in FIELDS
    assert FIELDS["run.engine"].choices == ("ovphysx", "newton") and FIELDS["run.device"].choices == (
        "auto",
        "cpu",
        "cuda",
    )
    assert FIELDS["learner.learning_rate"].live and not FIELDS["learner.actor_hidden"].live
    hidden = FIELDS["learner.actor_hidden"]
    assert (hidden.kind, hidden.low, hidden.high, hidden.max_length) == ("wholes", 1, 4096, 8)


def test_parameters_of_terms_have_fields():
    velocity = {spec.path: spec for spec in term_fields(term("command", "velocity"), "commands.velocity")}
    forward = velocity["commands.velocity.params.lin_vel_x"]
    assert (forward.kind, forward.parts, forward.ordered, forward.unit) == ("numbers", 2, True, "m/s")
    assert (forward.low, forward.high, forward.label) == (-20, 20, "Linear velocity x")
    specs = term_fields(term("reward", "feet_air_time"), "rewards.feet_air_time", ["velocity", "target"])
    by_name = {spec.path.rpartition(".")[2]: spec for spec in specs}
    assert by_name["command"].choices == ("velocity", "target")
    assert by_name["bodies"].kind == "pattern" and "role" in by_name["bodies"].help


def test_labels_are_words():
    assert humanised("lin_vel_x") == "Linear velocity x"
    assert humanised("episode_length_s") == "Episode length"
    assert humanised("num_envs") == "Environments"
