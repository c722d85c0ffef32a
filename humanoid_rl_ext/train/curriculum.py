"""A run's way through its curriculum: which stage it is in, when the next one begins, what schedules say now."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.errors import TaskError, did_you_mean
from humanoid_rl_ext.task.curriculum import AdvanceSection, CurriculumSection
from humanoid_rl_ext.task.loading import edited_in_turn, value_at
from humanoid_rl_ext.task.schema import Task

if TYPE_CHECKING:
    from humanoid_rl_ext.train.session import Session


def at_start(task: Task) -> Task:
    """The Task as its curriculum has it when a run begins; the very same where it has none."""
    values = changes(task, task.curriculum.values_at(0, 0))
    return edited_in_turn(task, values.items()) if values else task


def check_live(task: Task, can_edit: Callable[[str], bool]) -> None:
    """Raises TaskError for the first path of a curriculum that cannot change while training."""
    for at, path in task.curriculum.paths:
        if not can_edit(path):
            where = ".".join(("curriculum", *at[:3]))
            raise TaskError(f"{where}: '{path}' cannot change while training: it needs a new scene or a new run")


def changes(task: Task, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values, by path, that the Task has not got yet."""
    data = task.model_dump(mode="json")
    return {path: value for path, value in values.items() if value_at(data, path) != _plain(value)}


class Curriculum:
    """Takes in the episode statistics of each iteration and changes the Task by ``Session.edit``; pure host work."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._base = session.task
        self.stage = 0
        """Index of the stage that the run is in."""
        self.episodes_in_run = 0
        self.episodes_in_stage = 0
        self._window: deque[tuple[int, float, float]] = deque()
        """Episodes, sum of returns and successes of the stage's last iterations, oldest first."""

    @property
    def plan(self) -> CurriculumSection:
        """What the Task says now; rules and schedules may be edited while training."""
        task = self._session.task
        return CurriculumSection() if isinstance(task, str) else task.curriculum

    @property
    def names(self) -> list[str]:
        """The stages' names in their order."""
        return list(self.plan.stages)

    @property
    def stage_name(self) -> str:
        """Name of the stage that the run is in; '' where there are no stages."""
        return self.names[self.stage] if self.names else ""

    @property
    def rule(self) -> AdvanceSection | None:
        """What leads to the next stage; None where nothing does."""
        stages = list(self.plan.stages.values())
        return stages[self.stage].advance if self.stage + 1 < len(stages) else None

    def begin(self) -> None:
        """Sets what holds when a run begins, where it is not so already."""
        if self._session.env_steps == 0:
            self._set(self.plan.values_at(self.stage, 0), "curriculum")

    def take_in(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Figures of the stage with an iteration's episodes counted; then moves to the next stage if it is time."""
        if not self.plan.in_use:
            return {}
        episodes = int(metrics.get("episode/episodes", 0))
        if episodes and "episode/return" in metrics:
            successes = episodes * metrics.get("episode/success_rate", 0.0)
            self._window.append((episodes, episodes * metrics["episode/return"], successes))
        self.episodes_in_run += episodes
        self.episodes_in_stage += episodes
        rule = self.rule
        while rule is not None and self._window and self._windowed - self._window[0][0] >= rule.window:
            self._window.popleft()
        figures = self.figures()
        if rule is not None and self._is_due(rule):
            self._move(self.stage + 1, "curriculum")
        schedules = self.plan.schedules.values()
        self._set({plan.path: plan.value_at(self._session.env_steps) for plan in schedules}, "curriculum")
        return figures

    def figures(self) -> dict[str, float]:
        """Stage, progress in episodes (0 to 1), metric and its threshold, and scheduled numbers, for the metrics."""
        result: dict[str, float] = {}
        if self.plan.stages:
            result |= {"curriculum/stage": self.stage, "curriculum/episodes": self.episodes_in_stage}
        if (rule := self.rule) is not None:
            needed = min(self._counted(rule) / max(rule.min_episodes, 1), self._windowed / rule.window)
            result |= {"curriculum/progress": min(1.0, needed), "curriculum/threshold": rule.above}
            if self._window:
                result["curriculum/metric"] = self._mean(rule)
        for name, schedule in self.plan.schedules.items():
            value = schedule.value_at(self._session.env_steps)
            result |= {f"curriculum/{name}": value} if not isinstance(value, tuple) else {}
        return result

    def move_to(self, stage: str, source: str = "user") -> None:
        """Goes to a stage by its name, forwards or back; its count of episodes begins anew.

        What only later stages set goes back to what it was when the run began.

        Raises:
            TaskError: for a stage that there is not.
        """
        if stage not in self.names:
            raise TaskError(f"curriculum: there is no stage '{stage}'; {did_you_mean(stage, self.names)}")
        self._move(self.names.index(stage), source)

    def take_over(self, before: CurriculumSection) -> None:
        """Goes on by an edited plan: in the stage of the same name, with what that sets now and did not before.

        Where there is none of that name, in the one that stands in its place; its count goes on.
        """
        if before is self.plan or (before == self.plan and list(before.stages) == self.names):
            return
        old = before.values_at_stage(self.stage)
        name = list(before.stages)[self.stage] if before.stages else ""
        self.stage = self.names.index(name) if name in self.names else max(0, min(self.stage, len(self.names) - 1))
        assert isinstance(self._base, Task)
        base, now = self._base.model_dump(mode="json"), self.plan.values_at_stage(self.stage)
        left = {path: value_at(base, path) for path in old if path not in now}
        self._set(left | {path: value for path, value in now.items() if old.get(path) != value}, "curriculum")

    def state_dict(self) -> dict[str, Any]:
        """Where the run stands."""
        return {
            "stage": self.stage,
            "episodes_in_run": self.episodes_in_run,
            "episodes_in_stage": self.episodes_in_stage,
            "window": [list(part) for part in self._window],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores ``state_dict``; an empty one, of a run without a curriculum, is its beginning."""
        self.stage = min(state.get("stage", 0), max(0, len(self.names) - 1))
        self.episodes_in_run = state.get("episodes_in_run", 0)
        self.episodes_in_stage = state.get("episodes_in_stage", 0)
        self._window = deque((int(count), total, successes) for count, total, successes in state.get("window", ()))

    @property
    def _windowed(self) -> int:
        return sum(part[0] for part in self._window)

    def _counted(self, rule: AdvanceSection) -> int:
        return self.episodes_in_run if rule.by == "episodes" else self.episodes_in_stage

    def _mean(self, rule: AdvanceSection) -> float:
        return sum(part[1 if rule.by == "return" else 2] for part in self._window) / self._windowed

    def _is_due(self, rule: AdvanceSection) -> bool:
        full = self._windowed >= rule.window and self._counted(rule) >= rule.min_episodes
        return full and self._mean(rule) > rule.above

    def _move(self, index: int, source: str) -> None:
        """Sets what differs between the two stages and starts counting anew."""
        low, high = sorted((self.stage, index))
        between = [path for stage in list(self.plan.stages.values())[low + 1 : high + 1] for path in stage.set]
        assert isinstance(self._base, Task)
        base, now = self._base.model_dump(mode="json"), self.plan.values_at_stage(index)
        self._set({path: now.get(path, value_at(base, path)) for path in between}, source)
        self.stage, self.episodes_in_stage = index, 0
        self._window.clear()

    def _set(self, values: Mapping[str, Any], source: str) -> None:
        task = self._session.task
        if values and not isinstance(task, str):
            for path, value in changes(task, values).items():
                self._session.edit(path, value, source)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
