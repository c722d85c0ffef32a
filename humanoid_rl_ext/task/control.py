"""How actions move the joints: as numbers or as a choice among moves, by one agent or by several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from humanoid_rl_ext.task.section import Section, problem, quantity

Bins = list[float] | dict[str, list[float]]


class Choices(Section):
    """What makes actions a choice among moves, each a row of what continuous actions would be."""

    moves: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="Discrete control: named moves, each an action per joint pattern; joints left out get 0",
    )
    bins: Bins | None = quantity(
        None,
        help="Discrete control: the actions a joint chooses among, one list or one per joint pattern; every "
        "combination of the joints is a move",
    )

    @property
    def is_discrete(self) -> bool:
        """Whether an action is one of a number of moves."""
        return bool(self.moves) or self.bins is not None

    @model_validator(mode="after")
    def _leaves_a_choice(self) -> Self:
        if self.moves and self.bins is not None:
            raise problem(("bins",), "are one way to say what the moves are, 'moves' another: give one of them")
        if len(self.moves) == 1:
            raise problem(("moves",), "names one move, which is no choice; name at least two")
        lists = self.bins.items() if isinstance(self.bins, dict) else [("", self.bins)] if self.bins is not None else []
        for pattern, values in lists:
            at = ("bins", *((pattern,) if pattern else ()))
            if not values:
                raise problem(at, "holds no action to choose")
            if len(set(values)) < len(values):
                raise problem(at, "holds an action twice")
        return self

    def check_clip(self, clip: float, at: tuple[str, ...]) -> None:
        """Raises a validation error for a move that would be clipped."""
        for name, move in self.moves.items():
            for pattern, value in move.items():
                if abs(value) > clip:
                    raise problem((*at, "moves", name, pattern), f"{value:g} lies beyond control.clip ({clip:g})")
        bins = self.bins if isinstance(self.bins, dict) else {"": self.bins or []}
        for pattern, values in bins.items():
            for value in values:
                if abs(value) > clip:
                    where = (*at, "bins", *((pattern,) if pattern else ()))
                    raise problem(where, f"{value:g} lies beyond control.clip ({clip:g})")


class ControlSection(Choices):
    type: Literal["joint_position", "joint_velocity", "effort"] = quantity(
        "joint_position",
        help="What an action means: offset from the standing pose, velocity, or share of the effort limit",
    )
    joints: str = quantity(".*", help="Regular expression of the joints that the policy moves")
    scale: float | dict[str, float] = quantity(
        0.5,
        help="Action to target: rad (m), rad/s (m/s), or share of the effort limit; one number or per joint pattern",
    )
    clip: float = quantity(10.0, help="Actions are clipped to plus and minus this before scaling", gt=0, le=1000)

    @model_validator(mode="after")
    def _moves_are_within_the_clip(self) -> Self:
        self.check_clip(self.clip, ())
        return self


class AgentSection(Choices):
    joints: str = quantity(help="Regular expression of the joints that this agent moves")
    observes: str | list[str] = quantity(
        "own",
        help="What of the observations it sees: 'own' (its joints and their bodies, and what belongs to no joint), "
        "'all', or regular expressions of entries or elements",
    )

    @property
    def views(self) -> list[str]:
        """``observes`` as a list."""
        return [self.observes] if isinstance(self.observes, str) else self.observes

    @model_validator(mode="after")
    def _sees_something(self) -> Self:
        if not self.views:
            raise problem(("observes",), "names nothing to see")
        return self


def action_kind(control: ControlSection, agents: Mapping[str, AgentSection] | None) -> Literal["box", "discrete"]:
    """Whether actions are numbers or choices."""
    discrete = control.is_discrete or any(agent.is_discrete for agent in (agents or {}).values())
    return "discrete" if discrete else "box"


def choices_of(control: ControlSection, agent: AgentSection) -> Choices:
    """What an agent chooses among: its own moves or bins, else the bins of all."""
    return agent if agent.is_discrete else control


def check_agents(control: ControlSection, agents: Mapping[str, AgentSection] | None) -> None:
    """Raises a validation error for agents that do not go together with the control."""
    if agents is None:
        return
    if not agents:
        raise problem(("agents",), "names no agent; leave it out where one agent moves everything")
    for name, agent in agents.items():
        agent.check_clip(control.clip, ("agents", name))
    if control.moves:
        raise problem(("control", "moves"), "move the whole robot; with agents, give each its own: agents.<name>.moves")
    undecided = [name for name, agent in agents.items() if not choices_of(control, agent).is_discrete]
    if undecided and len(undecided) < len(agents):
        raise problem(
            ("agents", undecided[0]), "has neither moves nor bins, and others have: all agents choose, or none does"
        )
