from __future__ import annotations

from pathlib import Path

import pytest

from humanoid_rl_ext.errors import RobotError
from humanoid_rl_ext.robot import JointOverride, RobotOverrides
from humanoid_rl_ext.robot.overrides import PRESET_FOLDER, read_overrides


@pytest.mark.parametrize("path", sorted(PRESET_FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_presets_are_valid(path: Path) -> None:
    read_overrides(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("joins: {}", "did you mean 'joints'"),
        ("joints: {a: {stifness: 1}}", "did you mean 'stiffness'"),
        ("joints: {a: {stiffness: -1}}", "greater than or equal to 0"),
        ("joints: {a: {lower: 1, upper: 0}}", "above upper"),
        ("joints: {'(': {stiffness: 1}}", "not a regular expression"),
        ("[1, 2]", "expected keys"),
        ("a: [", "not YAML"),
    ],
)
def test_a_mistake_in_a_preset_is_one_line_that_names_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(RobotError, match=r"r\.yaml") as caught:
        read_overrides(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stronger_overrides_keep_what_they_do_not_mention() -> None:
    weak = RobotOverrides(joints={"a": JointOverride(stiffness=1.0, damping=2.0)}, roles={"foot": ["f"]})
    strong = RobotOverrides(joints={"a": JointOverride(stiffness=5.0)})
    both = strong.over(weak)
    assert both.joints["a"] == JointOverride(stiffness=5.0, damping=2.0)
    assert both.roles == {"foot": ["f"]}
