"""What the panel reads of Isaac Sim's stage and asset library."""

from __future__ import annotations

import pytest

from humanoid_rl_ext.errors import HumanoidRLError
from humanoid_rl_ext.hosts.kit.stage import KitStage
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.robot.from_stage import save_robot


def test_the_selected_robot_of_the_open_stage_is_read(kit, tmp_path, monkeypatch):
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    kit.new_stage().DefinePrim("/World/strider").GetReferences().AddReference(str(bundled_path("walker")))
    kit.context.get_selection().set_selected_prim_paths(["/World/strider/trunk"], True)
    access = KitStage()
    [selected] = access.selection()
    robot = load_robot(str(save_robot(access.stage(), selected)))
    assert (robot.name, len(robot.joints)) == ("strider", 12)


def test_without_a_stage_there_is_none_and_nothing_is_selected(kit):
    assert KitStage().stage() is None and KitStage().selection() == []


def test_the_asset_root_is_where_the_library_answers(kit, tmp_path):
    kit.answer_assets_at(tmp_path)
    assert KitStage().asset_root() == str(tmp_path)


def test_a_library_that_does_not_answer_is_said_in_one_line(kit):
    with pytest.raises(HumanoidRLError, match="asset library does not answer") as refused:
        KitStage().asset_root()
    assert "\n" not in str(refused.value)
