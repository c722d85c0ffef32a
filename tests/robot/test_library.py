from __future__ import annotations

from pathlib import Path

import pytest
from pxr import Usd

from humanoid_rl_ext.errors import RobotError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.robot.library import LIBRARY, is_url, library_url, save_url

VARIANTS = """#usda 1.0
(
    defaultPrim = "G"
    upAxis = "Z"
    metersPerUnit = 1
)
def Xform "G" (
    prepend variantSets = "Physics"
)
{{
    variantSet "Physics" = {{
        "None" {{
        }}
        "PhysX" (
            prepend references = @{robot}@
        ) {{
        }}
    }}
}}
"""


def test_a_robot_lies_below_the_asset_root_whether_or_not_that_ends_in_a_slash():
    expected = "https://assets/Isaac/6.0/Isaac/Robots/Unitree/H1/h1.usd"
    assert library_url("H1", "https://assets/Isaac/6.0") == library_url("H1", "https://assets/Isaac/6.0/") == expected


def test_every_robot_says_what_it_is_in_one_line():
    for robot in LIBRARY.values():
        assert robot.path.startswith("/Isaac/Robots/") and robot.path.endswith(".usd")
        assert robot.help and "\n" not in robot.help


def test_a_misspelt_robot_is_told_the_right_one():
    with pytest.raises(RobotError, match="did you mean 'Humanoid'"):
        library_url("Humanoyd", "https://assets")


@pytest.mark.parametrize(
    ("source", "remote"),
    [
        ("https://assets/h1.usd", True),
        ("omniverse://server/h1.usd", True),
        ("h1", False),
        ("/robots/h1.usd", False),
        ("C:\\robots\\h1.usd", False),
    ],
)
def test_urls_are_told_from_names_and_paths(source, remote):
    assert is_url(source) == remote


def test_the_robot_behind_a_url_becomes_a_file(tmp_path):
    root = tmp_path / "assets"
    path = Path(library_url("Humanoid", str(root)))
    path.parent.mkdir(parents=True)
    path.write_bytes(bundled_path("humanoid").read_bytes())
    saved = save_url(str(path))
    path.unlink()
    assert saved.name == "humanoid.usdc" and len(load_robot(str(saved)).joints) == 21


def test_of_the_physics_of_several_engines_physx_s_is_taken(tmp_path):
    path = tmp_path / "several.usda"
    path.write_text(VARIANTS.format(robot=bundled_path("walker")))
    before = path.read_bytes()
    assert len(load_robot(str(save_url(str(path)))).joints) == 12
    assert path.read_bytes() == before


def test_a_physics_that_the_asset_selects_stays(tmp_path):
    path = tmp_path / "several.usda"
    path.write_text(VARIANTS.format(robot=bundled_path("walker")))
    stage = Usd.Stage.Open(str(path))
    stage.GetDefaultPrim().GetVariantSet("Physics").SetVariantSelection("None")
    stage.Save()
    with pytest.raises(RobotError, match=r"several\.usda: no articulation here"):
        save_url(str(path))


def test_a_url_that_does_not_answer_is_told_in_one_line():
    url = "https://assets.invalid/Isaac/Robots/Unitree/H1/h1.usd"
    with pytest.raises(RobotError) as refused:
        save_url(url)
    assert str(refused.value).startswith(f"{url}: cannot be opened") and "\n" not in str(refused.value)
