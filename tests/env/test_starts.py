"""How episodes begin: at different ages, from states in a file, from the run's own past; on both engines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.stagger import stagger
from humanoid_rl_ext.env.stored_states import read_states, write_states
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.engines import ENGINES
from humanoid_rl_ext.task.loading import load_task

LYING = [0.2, -0.1, 1.5, 0.0, 0.0, math.sin(0.4), math.cos(0.4)]
FREE = ("terminations={time_out: {time_out: true}}",)


@pytest.fixture(params=list(ENGINES))
def on(request):
    """Makes an environment on one of the engines, the one before it closed."""
    opened = []

    def on(task: str, *overrides: str, num_envs: int = 4, reserved: int = 0, seed: int = 1):
        while opened:
            opened.pop().close()
        loaded = load_task(task, overrides)
        opened.append(make_env(loaded, num_envs=num_envs, engine=request.param, reserved=reserved, seed=seed))
        return opened[-1]

    yield on
    for env in opened:
        env.close()


def still(env) -> torch.Tensor:
    return torch.zeros(env.num_envs, env.spec.action.size)


def local_pose(env) -> torch.Tensor:
    return env.engine.state.root_pose - torch.nn.functional.pad(env.engine.env_origins, (0, 4))


def arrays(count: int = 1, **other: Any) -> dict[str, Any]:
    """A file's content: the walker in the air, moving, its first two joints bent."""
    joints = load_robot("walker").joint_names[:2]
    return {
        "root_pose": np.tile(LYING, (count, 1)),
        "root_velocity": np.tile([1.0, 0.0, 0.5, 0.0, 0.0, 2.0], (count, 1)),
        "joint_pos": np.tile([0.1, -0.05], (count, 1)),
        "joint_vel": np.tile([0.3, -0.4], (count, 1)),
        "joint_names": np.array(joints),
    } | other


def from_file(path: Path, **other: Any) -> tuple[str, ...]:
    np.savez(path, **arrays(**other))
    return ("episodes.start_from=file", f"episodes.path={path}")


def test_an_episode_starts_in_a_state_of_the_file_and_physics_goes_on_from_it(on, tmp_path: Path) -> None:
    env = on("walker_run", *from_file(tmp_path / "states.npz"), *FREE)
    env.reset()
    state = env.engine.state
    assert torch.allclose(local_pose(env), torch.tensor(LYING).expand(4, 7), atol=1e-4)
    assert torch.allclose(state.root_velocity[:, :3], torch.tensor([1.0, 0.0, 0.5]).expand(4, 3), atol=1e-3)
    assert torch.allclose(state.joint_vel[:, :2], torch.tensor([0.3, -0.4]).expand(4, 2), atol=1e-3)
    default = torch.tensor([joint.default for joint in env.engine.robot.joints])
    assert torch.allclose(state.joint_pos[:, 2:], default[2:].expand(4, -1), atol=1e-4)
    seconds = 0.0
    for _ in range(8):
        env.step(still(env))
        seconds += env.view.dt
    flown = local_pose(env)[:, 0] - LYING[0]
    assert torch.allclose(flown, torch.full((4,), seconds), atol=0.06)  # 1 m/s, through the air
    assert torch.allclose(state.root_velocity[:, 2], torch.full((4,), 0.5 - 9.81 * seconds), atol=0.25)


def test_only_the_share_that_is_asked_for_starts_so(on, tmp_path: Path) -> None:
    env = on("walker_run", *from_file(tmp_path / "states.npz"), "episodes.share=0.25", num_envs=64)
    env.reset()
    in_the_air = (local_pose(env)[:, 2] - 1.5).abs() < 1e-3
    assert 6 <= in_the_air.sum() <= 27  # 16 of 64, within three standard deviations


def test_what_is_written_is_read_again(on, tmp_path: Path) -> None:
    env = on("walker_run")
    env.reset()
    for _ in range(5):
        env.step(still(env))
    write_states(tmp_path / "states.npz", env.engine)
    read = read_states(tmp_path / "states.npz", env.engine.robot)
    here = torch.cat((local_pose(env), env.engine.state.root_velocity, env.engine.state.joint_pos), dim=-1)
    assert torch.allclose(read[:, : here.shape[1]], here, atol=1e-4)


def test_episodes_start_in_past_states_of_the_run(on) -> None:
    env = on("walker_run", "episodes.start_from=buffer", "episodes.interval_s=0.1", "episode_length_s=0.5", *FREE)
    env.reset()
    standing = local_pose(env)[:, 2].clone()
    seen, began = [], []
    for step in range(1, 41):  # episodes last 20 steps; the buffer takes a state in every fourth
        targets = torch.full_like(still(env), 0.8 * (-1) ** (step // 3))
        env.step(targets)
        if step == 20:
            began = env.engine.state.joint_pos.clone()
        if step < 20 and step % 4 == 0:
            seen.append(env.engine.state.joint_pos.clone())
    past = torch.cat(seen)
    for start in began:
        assert (past - start).abs().amax(-1).min() < 1e-3  # one of them, exactly
    default = env.view.default_joint_pos
    assert (began - default).abs().max() > 0.15 and standing.std() < 1e-3
    assert torch.allclose(local_pose(env)[:, :2], torch.zeros(4, 2), atol=1.0)


def test_a_buffer_goes_on_from_a_checkpoint_and_drops_its_oldest_states(on) -> None:
    buffer = ("episodes.start_from=buffer", "episodes.interval_s=0.025", "episodes.capacity=6", *FREE)
    env = on("walker_run", *buffer)
    env.reset()
    for _ in range(3):
        env.step(still(env))
    stored = env._restarts._stored
    assert stored._count == 6 and stored._next == 0
    newest = env.engine.state.joint_pos.clone()
    kept = stored._states[:, 13 : 13 + newest.shape[1]]
    assert torch.allclose(kept[2:], newest, atol=1e-5)  # 4 + 4 + 4 states in 6 places: the last four end at place 0
    saved = env.state_dict()
    again = on("walker_run", *buffer, seed=5)
    again.reset()
    again.load_state_dict(saved)
    assert torch.equal(again._restarts._stored._states, saved["stored"]["states"])
    assert again._restarts._stored._count == 6


def test_before_the_buffer_holds_a_state_episodes_start_standing(make) -> None:
    env = make("walker_run", "episodes.start_from=buffer")
    env.reset()
    assert torch.allclose(local_pose(env)[:, 2], torch.full((4,), env.engine.robot.standing_height), atol=1e-4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"joint_names": np.array(["hipp", "knee"])}, "the robot has no joint 'hipp'"),
        ({"root_pose": np.zeros((1, 7))}, "quaternion of length zero"),
        ({"root_velocity": np.zeros((2, 6))}, r"'root_velocity' must be \(states, 6\), not \(2, 6\)"),
        ({"joint_pos": np.full((1, 2), np.nan)}, "'joint_pos' holds values that are not finite"),
    ],
)
def test_a_file_that_does_not_fit_is_told(make, tmp_path: Path, content: dict[str, Any], said: str) -> None:
    with pytest.raises(TaskError, match=said):
        make("walker_run", *from_file(tmp_path / "states.npz", **content))


def test_a_file_that_is_none_or_lacks_an_array_is_told(make, tmp_path: Path) -> None:
    np.savez(tmp_path / "half.npz", root_pose=np.zeros((1, 7)))
    (tmp_path / "text.npz").write_text("no archive")
    for name, said in (
        ("half", "has no array 'root_velocity'"),
        ("text", "cannot be read"),
        ("none", "cannot be read"),
    ):
        with pytest.raises(TaskError, match=said):
            make("walker_run", "episodes.start_from=file", f"episodes.path={tmp_path / name}.npz")
    with pytest.raises(TaskError, match="names no file"):
        load_task("walker_run", ["episodes.start_from=file"])


def test_staggered_episodes_end_one_by_one_and_only_whole_ones_are_counted(make) -> None:
    torch.manual_seed(3)
    env = make("walker_run", "episode_length_s=1.0", *FREE, num_envs=32)
    env.reset()
    stagger(env)
    ended, counted = [], []
    for _ in range(80):  # two time limits
        ended.append(int(env.step(still(env)).truncated.sum()))
        counted.append([length for _, _, length, _ in env.finished()])
    assert sum(ended[:40]) == sum(ended[40:]) == 32 and max(ended) <= 6
    assert not any(counted[:40]) and [len(lengths) for lengths in counted[40:]] == ended[40:]
    assert all(length == 40 for lengths in counted for length in lengths)
    metrics = env.episode_metrics()
    assert metrics["episodes"] == 32 and metrics["length"] == 40 and metrics["success_rate"] == 1.0


def test_after_a_reset_all_episodes_are_whole_again(make) -> None:
    env = make("walker_run", "episode_length_s=0.1", *FREE)
    env.reset()
    stagger(env)
    env.reset()
    for _ in range(4):
        env.step(still(env))
    assert [length for _, _, length, _ in env.finished()] == [4] * 4


def test_a_staggered_run_goes_on_staggered_from_a_checkpoint(make) -> None:
    torch.manual_seed(3)
    env = make("walker_run", "episode_length_s=0.5", *FREE)
    env.reset()
    stagger(env)
    saved = env.state_dict()
    again = make("walker_run", "episode_length_s=0.5", *FREE, seed=4)
    again.reset()
    again.load_state_dict(saved)
    for _ in range(20):
        again.step(still(again))
    assert again.episode_metrics()["episodes"] == 0
    for _ in range(20):
        again.step(still(again))
    assert again.episode_metrics()["episodes"] == 4


def test_any_termination_can_mean_success(make) -> None:
    high = "terminations.up={term: fall_by_tilt, success: true, params: {limit: 0.0}}"
    env = make("walker_run", high)
    env.reset()
    env.step(still(env))
    assert env.episode_metrics()["success_rate"] == 1.0
    plain = make("walker_run", high.replace("success: true", "success: false"))
    plain.reset()
    plain.step(still(plain))
    assert plain.episode_metrics()["success_rate"] == 0.0
