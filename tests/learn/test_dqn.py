"""Deep Q-learning: its target, its network and its exploration by hand, and that it learns, resumes and refuses."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import huber_loss

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.errors import BadInputError, CheckpointError, TaskError
from humanoid_rl_ext.learn import LEARNERS, fitting, make_learner
from humanoid_rl_ext.learn.action_values import ActionValues, dueling
from humanoid_rl_ext.learn.dqn import DQN
from humanoid_rl_ext.sim import recording
from tests.learn.teaching import check_that_bad_rewards_do_no_harm, train, weights

NUM_ENVS, TOTAL = 8, 2000


class Walk:
    """A corridor of five places: action 1 goes right, 0 left; the right end pays 1 and ends, the left end is a wall."""

    def __init__(self, num_envs: int = NUM_ENVS, device: str = "cpu") -> None:
        self.spec = EnvSpec(num_envs, {"policy": 5, "critic": 2}, ActionSpec("discrete", 2), 20)
        self.device = torch.device(device)
        self.place = torch.zeros(num_envs, dtype=torch.int64, device=self.device)

    @property
    def obs(self):
        seen = torch.nn.functional.one_hot(self.place, 5).float()
        return {"policy": seen, "critic": seen[:, :2]}

    def step(self, actions: torch.Tensor) -> Transition:
        self.place = (self.place + 2 * actions - 1).clamp(min=0)
        final, ended = self.obs, self.place == 4
        self.place = torch.where(ended, 0, self.place)
        return Transition(self.obs, ended.float(), ended, torch.zeros_like(ended), final)


def settings(**changes):
    small = {
        "num_steps": 8,
        "buffer_size": 2000,
        "batch_size": 32,
        "learning_starts": 64,
        "critic_hidden": [32],
        "learning_rate": 3e-3,
        "target_interval": 10,
        "gamma": 0.8,
    }
    return LEARNERS["dqn"].settings(**{**small, **changes})


def made(seed: int = 1, env: Walk | None = None, total: int | None = TOTAL, device: str = "cpu", **changes):
    return DQN((env or Walk()).spec, settings(**changes), device, seed, total)


def test_what_the_target_network_ranks_first_is_valued_by_itself_or_what_the_other_ranks_first():
    learner = made(double=True)
    learner.values.forward = lambda obs: torch.tensor([[1.0, 2.0], [5.0, 2.0], [0.0, 9.0]])
    learner.target_values.forward = lambda obs: torch.tensor([[10.0, 4.0], [3.0, 7.0], [8.0, 6.0]])
    batch = {
        "next/policy": torch.zeros(3, 5),
        "reward": torch.tensor([1.0, 2.0, 3.0]),
        "discount": torch.tensor([0.5, 0.5, 0.0]),
    }
    # the learning network chooses actions 1, 0, 1, of which the target network thinks 4, 3, 6; the last step ended
    torch.testing.assert_close(learner._targets(batch), torch.tensor([3.0, 3.5, 3.0]))
    learner.edit("learning_rate", 1e-3)
    learner.settings = learner.settings.model_copy(update={"double": False})
    # the target network's greatest are 10, 7 and 8
    torch.testing.assert_close(learner._targets(batch), torch.tensor([6.0, 5.5, 3.0]))


def test_dueling_streams_are_joined_by_advantages_less_their_mean():
    values = dueling(torch.tensor([[10.0], [0.0]]), torch.tensor([[1.0, 2.0, 6.0], [4.0, 4.0, 4.0]]))
    torch.testing.assert_close(values, torch.tensor([[8.0, 9.0, 13.0], [0.0, 0.0, 0.0]]))


def test_a_dueling_network_has_the_state_s_value_as_the_mean_of_its_actions():
    network = ActionValues(4, 3, [16, 8], "relu", torch.Generator().manual_seed(0), dueling=True)
    obs = torch.randn(6, 4)
    assert network.state is not None
    torch.testing.assert_close(network(obs).mean(-1, keepdim=True), network.state(network.trunk(obs)))
    assert [layer.out_features for layer in network.trunk if isinstance(layer, torch.nn.Linear)] == [16]
    assert [layer.out_features for layer in network.advantages if isinstance(layer, torch.nn.Linear)] == [8, 3]
    plain = ActionValues(4, 3, [], "relu", torch.Generator().manual_seed(0))
    assert plain(obs).shape == (6, 3) and len(list(plain.parameters())) == 2


@pytest.mark.parametrize("cut", ["terminated", "truncated"])
def test_returns_over_three_steps_end_with_the_episode(cut):
    """Rewards 1, 2, 4, 8 of one environment, whose episode ends after the second; values after step k are 10 k."""
    spec = EnvSpec(1, {"policy": 1}, ActionSpec("discrete", 2), 10)
    sizes = {"buffer_size": 4, "batch_size": 4, "learning_starts": 0, "n_step": 3, "gamma": 0.5, "double": False}
    learner = DQN(spec, settings(**sizes))
    learner.target_values.register_forward_hook(
        lambda network, seen, values: torch.cat((seen[0], seen[0] - 1.0), dim=-1)
    )
    for step, reward in enumerate((1.0, 2.0, 4.0, 8.0)):
        ends = torch.tensor([step == 1])
        never = torch.tensor([False])
        learner.act({"policy": torch.tensor([[10.0 * step]])})
        after = {"policy": torch.tensor([[10.0 * (step + 1)]])}
        flags = (ends, never) if cut == "terminated" else (never, ends)
        learner.observe(Transition(after, torch.tensor([reward]), *flags, after))
    learner.replay.indices.copy_(torch.arange(4))
    targets = learner._targets(learner.replay.batch(0.5, 3))
    # 1 + 2 / 2 (+ 20 / 4); 2 (+ 20 / 2); 4 + 8 / 2 + 40 / 4; 8 + 40 / 2: the newest step has nothing after it yet
    rest = 0.0 if cut == "terminated" else 20.0
    torch.testing.assert_close(targets, torch.tensor([2.0 + rest / 4, 2.0 + rest / 2, 18.0, 28.0]))


def test_epsilon_falls_evenly_over_its_part_of_the_run():
    learner = made(epsilon_start=0.9, epsilon_end=0.1, exploration_fraction=0.25)
    for steps, epsilon in ((0, 0.9), (125, 0.7), (250, 0.5), (500, 0.1), (TOTAL, 0.1)):
        learner.env_steps = steps
        assert learner.epsilon == pytest.approx(epsilon)
    learner.env_steps = 0
    learner.edit("exploration_fraction", 0.0)
    assert learner.epsilon == pytest.approx(0.1)
    assert made(total=None, epsilon_end=0.2).epsilon == pytest.approx(0.2)


def test_every_environment_draws_a_lot_of_its_own():
    env = Walk(num_envs=4000)
    learner = made(env=env, total=None, epsilon_end=0.3, learning_starts=0, buffer_size=40_000)
    actions = learner.act(env.obs)
    best = learner.act_deterministic(env.obs)
    assert actions.dtype == torch.int64 and best.shape == (4000,)
    # half of the random ones are the best by chance: 0.15, with a deviation of 0.0056
    assert (actions != best).float().mean().item() == pytest.approx(0.15, abs=0.025)


def test_the_loss_is_huber_s_and_weighs_by_importance():
    learner = made()
    learner._targets = lambda batch: batch["reward"]
    learner.values.forward = lambda obs: torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    caught = []
    learner._descend = lambda name, loss, norm: caught.append(loss.item())
    batch = {
        "obs/policy": torch.zeros(2, 5),
        "action": torch.tensor([1.0, 0.0]),
        "reward": torch.tensor([1.5, 5.0]),
    }
    learner._learn(batch, False)
    learner._learn({**batch, "weight": torch.tensor([1.0, 0.5])}, False)
    # errors -0.5 and -3: 0.125 and 3 - 0.5
    assert caught == [pytest.approx((0.125 + 2.5) / 2), pytest.approx((0.125 + 1.25) / 2)]
    assert huber_loss(torch.tensor(0.0), torch.tensor(3.0)).item() == 2.5


def test_gradients_are_scaled_down_to_their_greatest_norm():
    learner = made(max_grad_norm=0.1)
    taken = []
    optimiser = learner.optimisers["network"]
    optimiser.step = lambda gradient, divisor: taken.append(gradient / divisor)
    learner._descend("network", 100.0 * learner.values(torch.ones(2, 5)).sum(), 0.1)
    learner._descend("network", 1e-6 * learner.values(torch.ones(2, 5)).sum(), 0.1)
    assert taken[0].norm().item() == pytest.approx(0.1, rel=1e-4)
    assert 0.0 < taken[1].norm().item() < 1e-4


@pytest.mark.parametrize(("interval", "tau"), [(4, 1.0), (1, 0.25)])
def test_the_target_network_is_copied_at_intervals_or_follows_slowly(interval, tau):
    env = Walk()
    learner = made(env=env, target_interval=interval, tau=tau, learning_starts=0)
    train(learner, env, 1)
    online, target = (network.state_dict() for network in (learner.values, learner.target_values))
    for _ in range(2 * interval):
        before = {name: value.clone() for name, value in target.items()}
        learner.gradient_step()
        moved = learner.gradient_steps % interval == 0
        for name, value in target.items():
            torch.testing.assert_close(value, before[name].lerp(online[name], tau if moved else 0.0))


@pytest.mark.parametrize("options", [{}, {"dueling": True, "prioritised": True}, {"double": False}])
def test_it_learns_the_values_of_a_corridor(options):
    env = Walk()
    learner = made(env=env, exploration_fraction=1.0, epsilon_end=0.5, total=50 * 8 * NUM_ENVS, **options)
    train(learner, env, 50)
    right = learner._normalised("policy", torch.eye(5))[:4]
    best = learner.values(right).amax(-1)
    torch.testing.assert_close(best, torch.tensor([0.512, 0.64, 0.8, 1.0]), atol=0.08, rtol=0.0)
    assert learner.act_deterministic({"policy": torch.eye(5)[:4]}).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("options", [{}, {"dueling": True, "prioritised": True, "n_step": 3, "layer_norm": True}])
@pytest.mark.parametrize("normalise", [False, True])
def test_a_resumed_run_goes_on_bit_by_bit(options, normalise):
    env = Walk()
    changes = {**options, "normalise_observations": normalise, "save_replay": True, "gradient_steps": 0.75}
    learner = made(1, env, **changes)
    train(learner, env, 4)
    resumed = made(9, env, **changes)
    resumed.load_state_dict(learner.state_dict())
    place = env.place
    expected = train(learner, env, 3)
    env.place = place
    assert train(resumed, env, 3) == expected
    assert torch.equal(weights(resumed), weights(learner))
    assert expected[-1]["epsilon"] < expected[0]["epsilon"] < 1.0


def test_a_checkpoint_of_another_network_is_refused():
    with pytest.raises(CheckpointError, match="network"):
        made(dueling=True).load_state_dict(made().state_dict())


def test_a_non_finite_loss_is_an_error_and_keeps_the_last_good_policy():
    env = Walk()
    learner = made(env=env)
    train(learner, env, 3)
    check_that_bad_rewards_do_no_harm(learner, env)


def test_edits_act_at_once_and_fixed_settings_stay():
    learner = made()
    learner.edit("learning_rate", 1e-4)
    assert learner.optimisers["network"].learning_rate.item() == pytest.approx(1e-4)
    learner.edit("epsilon_start", 0.4)
    assert learner.epsilon == pytest.approx(0.4)
    with pytest.raises(TaskError, match="cannot change while training"):
        learner.edit("dueling", True)


def test_only_the_policy_s_observations_are_kept():
    learner = made()
    assert learner.replay.row("obs/policy").shape == (NUM_ENVS, 5)
    with pytest.raises(KeyError):
        learner.replay.row("obs/critic")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon_start": 0.1, "epsilon_end": 0.2}, "epsilon_end 0.2 is above epsilon_start 0.1"),
        ({"batch_size": 4000}, "batch_size 4,000 is more than the 2,000 transitions"),
    ],
)
def test_settings_out_of_proportion_are_refused_in_one_line(changes, message):
    with pytest.raises(BadInputError, match=message):
        make_learner("dqn", Walk().spec, settings(**changes))


def test_continuous_actions_and_a_single_choice_are_refused():
    box = EnvSpec(1, {"policy": 2}, ActionSpec("box", 1), 10)
    with pytest.raises(BadInputError, match=r"learns discrete actions, not (box|continuous ones): what fits is ppo"):
        make_learner("dqn", box)
    assert "dqn" not in fitting(box) and "dqn" in fitting(Walk().spec)
    with pytest.raises(BadInputError, match="at least two are needed"):
        make_learner("dqn", EnvSpec(1, {"policy": 2}, ActionSpec("discrete", 1), 10))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_recorded_learning_equals_eager_learning_and_never_waits(monkeypatch):
    def learned() -> tuple[torch.Tensor, dict[str, float]]:
        env = Walk(device="cuda:0")
        options = {"dueling": True, "prioritised": True, "n_step": 3, "normalise_observations": True}
        learner = made(env=env, device="cuda:0", target_interval=3, **options)
        for iteration in range(9):
            torch.cuda.set_sync_debug_mode("error" if iteration == 6 else "default")
            for _ in range(7):
                learner.observe(env.step(learner.act(env.obs)))
                list(learner.update())
            torch.cuda.set_sync_debug_mode("default")
            if iteration == 4:
                learner.edit("learning_rate", 1e-3)
            learner.observe(env.step(learner.act(env.obs)))
            list(learner.update())
        return weights(learner), learner.metrics

    values, metrics = learned()
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    expected, figures = learned()
    torch.testing.assert_close(values, expected, atol=1e-4, rtol=1e-3)
    assert metrics == pytest.approx(figures, rel=1e-2, abs=1e-4)
