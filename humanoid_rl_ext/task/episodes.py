"""How a Task's episodes begin."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from humanoid_rl_ext.task.section import Section, problem, quantity


class EpisodesSection(Section):
    stagger: bool = quantity(
        False, help="Whether a run's first episodes begin at different ages, so that time limits come one by one"
    )
    start_from: Literal["standing", "file", "buffer"] = quantity(
        "standing", help="Where episodes start: the standing pose, states from a file, or past states of the run"
    )
    share: float = quantity(1.0, help="Share of episodes that start so; the rest start standing", ge=0, le=1)
    path: str = quantity(
        "", help="NumPy .npz file of states: root_pose, root_velocity, joint_pos, joint_vel, joint_names"
    )
    capacity: int = quantity(4096, help="States that the buffer holds; the oldest make room", ge=1, le=1_000_000)
    interval_s: float = quantity(1.0, unit="s", help="Time between two states that the buffer takes", gt=0, le=100_000)

    @model_validator(mode="after")
    def _a_file_is_named(self) -> Self:
        if self.start_from == "file" and not self.path:
            raise problem(("path",), "names no file to start episodes from")
        return self
