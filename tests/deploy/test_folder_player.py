"""Policy folders played in a scene of our own."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.deploy.folder_player import plan_policy_folder
from humanoid_rl_ext.deploy.policy_folder import export_policy_folder
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.train.player import Player, open_player

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
Closing = Callable[[Callable[[], Any]], Any]


def shuffled(names: list[str]) -> list[str]:
    order = list(names)
    random.Random(5).shuffle(order)
    return order


def played(player: Player, steps: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Joint targets as offsets from the standing pose, and where the base went, for a command held all the time."""
    player.watch.drive("velocity", (0.5, 0.1, -0.2))
    offsets, poses = [], []
    names = player.env.engine.robot.joint_names
    for _ in range(steps):
        player.step_once()
        offset = torch.zeros(len(names))
        for name, action in zip(player.env.spec.action.names, player.env.reserved_actions[0].tolist(), strict=True):
            scale = player.task.control.scale
            factor = scale if isinstance(scale, float) else scale[".*_knee" if name.endswith("_knee") else ".*"]
            offset[names.index(name)] = action * factor
        offsets.append(offset)
        poses.append(player.env.engine.state.root_pose[0].clone())
    assert player.watch.error == ""
    return torch.stack(offsets), torch.stack(poses)


@pytest.mark.parametrize("order", [None, shuffled])
def test_our_own_folder_plays_as_its_checkpoint_does(
    order: Callable[[list[str]], list[str]] | None, walk_run: Path, tmp_path: Path, closing: Closing
) -> None:
    dof_names = order(load_robot("humanoid").joint_names) if order else None
    export_policy_folder(walk_run, tmp_path / "policy", dof_names)
    offsets, poses = played(closing(lambda: open_player(walk_run, device="cpu")))
    player: Player = closing(lambda: open_player(plan_policy_folder(tmp_path / "policy", device="cpu")))
    assert player.source == tmp_path / "policy" and player.env.engine.num_envs == 1
    again, there = played(player)
    assert offsets.abs().max() > 0.1
    torch.testing.assert_close(again[0], offsets[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(again, offsets, rtol=0, atol=2e-3)  # each step magnifies how the one before rounded
    torch.testing.assert_close(there, poses, rtol=0, atol=1e-4)


def test_an_isaac_lab_folder_is_played_and_driven(isaac_lab_folder: Callable[..., Path], closing: Closing) -> None:
    player: Player = closing(
        lambda: open_player(plan_policy_folder(isaac_lab_folder(), "humanoid", device="cpu"), num_envs=2)
    )
    names = player.env.spec.observation_names
    assert names is not None and player.env.spec.observations == {"policy": 12 + 3 * 21}
    assert [name.rpartition("[")[0] for name in names["policy"][:12:3]] == [
        "base_lin_vel",
        "base_ang_vel",
        "projected_gravity",
        "velocity_commands",
    ]
    assert names["policy"][12].startswith("joint_pos[") and names["policy"][-1].startswith("actions[")
    player.watch.drive("base_velocity", (0.5, 0.0, 0.1))
    seen = player.env.reserved_observations()["policy"]
    assert seen[0, 9:12].tolist() == pytest.approx([0.5, 0.0, 0.1])
    player.step_once()
    assert player.watch.error == "" and player.env.reserved_actions.abs().max() > 0
    assert player.env.view.dt == pytest.approx(0.02)


def test_the_order_of_joints_in_training_can_be_named(isaac_lab_folder: Callable[..., Path], closing: Closing) -> None:
    trained = shuffled(load_robot("humanoid").joint_names)
    weight = torch.zeros(21, 75)
    weight[:, 12:33] = torch.eye(21)  # each joint is asked for what it has
    folder = isaac_lab_folder(weight=weight)
    player: Player = closing(
        lambda: open_player(plan_policy_folder(folder, "humanoid", device="cpu", dof_names=trained))
    )
    obs = torch.randn(1, 75)
    assert torch.equal(player.watch.learner.act_deterministic({"policy": obs}), obs[:, 12:33])
    weight[0, 12:33] *= 2.0
    folder = isaac_lab_folder(weight=weight)
    player = closing(lambda: open_player(plan_policy_folder(folder, "humanoid", device="cpu", dof_names=trained)))
    acted = player.watch.learner.act_deterministic({"policy": obs}) / obs[:, 12:33]
    first = player.env.spec.action.names.index(trained[0])
    assert acted[0, first].item() == pytest.approx(2.0) and acted.sum().item() == pytest.approx(22.0)


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (torch.zeros(21, 74), r"policy\.pt: does not take the 75 observations of its env\.yaml \(base_lin_vel, "),
        (torch.zeros(19, 75), "gives 19 actions where the robot has 21 joints to move"),
    ],
)
def test_a_policy_of_another_size_is_told(
    weight: torch.Tensor, said: str, isaac_lab_folder: Callable[..., Path], closing: Closing
) -> None:
    with pytest.raises(BadInputError, match=said) as error:
        closing(lambda: open_player(plan_policy_folder(isaac_lab_folder(weight=weight), "humanoid", device="cpu")))
    assert "\n" not in str(error.value)
    again = closing(
        lambda: open_player(plan_policy_folder(isaac_lab_folder(), "humanoid", device="cpu"))
    )  # the scene was let go
    assert again.env.engine.num_envs == 1


def test_names_that_are_not_the_robots_joints_are_told(isaac_lab_folder: Callable[..., Path], closing: Closing) -> None:
    with pytest.raises(BadInputError, match="not those of robot 'humanoid': missing: "):
        closing(
            lambda: open_player(
                plan_policy_folder(isaac_lab_folder(), "humanoid", device="cpu", dof_names=["left_knee"])
            )
        )
