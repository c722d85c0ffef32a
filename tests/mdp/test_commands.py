"""Commands worked out by hand: turning to a heading, the clock of a gait, the height of the base."""

from __future__ import annotations

import math

import pytest
import torch

from humanoid_rl_ext.mdp import commands, metrics, rewards

RATES = torch.tensor([-1.0, 1.0])
GAIN = torch.tensor(0.5)


def facing(engine, step, *yaws: float) -> None:
    """Turns the bases to these headings (rad)."""
    for env, yaw in enumerate(yaws):
        engine.state.root_pose[env, 3:] = torch.tensor([0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)])
    step.refresh()


def yaw_rates(step, *wanted: float) -> list[float]:
    drawn = torch.tensor([[0.3, 0.1, heading, 1.0] for heading in wanted])
    follow = commands._turn_to_heading(step, drawn, ang_vel_z=RATES, heading_gain=GAIN)
    assert torch.equal(follow[:, :2], drawn[:, :2])
    return follow[:, 2].tolist()


def test_the_yaw_rate_turns_the_base_to_its_heading_by_the_shorter_way(engine, step) -> None:
    facing(engine, step, 0.4, -0.6)
    assert yaw_rates(step, 1.0, -1.0) == pytest.approx([0.3, -0.2], abs=1e-5)
    facing(engine, step, 3.0, -3.0)  # over the seam: 0.283 to the left, 0.283 to the right
    assert yaw_rates(step, -3.0, 3.0) == pytest.approx([math.pi - 3.0, 3.0 - math.pi], abs=1e-5)


def test_the_yaw_rate_stays_within_its_range(engine, step) -> None:
    facing(engine, step, 0.0, 0.0)
    assert yaw_rates(step, 3.0, -3.0) == pytest.approx([1.0, -1.0])


def test_a_standing_command_and_a_driven_one_turn_to_no_heading(engine, step) -> None:
    facing(engine, step, 1.0, 1.0)
    drawn = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.5, 0.0, -0.7, 0.0]])
    told = commands._turn_to_heading(step, drawn, ang_vel_z=RATES, heading_gain=GAIN)
    assert torch.equal(told, drawn[:, :3])


def test_in_heading_mode_headings_come_from_their_range_and_some_commands_say_stand(step) -> None:
    random = torch.rand(1000, 4, generator=torch.Generator().manual_seed(0))
    drawn = commands.velocity(step, random, heading=True, heading_range=(0.5, 1.0), standing_share=0.2)
    stands = drawn[:, 3] == 0
    assert 150 < stands.sum() < 250 and (drawn[stands] == 0).all()
    assert drawn[~stands, 2].min() >= 0.5 and drawn[~stands, 2].max() <= 1.0 and (drawn[~stands, 3] == 1).all()


def ticks(step, drawn: torch.Tensor, count: int, **params) -> torch.Tensor:
    """(count, num_envs, size): what the clock says in each step of an episode that begins at once."""
    memory, said = {"phase": torch.full((2,), 0.77)}, []
    step.episode_length.zero_()
    for _ in range(count):
        said.append(commands._clock(step, memory, drawn, bodies=slice(1, 3), **params))
        step.episode_length += 1
    return torch.stack(said)


def test_the_gait_s_phase_rises_by_the_frequency_from_where_the_episode_began(step) -> None:
    drawn = torch.tensor([[2.0, 0.5, 0.25], [1.0, 0.5, 0.0]])
    said = ticks(step, drawn, 30, offsets=torch.tensor([0.0, 0.5]))
    time = 0.02 * torch.arange(30)
    for env, (frequency, begin) in enumerate(((2.0, 0.25), (1.0, 0.0))):
        angle = 2 * math.pi * (frequency * time + begin)
        assert torch.allclose(said[:, env, 0], torch.sin(angle), atol=1e-4)
        assert torch.allclose(said[:, env, 1], torch.cos(angle), atol=1e-4)


def test_feet_half_a_cycle_apart_stand_in_turn_for_their_share_of_the_cycle(step) -> None:
    drawn = torch.tensor([[1.0, 0.6, 0.0], [1.0, 0.6, 0.0]])
    stance = ticks(step, drawn, 50, offsets=torch.tensor([0.0, 0.5]))[:, 0, 2:]
    assert stance.mean(0).tolist() == pytest.approx([0.6, 0.6], abs=0.021)
    assert (stance.sum(-1) >= 1).all() and (stance.sum(-1) == 2).float().mean() == pytest.approx(0.2, abs=0.041)
    spread = ticks(step, drawn, 50, offsets=torch.tensor([]))[:, 0, 2:]
    assert torch.equal(spread, stance)  # evenly spread: the same for two feet
    hops = ticks(step, drawn, 50, offsets=torch.tensor([0.0, 0.0]))[:, 0, 2:]
    assert torch.equal(hops[:, 0], hops[:, 1])


def test_a_new_draw_changes_the_frequency_and_not_the_phase(step) -> None:
    memory = {"phase": torch.tensor([0.4, 0.4])}
    step.episode_length.fill_(10)
    said = commands._clock(
        step, memory, torch.tensor([[5.0, 0.5, 0.9], [0.0, 0.5, 0.9]]), bodies=slice(1, 3), offsets=torch.zeros(2)
    )
    assert memory["phase"].tolist() == pytest.approx([0.5, 0.4])
    assert said[0, :2].tolist() == pytest.approx([0.0, -1.0], abs=1e-5)


def test_the_height_of_the_base_is_a_share_of_the_standing_height(step) -> None:
    drawn = commands.base_height(step, torch.tensor([[0.0], [1.0]]), share=(0.5, 1.0))
    assert drawn.flatten().tolist() == pytest.approx([0.5, 1.0])
    step.standing_height, step.commands = 1.6, {"base_height": drawn}  # the bases are 1 m high; wanted are 0.8 and 1.6
    assert rewards.track_base_height(step, std=0.2).tolist() == pytest.approx([math.exp(-1), math.exp(-9)])
    assert metrics.base_height_error(step).tolist() == pytest.approx([0.2, 0.6])
