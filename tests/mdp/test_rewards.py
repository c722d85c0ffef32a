"""Every reward against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from humanoid_rl_ext.mdp import rewards
from humanoid_rl_ext.task.registry import terms

E = math.exp
ALL, FEET = slice(0, 3), slice(1, 3)


def stand(engine, step) -> None:
    """Environment 0 moves; environment 1 stands still."""
    engine.state.root_velocity[0] = torch.tensor([0.6, 0.3, -0.5, 0.4, -0.3, 0.2])
    engine.state.joint_pos[0] = torch.tensor([0.98, 0.1, -0.3])
    engine.state.joint_pos[1] = torch.tensor([0.0, 0.1, 0.2])
    engine.state.joint_vel[0] = torch.tensor([1.0, -2.0, 3.0])
    engine.effort[0] = torch.tensor([-4.0, 2.0, 1.0])
    engine.contacts[0, 1, 2] = 50.0
    engine.state.body_velocity[0, 1, :3] = torch.tensor([0.3, 0.4, 9.0])
    step.commands["velocity"][0] = torch.tensor([1.0, 0.0, 0.5])
    step.commands["target"][0] = torch.tensor([3.0, 4.0, 1.0])
    step.commands["base_height"] = torch.tensor([[1.1], [1.0]])
    step.commands["gait"] = torch.tensor([[0.0, 1.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]])
    step.action[0] = torch.tensor([1.0, 0.0, 2.0])
    step.failed[0] = True
    step.refresh()


CASES = [
    ("alive", {}, [0.0, 1.0]),
    ("termination", {}, [1 / 0.02, 0.0]),
    ("forward_velocity", {"limit": 2.0}, [0.6, 0.0]),
    ("forward_velocity", {"limit": 0.5}, [0.5, 0.0]),
    ("track_lin_vel", {"std": 0.5}, [E(-(0.4**2 + 0.3**2) / 0.25), 1.0]),
    ("track_ang_vel", {"std": 0.5}, [E(-(0.3**2) / 0.25), 1.0]),
    ("target_distance", {"std": 2.0}, [E(-2.5), 1.0]),
    ("target_progress", {"limit": 1.0}, [0.6 * 0.6 + 0.8 * 0.3, 0.0]),
    ("heading_to_target", {}, [0.6, 0.0]),
    ("heading_forward", {}, [1.0, 1.0]),
    ("upright", {"std": 0.4}, [1.0, 1.0]),
    ("height", {"target": 0.0, "std": 0.2}, [1.0, 1.0]),
    ("height", {"target": 1.2, "std": 0.2}, [E(-1), E(-1)]),
    ("track_base_height", {"std": 0.1}, [E(-1), 1.0]),
    ("gait_contact", {"bodies": FEET}, [0.5, 1.0]),
    ("lin_vel_z", {}, [0.25, 0.0]),
    ("ang_vel_xy", {}, [0.25, 0.0]),
    ("joint_deviation", {"joints": ALL}, [0.98 + 0.5, 0.0]),
    ("action_rate", {}, [5.0, 0.0]),
    ("joint_velocity", {"joints": slice(0, 2)}, [5.0, 0.0]),
    ("energy", {"joints": ALL}, [4 + 4 + 3, 0.0]),
    ("effort", {"joints": ALL}, [21.0, 0.0]),
    ("joint_limits", {"joints": ALL, "margin": 0.05}, [0.08, 0.0]),
    ("stand_still", {"threshold": 0.1}, [0.0, 0.0]),
    ("feet_contact", {"bodies": FEET}, [0.5, 0.0]),
    ("feet_slide", {"bodies": FEET}, [0.5, 0.0]),
]


@pytest.mark.parametrize(("name", "params", "expected"), CASES)
def test_reward_equals_the_value_worked_out_by_hand(name, params, expected, engine, step) -> None:
    stand(engine, step)
    assert torch.allclose(getattr(rewards, name)(step, **params), torch.tensor(expected), atol=1e-5)


def test_every_reward_is_checked_here() -> None:
    elsewhere = {"feet_air_time", "single_stance", "teammate_distance"}  # below, and in test_teams
    assert set(terms("reward")) == {name for name, _, _ in CASES} | elsewhere


def test_stand_still_blames_movement_only_when_told_to_stand(engine, step) -> None:
    stand(engine, step)
    step.commands["velocity"][0] = 0.0
    assert rewards.stand_still(step, threshold=0.1).tolist() == pytest.approx([1.48, 0.0])


def walk(engine, step, touching: list[bool]) -> None:
    engine.contacts[0, 1:, 2] = torch.tensor(touching) * 100.0
    step.refresh()


def test_air_time_is_paid_when_a_foot_lands(engine, step) -> None:
    step.commands["velocity"][0, 0] = 1.0
    memory = {"air_time": torch.zeros(2, 2)}
    paid = []
    for touching in ([True, True], [True, False], [True, False], [True, True], [True, True]):
        walk(engine, step, touching)
        paid.append(rewards.feet_air_time(step, memory, bodies=FEET, wanted=0.01)[0].item())
    assert paid == pytest.approx([0, 0, 0, (0.04 - 0.01) / 0.02, 0])


def test_single_stance_grows_with_the_phase_and_is_zero_on_two_feet(engine, step) -> None:
    step.commands["velocity"][0, 0] = 1.0
    memory = {"air_time": torch.zeros(2, 2), "contact_time": torch.zeros(2, 2)}
    paid = []
    for touching in ([True, True], [True, False], [True, False], [True, False], [False, True]):
        walk(engine, step, touching)
        paid.append(rewards.single_stance(step, memory, bodies=FEET, limit=0.05)[0].item())
    assert paid == pytest.approx([0, 0.02, 0.04, 0.05, 0.02])
