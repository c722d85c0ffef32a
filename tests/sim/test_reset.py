from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.errors import EngineError

pytestmark = pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True)
PARTS = ("root_pose", "root_velocity", "joint_pos", "joint_vel", "body_pose", "body_velocity")


def parts(engine) -> dict[str, torch.Tensor]:
    return {name: getattr(engine.state, name).clone() for name in PARTS}


def test_the_robots_start_at_rest_in_their_standing_pose_on_a_centred_grid(start):
    engine = start("humanoid", 4, spacing=3.0)
    origins = engine.env_origins
    assert origins.mean(0).tolist() == pytest.approx([0.0, 0.0, 0.0])
    assert torch.pdist(origins).min().item() == pytest.approx(3.0)
    standing = engine.state.root_pose[:, :3] - origins
    assert standing[:, 2].tolist() == pytest.approx([engine.robot.standing_height] * 4)
    assert standing[:, :2].abs().max().item() < 1e-6
    assert engine.state.joint_pos[2].tolist() == pytest.approx([joint.default for joint in engine.robot.joints])
    assert engine.state.body_velocity.abs().max().item() == 0.0


def test_a_masked_reset_writes_its_rows_and_no_other(start):
    engine = start("humanoid", 4)
    engine.step(5)
    before = parts(engine)
    mask = torch.tensor([False, True, False, True])
    limits = engine.get_property("joint_limits").view(4, -1, 2)
    pose, velocity = before["root_pose"] + 0.0, torch.full((4, 6), 0.3)
    pose[:, :3] += torch.tensor([0.1, 0.2, 0.5])
    joints = limits[..., 0] + 0.4 * (limits[..., 1] - limits[..., 0])
    speeds = torch.linspace(-1, 1, joints.shape[1]).expand(4, -1).contiguous()
    engine.reset(mask, pose, velocity, joints, speeds)
    after = parts(engine)
    for name in PARTS:
        assert torch.equal(after[name][~mask], before[name][~mask]), name
    for name, written in zip(PARTS, (pose, velocity, joints, speeds), strict=False):
        assert torch.allclose(after[name][mask], written[mask], atol=1e-6), name
    assert torch.allclose(after["body_pose"][mask, 0], pose[mask], atol=1e-6)
    assert (after["body_pose"][mask, 5] - before["body_pose"][mask, 5]).norm(dim=-1).min().item() > 0.1


def test_state_tensors_are_never_rebound(start, put):
    engine = start("walker", 2)
    held = {name: getattr(engine.state, name) for name in PARTS}
    engine.step(3)
    put(engine, lift=0.2)
    assert all(getattr(engine.state, name) is tensor for name, tensor in held.items())
    assert held["root_pose"][0, 2] > engine.robot.standing_height + 0.1


def test_an_environment_that_went_non_finite_recovers_and_its_neighbours_never_notice(start, put):
    engine = start("walker", 3)
    put(engine, lift=1.0)
    good = parts(engine)
    broken = engine.state.joint_pos.clone()
    broken[1] = float("nan")
    if engine.name == "newton":
        engine.state.joint_pos.copy_(broken)  # a view of the solver's own array
    else:
        engine._joint_pos.write_from(broken, torch.tensor([False, True, False]))
    engine.step(4)
    finite = engine.state.body_velocity.flatten(1).isfinite().all(1)
    assert finite.tolist() == [True, False, True]
    engine.reset(~finite, *(good[name] for name in PARTS[:4]))
    engine.step(4)
    assert all(tensor.isfinite().all() for tensor in parts(engine).values())
    assert engine.read_contacts().isfinite().all()
    assert engine.state.root_pose[1, 2].item() == pytest.approx(good["root_pose"][1, 2].item(), abs=0.02)


def test_a_reset_to_values_that_are_not_finite_is_refused_before_anything_is_written(start):
    engine = start("walker", 2)
    before = parts(engine)
    joints = before["joint_pos"] + 0.1
    joints[1, 0] = float("inf")
    with pytest.raises(EngineError, match="environment 1: joint positions not finite"):
        engine.reset(torch.tensor([True, True]), before["root_pose"], before["root_velocity"], joints, joints * 0)
    engine.refresh_bodies()
    assert torch.equal(parts(engine)["body_pose"], before["body_pose"])


def test_rows_outside_the_mask_may_hold_anything(start):
    engine = start("walker", 2)
    before = parts(engine)
    junk = {name: tensor.clone() for name, tensor in before.items()}
    for tensor in junk.values():
        tensor[1] = float("nan")
    engine.reset(torch.tensor([True, False]), *(junk[name] for name in PARTS[:4]))
    engine.step(2)
    assert engine.state.root_pose.isfinite().all()


def test_joint_positions_outside_their_limits_are_brought_inside(start, put):
    engine = start("walker", 1)
    put(engine, lift=1.0, joint_pos=torch.full((1, 12), 9.0))
    upper = engine.get_property("joint_limits").view(1, -1, 2)[..., 1]
    assert torch.allclose(engine.state.joint_pos, upper, atol=1e-6)
    engine.step(1)
    assert engine.state.joint_vel.abs().max().item() < 5.0


def test_a_target_that_is_nan_leaves_the_last_one_in_force(start):
    engine = start("walker", 2)
    engine.set_targets("position", torch.full((2, 12), 0.2))
    engine.set_targets("position", torch.full((2, 12), float("nan")))
    engine.step(10)
    assert engine.state.joint_pos.isfinite().all()
    assert torch.allclose(engine.joint_effort().sign(), (0.2 - engine.state.joint_pos).sign())


def test_a_fixed_base_moves_with_the_origins(start):
    engine = start("cartpole", 2)
    pose = engine.state.root_pose.clone()
    pose[:, 0] += 1.5
    engine.reset(torch.tensor([True, True]), pose, torch.zeros(2, 6), torch.zeros(2, 2), torch.zeros(2, 2))
    engine.step(20)
    assert torch.allclose(engine.state.root_pose, pose, atol=1e-5)
    assert torch.allclose(engine.state.body_pose[:, 1, 0], pose[:, 0] + engine.state.joint_pos[:, 0], atol=1e-4)
