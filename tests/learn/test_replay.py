"""The replay: what goes in comes out, returns over several steps by hand, priorities in proportion."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.transition import Transition
from humanoid_rl_ext.errors import BadInputError, CheckpointError
from humanoid_rl_ext.learn.priorities import BLOCK, Priorities
from humanoid_rl_ext.learn.replay import ReplayBuffer
from humanoid_rl_ext.sim import memory

CPU = torch.device("cpu")


def filled(capacity: int, rewards, terminated=(), truncated=(), num_envs: int = 1, keep_order=False, **options):
    """A replay after one step per row of rewards; observations count the steps, flags name (step, environment)."""
    replay = ReplayBuffer(capacity, num_envs, {"policy": 1}, 1, options.pop("batch_size", 4), CPU, **options)
    for step, row in enumerate(torch.tensor(rewards).view(len(rewards), num_envs, -1)):
        flags = [torch.tensor([(step, env) in chosen for env in range(num_envs)]) for chosen in (terminated, truncated)]
        replay.put("obs/policy", torch.full((num_envs, 1), float(step)))
        replay.put("action", torch.full((num_envs, 1), -float(step)))
        after = {"policy": torch.full((num_envs, 1), step + 1.0)}
        reward = row if options.get("agents") else row[:, 0]
        replay.push(Transition(after, reward, *flags, after), keep_order)
    return replay


def taken(replay: ReplayBuffer, rows, gamma=0.5, n_step=1):
    replay.indices = torch.tensor(rows)
    return replay.batch(gamma, n_step)


def test_a_batch_is_what_was_put_in():
    replay = filled(10, [1.0, 2.0, 3.0], terminated=[(1, 0)], truncated=[(2, 0)])
    batch = taken(replay, [0, 1, 2])
    assert batch["obs/policy"].flatten().tolist() == [0.0, 1.0, 2.0]
    assert batch["action"].flatten().tolist() == [0.0, -1.0, -2.0]
    assert batch["next/policy"].flatten().tolist() == [1.0, 2.0, 3.0]
    assert batch["reward"].tolist() == [1.0, 2.0, 3.0]
    assert batch["discount"].tolist() == [0.5, 0.0, 0.5]  # a time limit leaves the value of what would have followed


def test_the_newest_replace_the_oldest_in_whole_steps():
    replay = filled(7, torch.arange(10.0).view(5, 2).tolist(), num_envs=2)
    assert len(replay) == 6  # three steps of two environments fit into seven rows
    assert sorted(taken(replay, list(range(6)))["reward"].tolist()) == [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]


def test_draws_reach_every_row_in_use_and_no_other():
    replay = filled(100, [0.0] * 8, batch_size=512)
    replay.draw(torch.Generator().manual_seed(1))
    assert replay.indices.unique().tolist() == list(range(8))


def test_returns_over_three_steps_by_hand():
    replay = filled(10, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0], terminated=[(1, 0)], truncated=[(3, 0)])
    batch = taken(replay, [0, 1, 2, 4, 5], n_step=3)
    # 1 + 2/2 and done; 2 and done; 4 + 8/2, cut; 16 + 32/2 up to the newest; 32
    assert batch["reward"].tolist() == [2.0, 2.0, 8.0, 32.0, 32.0]
    assert batch["discount"].tolist() == [0.0, 0.0, 0.25, 0.25, 0.5]
    assert batch["next/policy"].flatten().tolist() == [2.0, 2.0, 4.0, 6.0, 6.0]


def test_returns_follow_the_same_environment_around_the_ring():
    rewards = [[1.0, 100.0], [2.0, 200.0], [4.0, 400.0], [8.0, 800.0]]
    replay = filled(6, rewards, num_envs=2)  # slots hold steps 3, 1, 2
    batch = taken(replay, [4, 5, 0], n_step=2)
    assert batch["reward"].tolist() == [8.0, 800.0, 8.0]
    assert batch["next/policy"].flatten().tolist() == [4.0, 4.0, 4.0]
    assert batch["discount"].tolist() == [0.25, 0.25, 0.5]


def test_every_agent_has_its_own_return():
    replay = filled(10, [[1.0, 10.0], [2.0, 20.0]], agents=2)
    assert taken(replay, [0], n_step=2)["reward"].tolist() == [[2.0, 20.0]]


def test_an_episode_that_does_not_go_on_where_it_came_to_is_cut_there():
    replay = filled(10, [1.0, 2.0])
    replay.put("obs/policy", torch.full((1, 1), 77.0))
    never = torch.tensor([False])
    after = {"policy": torch.full((1, 1), 78.0)}
    replay.push(Transition(after, torch.tensor([4.0]), never, never, after), keep_order=True)
    batch = taken(replay, [0], n_step=3)
    assert (batch["reward"].item(), batch["discount"].item(), batch["next/policy"].item()) == (2.0, 0.25, 2.0)


def test_a_saved_replay_comes_back_and_another_size_is_refused():
    replay = filled(4, [1.0, 2.0, 3.0, 4.0, 5.0], priority_alpha=1.0)
    other = ReplayBuffer(4, 1, {"policy": 1}, 1, 4, CPU, priority_alpha=1.0)
    other.load_state_dict(replay.state_dict())
    for source in (replay, other):
        source.draw(torch.Generator().manual_seed(3))
    before, after = replay.batch(0.9, 2), other.batch(0.9, 2)
    assert all(torch.equal(before[name], after[name]) for name in before)
    with pytest.raises(CheckpointError, match="4 steps of 1 environments"):
        ReplayBuffer(8, 1, {"policy": 1}, 1, 4, CPU).load_state_dict(replay.state_dict())


def test_a_replay_larger_than_memory_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1e9)
    with pytest.raises(BadInputError, match=r"replay of 100,000,000 transitions needs 2.4 GB and 1.0 GB are free"):
        ReplayBuffer(100_000_000, 10, {"policy": 1}, 1, 4, CPU)


def test_priorities_draw_in_proportion_across_blocks():
    rows = 3 * BLOCK
    priorities = Priorities(rows, 3000, 1.0, CPU)
    priorities.welcome(0, rows)
    errors = torch.zeros(rows)
    errors[[0, BLOCK - 1, BLOCK, 3 * BLOCK - 1]] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    priorities.update(torch.arange(rows), errors)
    priorities.uniform.uniform_(generator=torch.Generator().manual_seed(0))
    drawn = priorities.draw(torch.tensor(rows))
    counts = [int((drawn == row).sum()) for row in (0, BLOCK - 1, BLOCK, 3 * BLOCK - 1)]
    assert counts == pytest.approx([300, 600, 900, 1200], abs=3)  # one from each share: all but exact


def test_weights_make_up_for_priorities_by_hand():
    priorities = Priorities(4, 2, 0.5, CPU)
    priorities.welcome(0, 4)
    priorities.update(torch.arange(4), torch.tensor([1.0, 4.0, 9.0, 16.0]))  # 1, 2, 3, 4 to the power of a half
    weights = priorities.weights(torch.tensor([0, 3]), torch.tensor(4), torch.tensor(1.0))
    torch.testing.assert_close(weights, torch.tensor([1.0, 0.25]), rtol=1e-4, atol=1e-6)


def test_new_rows_get_the_largest_priority():
    priorities = Priorities(BLOCK, 400, 1.0, CPU)
    priorities.welcome(0, 2)
    priorities.update(torch.tensor([0, 1]), torch.tensor([3.0, 1.0]))
    priorities.welcome(2, 1)
    priorities.uniform.fill_(0.5)
    assert priorities.draw(torch.tensor(3)).bincount().tolist() == pytest.approx([171, 57, 171], abs=2)
