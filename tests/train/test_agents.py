"""Runs of choices and of several agents: trained, watched, saved, resumed, evaluated and played like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.deploy.policy_folder import export_policy_folder
from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec
from humanoid_rl_ext.errors import BadInputError, CheckpointError
from humanoid_rl_ext.train.checkpoint import Checkpoint, check_fit, describe_spec
from humanoid_rl_ext.train.evaluate import Evaluation
from humanoid_rl_ext.train.start import open_session, plan_run

SMALL = ["learner.num_steps=8", "learner.actor_hidden=[16]", "learner.critic_hidden=[16]", "episode_length_s=0.5"]
CHOICES = ActionSpec("discrete", 3)


def test_a_policy_that_chooses_goes_all_the_way(goes_on, tmp_path: Path) -> None:
    path = tmp_path / "run"
    plan = plan_run("cartpole_balance_discrete", SMALL, num_envs=4, env_steps=64, device="cpu", run=path)
    session = open_session(plan, reserved=1)
    session.run()
    seen = session.env.reserved_observations()  # type: ignore[attr-defined]
    assert session.watched is not None and not session.watched.error
    session.watched.act()
    chosen = session.env.reserved_actions  # type: ignore[attr-defined]
    assert chosen.dtype == torch.int64 and torch.equal(chosen, session.learner.act_deterministic(seen))
    results: list[Evaluation] = []
    session.evaluate(4, results.append)
    assert results[0].episodes == 4 and 0 < results[0].mean_episode_length <= 30
    session.watched.learner = None  # type: ignore[assignment]
    session.watched.act()  # something is wrong with the policy: the robot is let be
    assert session.watched.error and chosen.tolist() == [1]
    session.close()

    player = goes_on(path, 128, 4, num_envs=2)
    for _ in range(4):
        player.step_once()
    assert player.env.reserved_actions.shape == (2,) and not player.watch.error


@pytest.mark.parametrize(("algorithm", "choices"), [("mappo", True), ("ippo", False)])
def test_several_agents_go_all_the_way(algorithm: str, choices: bool, goes_on, tmp_path: Path) -> None:
    path = tmp_path / "run"
    legs = "agents={left: {joints: .*left.*}, right: {joints: .*right.*}}"
    words = [*SMALL, legs, "observations.policy.heading.enabled=false"]
    words += ["control.bins=[-1, 0, 1]", "rewards.alive.agents=[left]"] if choices else []
    plan = plan_run("walker_run", words, algorithm=algorithm, num_envs=4, env_steps=64, device="cpu", run=path)
    session = open_session(plan, reserved=1)
    session.run()
    assert session.watched is not None and not session.watched.error
    session.watched.act()
    assert session.env.reserved_actions.shape == (1, 2 if choices else 12)  # type: ignore[attr-defined]
    assert not session.watched.error
    results: list[Evaluation] = []
    session.evaluate(4, results.append)
    assert results[0].episodes == 4
    session.close()
    goes_on(path, 96, 3)
    if choices:
        with pytest.raises(BadInputError, match="its actions are a choice among moves"):
            export_policy_folder(path)
    else:
        policy = export_policy_folder(path).module
        assert policy(torch.zeros(1 + 3 * 3 + 3 * 12)).shape == (12,)  # height, the base, joints and last actions


def agents(*names: str, acts: tuple[int, ...] = (), kind: str = "discrete") -> EnvSpec:
    each = tuple(
        AgentSpec(name, (0, 1), CHOICES, ())
        if kind == "discrete"
        else AgentSpec(name, (0, 1), ActionSpec("box", 1), (at,))
        for at, name in enumerate(names)
    )
    action = CHOICES if kind == "discrete" else ActionSpec("box", 2)
    return EnvSpec(4, {"policy": 2}, action, 10, None, each)


def check(saved: EnvSpec, here: EnvSpec) -> None:
    check_fit(Checkpoint(Path("step_1"), {"spec": describe_spec(saved)}, {}), here)


def test_a_checkpoint_of_several_agents_fits_the_same_agents_only() -> None:
    check(agents("a", "b"), agents("a", "b"))
    with pytest.raises(CheckpointError, match=r"agents are others than in the task \(only in the checkpoint: b; .*c\)"):
        check(agents("a", "b"), agents("a", "c"))
    with pytest.raises(CheckpointError, match="agents are others"):
        check(agents("a", "b"), agents())
    moved = agents("a", "b")
    moved = EnvSpec(4, {"policy": 2}, CHOICES, 10, None, (moved.agents[0], AgentSpec("b", (1,), CHOICES)))
    with pytest.raises(CheckpointError, match="agent 'b' sees or moves something else"):
        check(agents("a", "b"), moved)


def test_numbers_for_all_joints_fit_whether_they_are_shared_out_or_not() -> None:
    check(agents("a", "b", kind="box"), agents(kind="box"))
    check(agents(kind="box"), agents("a", "b", kind="box"))
