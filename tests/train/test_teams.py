"""Runs of teams: trained, watched, saved, resumed, evaluated and played like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.cli import main
from humanoid_rl_ext.deploy.policy_folder import export_policy_folder
from humanoid_rl_ext.env.outline import outline
from humanoid_rl_ext.env.team import TeamEnv
from humanoid_rl_ext.errors import BadInputError, CheckpointError
from humanoid_rl_ext.learn import fitting
from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.train.evaluate import Evaluation
from humanoid_rl_ext.train.start import open_session, plan_run

SMALL = ["learner.actor_hidden=[16]", "learner.critic_hidden=[16]", "episode_length_s=0.5"]
ON_POLICY = [*SMALL, "learner.num_steps=8"]


def test_what_learns_several_agents_learns_teams() -> None:
    assert fitting(outline(load_task("walker_pair", ["team.rewards=own"]))) == ["mappo", "ippo", "maddpg"]
    choosing = load_task("walker_pair", ["control.moves={down: {'.*': -1.0}, up: {'.*': 1.0}}"])
    assert fitting(outline(choosing)) == ["mappo", "ippo", "maddpg", "qmix"]


def test_algorithms_for_one_agent_take_a_team_for_one_robot_only_where_it_is_paid_alike() -> None:
    assert {"ppo", "mappo"} <= set(fitting(outline(load_task("walker_pair", ["team.rewards=shared"]))))
    with pytest.raises(BadInputError, match=r"'ppo' teaches one agent, and there are 2: what fits is mappo, ippo"):
        plan_run("walker_pair", ["team.rewards=own"])


@pytest.mark.parametrize(("algorithm", "own"), [("mappo", False), ("ippo", True)])
@pytest.mark.parametrize("engine", ["ovphysx", "newton"])
def test_a_team_goes_all_the_way(algorithm: str, own: bool, engine: str, goes_on, tmp_path: Path) -> None:
    path = tmp_path / "run"
    words = [*ON_POLICY, "episodes.stagger=true", f"team.rewards={'own' if own else 'shared'}"]
    plan = plan_run(
        "walker_pair",
        words,
        algorithm=algorithm,
        num_envs=4,
        env_steps=64,
        device="cpu",
        engine=engine,
        run=path,
    )
    session = open_session(plan, reserved=1)
    env = session.env
    assert isinstance(env, TeamEnv) and session.watched_env == 8
    session.run()
    assert session.env_steps == 64
    assert session.watched is not None and not session.watched.error
    session.watched.act()
    assert env.reserved_actions.shape == (1, 24)
    assert torch.equal(env.reserved_actions, session.learner.act_deterministic(env.reserved_observations()))
    session.watched.push([0.5, 0.0, 0.0])
    results: list[Evaluation] = []
    session.evaluate(5, results.append)
    assert results[0].episodes == 5 and results[0].mean_episode_length <= 20
    session.close()
    player = goes_on(path, 96, 3)
    assert player.env.engine.num_envs == 2
    with pytest.raises(BadInputError, match="moves a team of robots"):
        export_policy_folder(path)


def test_a_policy_of_two_does_not_fit_a_team_of_three(tmp_path: Path) -> None:
    path = tmp_path / "run"
    settings = {"num_envs": 2, "env_steps": 16, "device": "cpu"}
    session = open_session(plan_run("walker_pair", ON_POLICY, algorithm="mappo", run=path, **settings))
    session.run()
    session.close()
    larger = open_session(
        plan_run("walker_pair", [*ON_POLICY, "team.size=3"], algorithm="mappo", run=tmp_path / "other", **settings)
    )
    try:
        with pytest.raises(CheckpointError, match="step_16"):
            larger.load(path / "checkpoints" / "step_16")
    finally:
        larger.close()


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [
        ("maddpg", []),
        ("qmix", ["control.moves={down: {'.*': -1.0}, rest: {}, up: {'.*': 1.0}}"]),
    ],
)
def test_a_replay_teaches_teams_too(algorithm: str, words: list[str], tmp_path: Path) -> None:
    learner = ["learner.learning_starts=16", "learner.batch_size=16", "learner.buffer_size=64", "learner.num_steps=4"]
    plan = plan_run(
        "walker_pair",
        ["episode_length_s=0.5", *learner, *words],
        algorithm=algorithm,
        num_envs=4,
        env_steps=64,
        device="cpu",
        run=tmp_path / "run",
    )
    session = open_session(plan)
    session.run()
    assert session.env_steps == 64 and session.learner.iteration > 0
    session.close()


def test_the_command_line_trains_and_evaluates_a_team(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    sizes = ["--envs", "4", "--steps", "64", "--device", "cpu", "--run", str(run), "--json"]
    assert main(["train", "walker_pair", "--algo", "mappo", *ON_POLICY, *sizes]) == 0
    trained = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert trained["num_envs"] == 4 and trained["env_steps"] == 64
    assert main(["evaluate", str(run), "--episodes", "3", "--json"]) == 0
    played = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert played["episodes"] == 3 and "teammate_distance" in played["metrics"]
