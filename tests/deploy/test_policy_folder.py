"""Exported policy folders, as a controller in Isaac Sim would use them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from humanoid_rl_ext.deploy.policy_folder import export_policy_folder, read_policy_folder
from humanoid_rl_ext.env.actions import ActionMap
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.train.player import Player, open_player
from humanoid_rl_ext.train.run_folder import RunFolder
from tests.deploy.isaac_sim import GAINS, as_isaac_sim_reads

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
Closing = Callable[[Callable[[], Any]], Any]


def shuffled(names: list[str]) -> list[str]:
    order = list(names)
    random.Random(5).shuffle(order)
    return order


class Controller:
    """What a robot's controller in Isaac Sim does: one flat observation in, targets in its own order of joints out."""

    def __init__(self, folder: Path, dof_names: list[str]) -> None:
        self.policy = torch.jit.load(str(folder / "policy.pt"))
        self.env = yaml.safe_load((folder / "env.yaml").read_text())
        self.dof_names = dof_names
        self.default = torch.tensor(as_isaac_sim_reads(self.env, dof_names)["default"])
        self.last = torch.zeros(len(dof_names))

    def targets(self, measured: dict[str, torch.Tensor]) -> dict[str, float]:
        """Position target by joint; ``measured`` holds every term but the last action."""
        terms = [name for name, entry in self.env["observations"]["policy"].items() if isinstance(entry, dict)]
        obs = torch.cat([self.last if name == "last_action" else measured[name] for name in terms])
        with torch.no_grad():
            self.last = self.policy(obs).detach().view(-1)
        target = self.default + self.env["action_scale"] * self.last
        return dict(zip(self.dof_names, target.tolist(), strict=True))


def measured(player: Player, dof_names: list[str]) -> dict[str, torch.Tensor]:
    """What a controller measures on the played robot, with its own order of joints."""
    view, names = player.env.view, player.env.engine.robot.joint_names
    order = [names.index(name) for name in dof_names]
    feet = [index for index, body in enumerate(player.env.engine.robot.bodies) if "foot" in body.roles]
    return {
        "root_height": view.root_height,
        "root_lin_vel": view.root_lin_vel_b[0],
        "root_ang_vel": view.root_ang_vel_b[0],
        "projected_gravity": view.projected_gravity_b[0],
        "joint_pos": view.joint_pos_rel[0, order],
        "joint_vel": view.joint_vel[0, order],
        "contact_force": view.contact_force_w[0, feet].norm(dim=-1) * 0.004,
        "command": view.commands["velocity"][0],
    }


@pytest.mark.parametrize("order", [list, shuffled])
def test_a_controller_drives_every_joint_to_where_the_checkpoint_would(
    order: Callable[[list[str]], list[str]], walk_run: Path, tmp_path: Path, closing: Closing
) -> None:
    dof_names = order(load_robot("humanoid").joint_names)
    folder = export_policy_folder(walk_run, tmp_path / "policy", dof_names)
    assert folder.path == tmp_path / "policy"
    controller = Controller(folder.path, dof_names)
    player: Player = closing(lambda: open_player(walk_run))
    robot, actions = (
        player.env.engine.robot,
        ActionMap(player.task.control, player.env.engine.robot, 1, torch.device("cpu")),
    )
    moved = 0.0
    for _ in range(6):
        wanted = controller.targets(measured(player, dof_names))
        player.step_once()
        ours = actions.targets(actions.clean(player.env.reserved_actions))[0]
        for name, target in zip(robot.joint_names, ours.tolist(), strict=True):
            assert wanted[name] == pytest.approx(target, abs=2e-5), name
        moved += float((ours - player.env.view.default_joint_pos).abs().max())
    assert moved > 0.1


def test_the_last_action_and_clipped_terms_do_matter(walk_run: Path, tmp_path: Path) -> None:
    module = export_policy_folder(walk_run, tmp_path / "policy").module
    obs = torch.zeros(78)
    base = module(obs)
    for index, moves in ((52, False), (53, True), (75, True)):  # last actions of abdomen and left hip, the command
        changed = obs.clone()
        changed[index] = 0.5
        assert (not torch.equal(module(changed), base)) == moves, index
    fast, faster = obs.clone(), obs.clone()
    fast[31:52], faster[31:52] = 3.0, 30.0
    assert torch.equal(module(fast), module(faster))


def test_isaac_sim_reads_the_robots_settings_in_its_own_order(walk_run: Path, tmp_path: Path) -> None:
    robot = load_robot("humanoid")
    dof_names = shuffled(robot.joint_names)
    folder = export_policy_folder(walk_run, tmp_path / "policy", dof_names)
    data = yaml.safe_load(folder.env.read_text())
    read, joints = as_isaac_sim_reads(data, dof_names), {joint.name: joint for joint in robot.joints}
    for key in (*GAINS, "default"):
        assert read[key] == [getattr(joints[name], key) for name in dof_names]
    assert (data["decimation"], data["sim"]["dt"], data["sim"]["render_interval"]) == (4, 0.005, 4)
    properties = data["scene"]["robot"]["spawn"]["articulation_props"]
    assert properties["solver_position_iteration_count"] == 8 and properties["enabled_self_collisions"] is False
    assert data["scene"]["robot"]["init_state"]["rot"] == [1.0, 0.0, 0.0, 0.0]
    assert data["observations"]["policy"]["joint_pos"]["order"] == dof_names
    assert data["observations"]["policy"]["root_lin_vel"]["size"] == 3
    assert folder.joint_names == tuple(dof_names) and data["actions"]["joint_pos"]["joint_names"] == dof_names


def test_the_one_action_scale_is_the_largest_and_joints_that_are_not_driven_rest(
    walk_run: Path, tmp_path: Path
) -> None:
    folder = export_policy_folder(walk_run, tmp_path / "policy")
    assert folder.action_scale == 0.5
    actions = folder.module(torch.ones(78))
    driven = ("hip", "knee", "ankle")
    for name, action in zip(folder.joint_names or (), actions.tolist(), strict=True):
        assert (action != 0.0) == any(part in name for part in driven), name
    assert folder.module(1e6 * torch.randn(50, 78)).abs().max() <= 5.0


def test_it_goes_into_the_runs_folder_again_and_again_and_reads_back_the_same(walk_run: Path) -> None:
    first = export_policy_folder(walk_run)
    assert first.path == walk_run / "exports" / "step_64"
    obs = torch.randn(3, 78)
    second = export_policy_folder(walk_run / "checkpoints" / "step_64")
    assert second.path == first.path and torch.equal(second.module(obs), first.module(obs))
    assert sorted(path.name for path in first.path.iterdir()) == ["env.yaml", "policy.pt"]
    assert second.data == first.data
    settings = first.joints(["left_knee"])["left_knee"]
    knee = next(joint for joint in load_robot("humanoid").joints if joint.name == "left_knee")
    assert (settings.stiffness, settings.default) == (knee.stiffness, knee.default)


def test_what_cannot_be_exported_is_told_and_nothing_is_written(
    cartpole_run: Path, walk_run: Path, tmp_path: Path
) -> None:
    target = tmp_path / "policy"
    with pytest.raises(BadInputError, match=r"control\.type is 'effort'; .*joint positions"):
        export_policy_folder(cartpole_run, target)
    with pytest.raises(BadInputError, match=r"missing: left_knee; unknown: left_kne; 21 named, 21 in the robot"):
        names = [name.replace("left_knee", "left_kne") for name in load_robot("humanoid").joint_names]
        export_policy_folder(walk_run, target, names)
    with pytest.raises(BadInputError, match="not a run folder"):
        export_policy_folder(tmp_path, target)
    assert not target.exists()
    target.write_text("a file")
    with pytest.raises(BadInputError, match="cannot be written"):
        export_policy_folder(walk_run, target)


def test_a_gymnasium_run_has_no_robot_to_export(walk_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "step_64").symlink_to(walk_run / "checkpoints" / "step_64")
    RunFolder(run).task.write_text("gymnasium: CartPole-v1\n")
    RunFolder(run).learner.write_text((walk_run / "learner.yaml").read_text())
    with pytest.raises(BadInputError, match="has no robot"):
        export_policy_folder(run)


def test_folders_and_files_are_found_by_their_names(isaac_lab_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = isaac_lab_folder()
    assert read_policy_folder(folder).joint_names is None
    for name in ("policy.pt", "env.yaml"):
        (folder / name).rename(folder / f"physx_{name}")
    assert read_policy_folder(folder).env.name == "physx_env.yaml"
    assert read_policy_folder(folder / "physx_policy.pt").policy.name == "physx_policy.pt"
    (folder / "newton_policy.pt").write_bytes(b"")
    assert read_policy_folder(folder).policy.name == "physx_policy.pt"
    (folder / "physx_policy.pt").rename(folder / "spot_policy.pt")
    with pytest.raises(BadInputError, match=r"holds several policies; name one of newton_policy\.pt, spot_policy\.pt"):
        read_policy_folder(folder)
    with pytest.raises(BadInputError, match=r"spot_env\.yaml: no such file"):
        read_policy_folder(folder / "spot_policy.pt")


def test_the_action_scale_is_found_where_it_stands(isaac_lab_folder: Callable[..., Path]) -> None:
    assert read_policy_folder(isaac_lab_folder()).action_scale == 0.5
    assert read_policy_folder(isaac_lab_folder(lambda data: data.update(action_scale=0.2))).action_scale == 0.2
    by_joint = {".*_hip_.*": 0.3, ".*": 0.4}
    folder = isaac_lab_folder(lambda data: data["actions"]["joint_pos"].update(scale=by_joint))
    assert read_policy_folder(folder).action_scale == by_joint
    assert read_policy_folder(isaac_lab_folder(lambda data: data.pop("actions"))).action_scale == 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.pop("decimation"), "decimation: must be a number, not None"),
        (lambda data: data.update(decimation=2.5), "decimation: must be a whole number of physics steps, not 2.5"),
        (lambda data: data.pop("sim"), "'sim' is missing"),
        (lambda data: data["sim"].update(dt=-0.1), r"sim\.dt: must be above zero, not -0\.1"),
        (lambda data: data.pop("observations"), r"'observations\.policy' is missing"),
        (lambda data: data["observations"].update(policy={"joint_pos": None}), "holds no term"),
        (lambda data: data["observations"]["policy"].update(odd={"params": {}}), r"policy\.odd: 'func' is missing"),
        (lambda data: data.update(action_scale="large"), "action_scale: must be a number, not 'large'"),
        (lambda data: data.update(humanoid_rl={"format": 99}), "not of format 1"),
        (lambda data: data.update(humanoid_rl={"format": 1}), r"'humanoid_rl\.joints' is missing"),
    ],
)
def test_a_broken_env_yaml_is_told_in_one_line(
    change: Callable[[dict[str, Any]], Any], said: str, isaac_lab_folder: Callable[..., Path]
) -> None:
    with pytest.raises(BadInputError, match=said) as error:
        read_policy_folder(isaac_lab_folder(change))
    assert "env.yaml: " in str(error.value) and "\n" not in str(error.value)


def test_a_folder_that_lacks_a_file_is_told(isaac_lab_folder: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such policy folder"):
        read_policy_folder(tmp_path / "nowhere")
    folder = isaac_lab_folder()
    (folder / "policy.pt").unlink()
    with pytest.raises(BadInputError, match=r"not a policy folder \(policy\.pt missing\)"):
        read_policy_folder(folder)
    with pytest.raises(BadInputError, match=r"policy\.pt: no such file"):
        read_policy_folder(folder / "policy.pt")
    with pytest.raises(BadInputError, match=r"is called policy\.pt or <name>_policy.pt"):
        read_policy_folder(folder / "model.pt")
