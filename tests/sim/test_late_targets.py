"""Targets that act late: the same answer, later by the delay, to the sub-step."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.errors import EngineError

pytestmark = pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True)
DT = 0.005
DELAYS = (0.0, 0.005, 0.012, 0.02, 0.03)


def driven(engine, targets: list[float], substeps: int) -> torch.Tensor:
    """(control steps, num_envs) path of the sled for these targets, one per control step."""
    slide = engine.robot.joint_names.index("slide")
    path = []
    for target in targets:
        wanted = torch.zeros(engine.num_envs, 2)
        wanted[:, slide] = target
        engine.set_targets("position", wanted)
        engine.step(substeps)
        path.append(engine.state.joint_pos[:, slide].clone())
    return torch.stack(path)


def home(engine, put) -> None:
    put(engine, joint_pos=torch.zeros(engine.num_envs, 2))


@pytest.mark.parametrize("decimation", [1, 2, 4])
def test_a_step_response_comes_later_by_the_delay_within_one_substep(start, put, bench, decimation):
    engine = start(bench, len(DELAYS), dt=DT, gravity=(0.0, 0.0, 0.0))
    home(engine, put)
    reference = driven(engine, [1.0] * 60, 1)[:, 0]
    home(engine, put)
    delays = torch.tensor(DELAYS).clamp(max=4 * decimation * DT).unsqueeze(-1)
    engine.set_property("action_delay", delays)
    path = driven(engine, [1.0] * (60 // decimation), decimation)
    for env, delay in enumerate(delays.squeeze(-1).tolist()):
        late = round(delay / DT)
        assert abs(late * DT - delay) <= DT / 2 + 1e-9
        expected = torch.cat((torch.zeros(late), reference))[decimation - 1 : 60 : decimation]
        torch.testing.assert_close(path[:, env], expected, rtol=1e-4, atol=1e-6)


def test_targets_arrive_one_after_the_other(start, put, bench):
    engine = start(bench, 2, dt=DT, gravity=(0.0, 0.0, 0.0))
    engine.set_property("action_delay", torch.tensor([[0.0], [2 * 4 * DT]]))
    home(engine, put)
    wild = [0.5, -1.0, 2.0, 0.0, 1.0, -0.5, 0.3, 0.8]
    path = driven(engine, wild, 4)
    torch.testing.assert_close(path[2:, 1], path[:-2, 0], rtol=1e-4, atol=1e-6)
    assert path[:2, 1].abs().max() == 0.0


def test_a_reset_forgets_what_was_on_its_way(start, put, bench):
    engine = start(bench, 2, dt=DT, gravity=(0.0, 0.0, 0.0))
    engine.set_property("action_delay", torch.full((2, 1), 0.02))
    driven(engine, [1.0] * 3, 4)
    put(engine, joint_pos=torch.zeros(2, 2), mask=torch.tensor([True, False]))
    engine.step(4)
    moved = engine.state.joint_pos[:, engine.robot.joint_names.index("slide")].abs().tolist()
    assert moved[0] < 1e-6 < 0.01 < moved[1]


def test_a_delay_that_is_changed_by_the_replay_of_a_recording_acts_at_once(start, put, bench):
    engine = start(bench, 2, dt=DT, gravity=(0.0, 0.0, 0.0))
    paths = []
    for replayed in (False, True):
        engine.set_property("action_delay", torch.zeros(2, 1))
        home(engine, put)
        driven(engine, [0.5, -1.0, 2.0], 4)
        before = dict(vars(engine))
        engine.set_property("action_delay", torch.tensor([[0.0], [6 * DT]]), torch.tensor([False, True]))
        if replayed:
            vars(engine).update(before)  # a replay changes what tensors hold, and nothing else
        paths.append(driven(engine, [1.0, 0.0], 4))
    torch.testing.assert_close(paths[1], paths[0], rtol=0.0, atol=1e-6)
    assert (paths[0][:, 1] - paths[0][:, 0]).abs().max() > 1e-3


def test_a_delay_that_is_no_time_is_refused(start):
    engine = start("cartpole", 2)
    with pytest.raises(EngineError, match="at least 0"):
        engine.set_property("action_delay", torch.tensor([[0.0], [-0.01]]))
