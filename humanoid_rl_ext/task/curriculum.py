"""What a curriculum is: stages with the rule that leads from one to the next, and schedules of single numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from humanoid_rl_ext.task.section import Section, problem, quantity

Value = float | tuple[float, float]
"""A number, or a range."""


class AdvanceSection(Section):
    """When a stage ends. Episodes count for the stage in which they end, those of the learning environments alone.

    ``return``: ``min_episodes`` and a full window have ended in this stage, and the window's mean return is above.
    ``success``: the same with the window's share of success.
    ``episodes``: as ``success``, but ``min_episodes`` are those of the whole run.
    The window holds the last iterations that have ``window`` episodes between them.
    """

    by: Literal["return", "success", "episodes"] = quantity(
        "success", help="Mean return, success in the stage, or success after a number of episodes of the run"
    )
    above: float = quantity(help="The mean return, or the share of success, that has to be exceeded")
    window: int = quantity(100, help="Episodes that the mean is taken over", ge=1, le=10_000_000)
    min_episodes: int = quantity(
        100, help="Fewest episodes: of the stage, or of the whole run where the rule is 'episodes'", ge=0
    )

    @model_validator(mode="after")
    def _share_is_a_share(self) -> Self:
        if self.by != "return" and not 0 <= self.above < 1:
            raise problem(("above",), f"must be a share of episodes, at least 0 and below 1, not {self.above:g}")
        return self


class StageSection(Section):
    set: dict[str, Any] = Field(
        default_factory=dict, description="Values by their path in the Task; they hold until a later stage sets them"
    )
    advance: AdvanceSection | None = Field(
        None, description="When the next stage begins; none: never by itself, as for the last stage"
    )


class ScheduleSection(Section):
    path: str = quantity(help="Path in the Task of the number, or range, that is changed")
    kind: Literal["linear", "step"] = quantity(
        "linear", help="Between two points: in a straight line, or as at the earlier one until the later is reached"
    )
    points: list[tuple[Annotated[int, Field(ge=0)], Value]] = Field(
        min_length=1, description="Environment steps (of all environments together) and the value from then on"
    )
    increments: int = quantity(50, help="In how many equal parts a straight line is walked", ge=1, le=10_000)

    @model_validator(mode="after")
    def _points_are_ordered(self) -> Self:
        steps = [steps for steps, _ in self.points]
        if any(after <= before for before, after in pairwise(steps)):
            raise problem(("points",), f"must be at rising environment steps, not {steps}")
        if len({isinstance(value, tuple) for _, value in self.points}) > 1:
            raise problem(("points",), "must all be numbers, or all be ranges")
        return self

    def value_at(self, env_steps: int) -> Value:
        """The value after so many environment steps."""
        before, after = self.points[0], None
        for point in self.points:
            if point[0] > env_steps:
                after = point
                break
            before = point
        if self.kind == "step" or after is None or env_steps < before[0]:
            return before[1]
        done = (env_steps - before[0]) / (after[0] - before[0])
        share = int(done * self.increments) / self.increments
        low, high = before[1], after[1]
        if isinstance(low, tuple) and isinstance(high, tuple):
            return (low[0] + share * (high[0] - low[0]), low[1] + share * (high[1] - low[1]))
        assert not isinstance(low, tuple) and not isinstance(high, tuple)
        return low + share * (high - low)


class CurriculumSection(Section):
    description: str = quantity("", help="One line for lists")
    stages: dict[str, StageSection] = Field(default_factory=dict, description="Stages in their order, by name")
    schedules: dict[str, ScheduleSection] = Field(default_factory=dict, description="Schedules by name")

    @property
    def in_use(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.stages or self.schedules)

    @property
    def paths(self) -> list[tuple[tuple[str, ...], str]]:
        """Every path in the Task that the curriculum writes to, each with the place where it says so."""
        by_stages = [(("stages", name, "set", path), path) for name, stage in self.stages.items() for path in stage.set]
        return by_stages + [(("schedules", name, "path"), plan.path) for name, plan in self.schedules.items()]

    def values_at_stage(self, index: int) -> dict[str, Any]:
        """What all stages up to and with this one have set, by path."""
        values: dict[str, Any] = {}
        for stage in list(self.stages.values())[: index + 1]:
            values |= stage.set
        return values

    def values_at(self, stage: int, env_steps: int) -> dict[str, Any]:
        """Everything that is set in a stage after so many environment steps, by path."""
        scheduled = {plan.path: plan.value_at(env_steps) for plan in self.schedules.values()}
        return self.values_at_stage(stage) | scheduled

    @model_validator(mode="after")
    def _one_master_per_path(self) -> Self:
        staged = {path for stage in self.stages.values() for path in stage.set}
        for name, plan in self.schedules.items():
            if plan.path in staged:
                raise problem(("schedules", name, "path"), f"'{plan.path}' is set by a stage as well")
            staged.add(plan.path)
        return self
