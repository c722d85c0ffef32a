"""A run's way through its curriculum: each rule advances exactly when its sentence says, and the Task changes then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.sim.engines import ENGINES
from humanoid_rl_ext.task.loading import edited, load_task
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.train.curriculum import Curriculum, at_start, changes
from humanoid_rl_ext.train.session import Session
from humanoid_rl_ext.train.start import open_session, plan_resume, plan_run

WEIGHT, RANGE = "rewards.alive.weight", "randomisation.initial_joint_vel.params.velocity"


def task_with(**curriculum: Any) -> Task:
    return edited(load_task("cartpole_balance"), "curriculum", curriculum)


def three(by: str, **rule: Any) -> dict[str, Any]:
    """Three stages with the same rule, which set one weight to 1, 2 and 3, and the last of them a range."""
    stages: dict[str, Any] = {
        name: {"set": {WEIGHT: float(index + 1)}, "advance": {"by": by, **rule}} for index, name in enumerate("abc")
    }
    stages["c"]["set"][RANGE] = [-1.0, 1.0]
    return stages


class Run:
    """A session as a curriculum sees it."""

    def __init__(self, task: Task) -> None:
        self.task, self.env_steps = task, 0
        self.log: list[tuple[str, Any, str]] = []
        self.curriculum = Curriculum(self)  # type: ignore[arg-type]
        self.curriculum.begin()

    def edit(self, path: str, value: Any, source: str) -> None:
        self.task = edited(self.task, path, value)
        self.log.append((path, value, source))

    def iteration(self, episodes: int, mean: float = 0.0, success: float = 0.0, steps: int = 0) -> int:
        """Takes in one iteration's episodes; the stage after it."""
        self.env_steps += steps
        metrics = {"episode/episodes": float(episodes)}
        if episodes:
            metrics |= {"episode/return": mean, "episode/success_rate": success}
        self.curriculum.take_in(metrics)
        return self.curriculum.stage

    @property
    def weight(self) -> float:
        return self.task.rewards["alive"].weight


def test_by_return_a_stage_ends_when_the_window_s_mean_is_above_and_enough_episodes_have_ended() -> None:
    run = Run(task_with(stages=three("return", above=10.0, window=20, min_episodes=50)))
    assert [run.iteration(10, 99.0) for _ in range(4)] == [0, 0, 0, 0]  # 40 episodes: too few
    assert run.iteration(10, 0.0) == 1  # 50 episodes, mean of the last 20 is 49.5
    assert run.weight == 2.0


def test_by_return_a_mean_that_equals_the_threshold_is_not_above_it() -> None:
    run = Run(task_with(stages=three("return", above=10.0, window=20, min_episodes=20)))
    assert [run.iteration(10, 10.0) for _ in range(5)] == [0] * 5
    assert run.iteration(10, 10.1) == 1


def test_by_return_what_left_the_window_counts_no_more() -> None:
    run = Run(task_with(stages=three("return", above=10.0, window=20, min_episodes=0)))
    assert [run.iteration(10, mean) for mean in (0.0, 0.0, 0.0, 15.0)] == [0, 0, 0, 0]  # (0 + 15) / 2
    assert run.iteration(10, 15.0) == 1


def test_by_success_the_share_over_the_window_decides_and_a_new_stage_counts_anew() -> None:
    run = Run(task_with(stages=three("success", above=0.7, window=10, min_episodes=10)))
    assert run.iteration(10, success=0.7) == 0
    assert run.iteration(5, success=1.0) == 1  # the last two iterations hold the window: (7 + 5) / 15
    assert run.iteration(9, success=1.0) == 1  # nine episodes of the new stage fill no window
    assert run.iteration(1, success=1.0) == 2


def test_by_episodes_those_of_the_whole_run_are_counted() -> None:
    stages = three("episodes", above=0.7, window=10)
    stages["a"]["advance"]["min_episodes"], stages["b"]["advance"]["min_episodes"] = 30, 50
    run = Run(task_with(stages=stages))
    assert [run.iteration(10, success=0.9) for _ in range(5)] == [0, 0, 1, 1, 2]
    doubtful = Run(task_with(stages=stages))
    assert [doubtful.iteration(10, success=share) for share in (0.9, 0.9, 0.7, 0.8)] == [0, 0, 0, 1]


def test_an_iteration_without_episodes_changes_nothing_and_the_last_stage_stays() -> None:
    run = Run(task_with(stages=three("success", above=0.1, window=1, min_episodes=1)))
    assert run.iteration(0) == 0
    assert [run.iteration(4, success=1.0) for _ in range(4)] == [1, 2, 2, 2]
    assert run.weight == 3.0 and run.task.randomisation["initial_joint_vel"].params["velocity"] == (-1.0, 1.0)


def test_a_stage_without_a_rule_waits_to_be_moved_by_hand() -> None:
    stages = three("success", above=0.1, window=1, min_episodes=1)
    del stages["a"]["advance"]
    run = Run(task_with(stages=stages))
    assert run.iteration(100, success=1.0) == 0
    run.curriculum.move_to("b")
    assert run.curriculum.stage == 1 and run.weight == 2.0 and run.log[-1] == (WEIGHT, 2.0, "user")
    with pytest.raises(TaskError, match="there is no stage 'd'; known: a, b, c"):
        run.curriculum.move_to("d")


def test_back_in_an_early_stage_what_only_later_ones_set_is_as_it_was() -> None:
    run = Run(task_with(stages=three("success", above=0.1)))
    run.curriculum.move_to("c")
    run.curriculum.move_to("a")
    assert run.weight == 1.0
    assert run.task.randomisation["initial_joint_vel"].params["velocity"] == (-0.25, 0.25)


def test_figures_show_stage_progress_and_metric_against_threshold() -> None:
    run = Run(task_with(stages=three("success", above=0.7, window=20, min_episodes=40)))
    run.iteration(10, success=0.5)
    assert run.curriculum.figures() == {
        "curriculum/stage": 0,
        "curriculum/episodes": 10,
        "curriculum/progress": 0.25,
        "curriculum/threshold": 0.7,
        "curriculum/metric": 0.5,
    }


def test_schedules_set_their_values_as_steps_go_by_and_log_only_changes() -> None:
    plan = {
        "heavier": {"path": WEIGHT, "points": [[0, 1.0], [1000, 2.0]], "increments": 2},
        "wider": {"path": RANGE, "kind": "step", "points": [[0, [-0.25, 0.25]], [600, [-1, 1]]]},
    }
    run = Run(task_with(schedules=plan))
    weights = [run.iteration(0, steps=250) or run.weight for _ in range(5)]
    assert weights == [1.0, 1.5, 1.5, 2.0, 2.0]
    assert run.log == [
        (WEIGHT, 1.5, "curriculum"),
        (RANGE, (-1.0, 1.0), "curriculum"),
        (WEIGHT, 2.0, "curriculum"),
    ]
    assert run.curriculum.figures() == {"curriculum/heavier": 2.0}


def test_a_run_begins_in_its_first_stage() -> None:
    task = task_with(stages={"a": {"set": {WEIGHT: 5.0}}}, schedules={"s": {"path": RANGE, "points": [[0, [0, 1]]]}})
    begun = at_start(task)
    assert begun.rewards["alive"].weight == 5.0
    assert begun.randomisation["initial_joint_vel"].params["velocity"] == (0.0, 1.0)
    assert at_start(begun) is begun and changes(begun, begun.curriculum.values_at(0, 0)) == {}
    plain = load_task("cartpole_balance")
    assert at_start(plain) is plain


SMALL = (
    "learner.num_steps=8",
    "learner.num_epochs=1",
    "learner.num_minibatches=1",
    "learner.actor_hidden=[8]",
    "learner.critic_hidden=[8]",
    "episode_length_s=0.1",
    "run.save_interval=4",
)
ON_THE_WAY = (
    "curriculum={stages: {a: {set: {episode_length_s: 0.1}, advance: {by: success, above: 0.5, window: 8, "
    "min_episodes: 8}}, b: {set: {episode_length_s: 0.2}, advance: {by: success, above: 0.5, window: 8, "
    "min_episodes: 1000}}, c: {set: {episode_length_s: 0.3}}}, "
    "schedules: {pay: {path: rewards.alive.weight, points: [[0, 1.0], [320, 2.0]], increments: 5}}}"
)


@pytest.fixture
def train(tmp_path: Path) -> Iterator:
    """Runs the small cartpole with a curriculum to a number of environment steps; resumes where it has begun."""
    opened: list[Session] = []

    def train(name: str, env_steps: int, *overrides: str, stop: bool = True) -> Session:
        path = tmp_path / name
        while opened:
            opened.pop().close()
        if path.exists():
            session = open_session(plan_resume(path, env_steps=env_steps))
        else:
            given = [*SMALL, ON_THE_WAY, *overrides]
            session = open_session(
                plan_run("cartpole_balance", given, run=path, num_envs=4, env_steps=env_steps, device="cpu")
            )
        opened.append(session)
        session.run()
        return session

    yield train
    for session in opened:
        session.close()


def lines(session: Session, file: str = "metrics.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (session.folder.path / file).read_text().splitlines()]


def test_a_run_advances_logs_every_change_and_its_episodes_grow_longer(train) -> None:
    session = train("run", 480)
    stages = [line["curriculum/stage"] for line in lines(session)]
    assert stages == sorted(stages) and stages[0] == 0 and stages[-1] == 1
    moved = [entry for entry in lines(session, "edits.jsonl") if entry["path"] == "episode_length_s"]
    assert [(entry["old"], entry["new"], entry["source"]) for entry in moved] == [(0.1, 0.2, "curriculum")]
    before = stages.index(1)
    assert lines(session)[before - 1]["curriculum/metric"] > lines(session)[before - 1]["curriculum/threshold"]
    longest = [
        max(line.get("episode/length", 0) for line in lines(session)[part]) for part in (slice(before), slice(-6, None))
    ]
    assert longest[0] == 6 and 8 < longest[1] <= 12  # physics goes on for twice as many control steps
    pay = [line["curriculum/pay"] for line in lines(session)]
    assert pay[:3] == pytest.approx([1.0, 1.2, 1.2]) and pay[-1] == 2.0
    assert session.vec_env.task.rewards["alive"].weight == 2.0


def test_a_resumed_run_goes_on_in_its_stage_as_if_it_had_never_stopped(train) -> None:
    whole = train("whole", 480)
    counted = whole.curriculum.state_dict()
    first = train("halves", 256)
    assert first.curriculum.stage == 1
    resumed = train("halves", 480)
    assert resumed.curriculum.state_dict() == counted
    assert resumed.vec_env.task.max_episode_length == 12
    kept = ("curriculum/stage", "curriculum/episodes", "curriculum/pay", "episode/episodes", "episode/length")
    assert [[line.get(name) for name in kept] for line in lines(whole)] == [
        [line.get(name) for name in kept] for line in lines(resumed)
    ]
    assert lines(whole, "edits.jsonl") == lines(resumed, "edits.jsonl")


def test_a_stage_is_moved_to_by_hand_while_training(train) -> None:
    session = train("run", 128)
    session.move_to_stage("c")
    assert session.vec_env.task.episode_length_s == 0.3
    assert lines(session, "edits.jsonl")[-1]["source"] == "user"


def test_an_edited_curriculum_acts_at_once_and_the_run_stays_in_its_stage(train) -> None:
    session = train("run", 256)
    assert session.curriculum.stage == 1
    stages = session.task.model_dump(mode="json")["curriculum"]["stages"]
    session.edit("curriculum.stages", {name: stages[name] for name in ("b", "c", "a")})
    assert session.curriculum.stage == 0 and session.vec_env.task.episode_length_s == 0.2
    session.edit("curriculum.stages.b.set", {"episode_length_s": 0.25})
    assert session.vec_env.task.episode_length_s == 0.25
    session.edit("curriculum.stages.b", None)
    assert session.curriculum.names == ["c", "a"] and session.vec_env.task.episode_length_s == 0.3
    session.edit("curriculum.stages", {})
    assert session.curriculum.stage == 0 and session.vec_env.task.episode_length_s == 0.1  # as when the run began
    with pytest.raises(TaskError, match=r"curriculum\.stages\.a\.set: 'sim\.dt' cannot change while training"):
        session.edit("curriculum.stages.a", {"set": {"sim.dt": 0.01}})
    assert not session.task.curriculum.stages


def test_a_run_whose_stages_were_put_in_another_order_is_resumed_in_the_same_stage(train) -> None:
    session = train("run", 256)
    stages = session.task.model_dump(mode="json")["curriculum"]["stages"]
    session.edit("curriculum.stages", {name: stages[name] for name in ("b", "a", "c")})
    session.save()
    resumed = train("run", 256)
    assert resumed.curriculum.names == ["b", "a", "c"] and resumed.curriculum.stage == 0


@pytest.mark.parametrize("engine", list(ENGINES))
def test_robots_are_shoved_from_the_stage_on_that_says_so(engine: str, tmp_path: Path) -> None:
    curriculum = (
        "curriculum={stages: {calm: {set: {randomisation.push.params.lin_vel_y: [0, 0]}}, "
        "rough: {set: {randomisation.push.params.lin_vel_y: [2, 2]}}}}"
    )
    push = "randomisation.push={mode: interval, interval_s: [0.05, 0.05], params: {lin_vel_x: [0, 0]}}"
    plan = plan_run(
        "walker_run",
        [*SMALL[:-2], push, curriculum, "terminations={time_out: {time_out: true}}"],
        run=tmp_path / "run",
        num_envs=2,
        env_steps=10_000,
        device="cpu",
        engine=engine,
    )
    session = open_session(plan)
    try:
        speeds = []
        for stage in ("calm", "rough"):
            session.move_to_stage(stage)
            for _ in range(12):
                session.step_once()
            speeds.append(session.vec_env.engine.state.root_velocity[:, 1].abs().min().item())
    finally:
        session.close()
    assert speeds[0] < 1.0 and speeds[1] > 2.0


@pytest.mark.parametrize("path", ["sim.gravity", "sim.dt", "scene.spacing"])
def test_what_needs_a_new_scene_is_refused_before_a_folder_is_made(path: str, tmp_path: Path) -> None:
    value = "[0, 0, -5]" if path == "sim.gravity" else "0.01"
    plan = plan_run(
        "cartpole_balance",
        [f"curriculum={{stages: {{a: {{}}, low: {{set: {{{path}: {value}}}}}}}}}"],
        run=tmp_path / "run",
        num_envs=2,
        device="cpu",
    )
    with pytest.raises(
        TaskError, match=rf"curriculum\.stages\.low\.set: '{path}' cannot change while training: it needs"
    ):
        open_session(plan)
    assert not (tmp_path / "run").exists()


def test_a_run_without_a_curriculum_has_no_figures_of_one() -> None:
    session = SimpleNamespace(task=load_task("cartpole_balance"), env_steps=0)
    assert Curriculum(session).take_in({"episode/episodes": 3.0, "episode/return": 1.0}) == {}  # type: ignore[arg-type]
    gymnasium = SimpleNamespace(task="gym:CartPole-v1", env_steps=0)
    assert Curriculum(gymnasium).take_in({"episode/episodes": 3.0}) == {}  # type: ignore[arg-type]
