"""TRPO's step against the Fisher matrix written out, and the bound that its line search holds."""

from __future__ import annotations

from collections import deque

import pytest
import torch

from humanoid_rl_ext.learn.settings_on_policy import TRPOSettings
from humanoid_rl_ext.learn.trpo import TRPO
from tests.learn.target import Target

DAMPING = 0.01


def filled(kind: str, **changes) -> TRPO:
    """A learner with tiny networks and a full rollout whose advantages are known."""
    chosen = {"num_steps": 6, "actor_hidden": [3], "critic_hidden": [3], "activation": "tanh", "critic_minibatches": 1}
    env = Target(kind)
    learner = TRPO(env.spec, TRPOSettings(**{**chosen, "cg_damping": DAMPING, "cg_iterations": 60, **changes}), seed=3)
    with torch.no_grad():  # not as good as independent of the observation, as it begins
        learner._policy[: 3 + 3 + 6].normal_(generator=torch.Generator().manual_seed(4))
    while learner._step < learner.settings.num_steps:
        learner.observe(env.step(learner.act(env.obs)))
    learner.distribution.remember()
    deque(learner._run(learner._estimate), maxlen=0)
    return learner


def jacobian(learner: TRPO) -> torch.Tensor:
    """How the distribution's parameters follow the network's, (samples, outputs, parameters), one entry at a time."""
    params = learner.network.policy(learner.rollout.rows("obs/policy").clone())
    rows = [
        torch.cat(
            [
                torch.zeros_like(leaf).flatten() if part is None else part.flatten()
                for leaf, part in zip(
                    learner._policy_leaves,
                    torch.autograd.grad(value, learner._policy_leaves, retain_graph=True, allow_unused=True),
                    strict=True,
                )
            ]
        )
        for value in params.flatten()
    ]
    return torch.stack(rows).view(*params.shape, -1)


def fisher_matrix(learner: TRPO) -> torch.Tensor:
    """The mean of J' M J, with M the Fisher matrix of the distribution in its own parameters (in closed form)."""
    slopes = jacobian(learner)
    if learner.spec.action.kind == "box":
        precision = (-2.0 * learner.distribution.log_std.detach()).exp()
        matrix = torch.einsum("sop,o,soq->pq", slopes, precision, slopes) / len(slopes)
        matrix[-2:, -2:] += 2.0 * torch.eye(2)  # of the logarithms of two deviations, the last parameters
        return matrix
    chances = learner.network.policy(learner.rollout.rows("obs/policy").clone()).softmax(-1).detach()
    inner = torch.diag_embed(chances) - chances.unsqueeze(-1) * chances.unsqueeze(-2)
    return torch.einsum("sop,sor,srq->pq", slopes, inner, slopes) / len(slopes)


@pytest.mark.parametrize("kind", ["box", "discrete"])
def test_fisher_vector_products_are_those_of_the_matrix_written_out(kind):
    learner = filled(kind)
    learner._conjugate.normal_(generator=torch.Generator().manual_seed(5))
    (product,) = learner._fisher_product_of(torch.arange(len(learner.rollout)))
    torch.testing.assert_close(product, fisher_matrix(learner) @ learner._conjugate, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["box", "discrete"])
def test_the_step_solves_the_damped_system_and_reaches_for_the_bound(kind):
    learner = filled(kind)
    matrix = fisher_matrix(learner).double() + DAMPING * torch.eye(learner._policy.numel(), dtype=torch.float64)
    deque(learner._step_policy(), maxlen=0)
    gradient = learner._gradient.double()
    natural = torch.linalg.solve(matrix, gradient)
    step = natural * (2.0 * learner.settings.max_kl / (natural @ matrix @ natural)).sqrt()
    torch.testing.assert_close(learner._direction.double(), step, rtol=2e-2, atol=2e-4)
    assert torch.cosine_similarity(learner._direction.double(), step, dim=0) > 0.9999
    assert torch.cosine_similarity(gradient, step, dim=0) < 0.9  # it is another way than the plain gradient's


def naive(learner: TRPO) -> tuple[float, float]:
    """The surrogate's gain and the mean divergence, by torch.distributions."""
    rows = learner.rollout.rows
    new = learner.network.policy(rows("obs/policy"))
    if learner.spec.action.kind == "box":
        std = learner.distribution.log_std.exp()
        before = torch.distributions.Normal(rows("params"), learner.distribution.reference_log_std.exp())
        after = torch.distributions.Normal(new, std)
        log_ratio = (after.log_prob(rows("action")) - before.log_prob(rows("action"))).sum(-1)
        divergence = torch.distributions.kl_divergence(before, after).sum(-1)
    else:
        old, changed = (torch.distributions.Categorical(logits=logits) for logits in (rows("params"), new))
        log_ratio = changed.log_prob(rows("action")) - old.log_prob(rows("action"))
        divergence = torch.distributions.kl_divergence(old, changed)
    return ((log_ratio.exp() - 1.0) * rows("advantage")).mean().item(), divergence.mean().item()


@pytest.mark.parametrize("max_kl", [0.001, 0.01, 0.3])
@pytest.mark.parametrize("kind", ["box", "discrete"])
def test_the_policy_gains_within_the_bound(kind, max_kl):
    learner = filled(kind, max_kl=max_kl)
    before = learner._policy.detach().clone()
    deque(learner._step_policy(), maxlen=0)
    gain, divergence = naive(learner)
    assert 0.2 * max_kl < divergence <= max_kl
    assert gain > 0.0 and not torch.equal(learner._policy.detach(), before)
    loss, _, _, kl, share, _ = learner._sums.tolist()
    assert (-loss, kl) == pytest.approx((gain, divergence), rel=1e-3, abs=1e-6)
    assert 0.0 < share <= 1.0


@pytest.mark.parametrize("kind", ["box", "discrete"])
def test_a_step_that_is_too_long_is_shortened(kind):
    learner = filled(kind)
    for work in (learner._differentiate, learner._solve, learner._reach_for_bound):
        deque(work(), maxlen=0)
    learner._direction.mul_(1.9)
    shares = []
    while not learner._found:
        shares.append(learner._share.item())
        deque(learner._try_length(), maxlen=0)
    deque(learner._take_best(), maxlen=0)
    assert len(shares) > 1 and shares == pytest.approx([0.8**i for i in range(len(shares))])
    assert naive(learner)[1] <= learner.settings.max_kl
    torch.testing.assert_close(learner._policy.data, learner._old + shares[-1] * learner._direction)


def test_without_any_gain_the_policy_stays():
    learner = filled("box")
    learner.rollout["advantage"].zero_()
    before = learner._policy.detach().clone()
    deque(learner._step_policy(), maxlen=0)
    assert torch.equal(learner._policy.detach(), before)
    assert learner._sums[4].item() == 0.0 and learner._sums.isfinite().all()


def test_iterations_past_the_solution_change_nothing():
    learner = filled("discrete")
    for work in (learner._differentiate, *[learner._solve] * 60):
        deque(work(), maxlen=0)
    solved = learner._direction.clone()
    learner._residual.zero_()
    learner._squared.zero_()
    for _ in range(3):
        deque(learner._solve(), maxlen=0)
    assert torch.equal(learner._direction, solved) and solved.any()


def test_a_step_that_gains_nothing_at_any_length_is_not_taken():
    learner = filled("box", line_search_steps=4)
    for work in (learner._differentiate, learner._solve, learner._reach_for_bound):
        deque(work(), maxlen=0)
    learner._direction.mul_(-0.5)  # downhill, well within the bound
    for _ in range(4):
        deque(learner._try_length(), maxlen=0)
    assert not torch.equal(learner._policy.data, learner._old)
    deque(learner._take_best(), maxlen=0)
    assert torch.equal(learner._policy.data, learner._old)
    assert learner._sums[3:5].tolist() == [0.0, 0.0]


def test_the_value_function_has_no_part_in_the_step():
    learner = filled("box")
    critic = learner._critic.detach().clone()
    deque(learner._step_policy(), maxlen=0)
    assert torch.equal(learner._critic.detach(), critic)
    assert learner._policy.data_ptr() == learner._parameters.data_ptr()
    assert learner._policy.numel() + learner._critic.numel() == learner._parameters.numel()
