"""What a Task is: plain validated data. Widgets, YAML, the command line and the docs are views of these models."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.robot.overrides import RobotOverrides
from humanoid_rl_ext.task.control import AgentSection, ControlSection, action_kind, check_agents
from humanoid_rl_ext.task.curriculum import CurriculumSection
from humanoid_rl_ext.task.episodes import EpisodesSection
from humanoid_rl_ext.task.registry import Kind, ParamError, TermSpec, term
from humanoid_rl_ext.task.section import Section, quantity
from humanoid_rl_ext.task.section import problem as _problem
from humanoid_rl_ext.task.team import TeamSection


class RobotSection(RobotOverrides):
    source: str = quantity(help="A bundled robot's name, or the path of a USD, MJCF or URDF file")

    @property
    def overrides(self) -> RobotOverrides:
        """What the Task says about the robot beyond its file."""
        return RobotOverrides.model_validate(self.model_dump(exclude={"source"}))


class PhysxSection(Section):
    position_iterations: int = quantity(8, help="Solver position iterations: the main price of a step", ge=1, le=255)
    velocity_iterations: int = quantity(1, help="Solver velocity iterations", ge=0, le=255)


class NewtonSection(Section):
    iterations: int = quantity(6, help="Most solver iterations in a sub-step; it stops once converged", ge=1, le=1000)
    line_search_iterations: int = quantity(10, help="Most line search steps in an iteration", ge=1, le=1000)
    max_contacts: int | None = quantity(
        None, help="Contact points an environment may have; none: as many as the robot can make", ge=1, le=10_000
    )
    max_constraints: int | None = quantity(
        None, help="Constraint rows an environment may have; none: as many as contacts and joints need", ge=1, le=50_000
    )


class SimSection(Section):
    dt: float = quantity(1 / 120, unit="s", help="Physics sub-step", gt=0, le=0.1)
    decimation: int = quantity(2, help="Physics sub-steps per control step", ge=1, le=1000)
    gravity: tuple[float, float, float] = quantity((0.0, 0.0, -9.81), unit="m/s2", help="Gravity vector")
    self_collision: bool = quantity(False, help="Whether the robot's own bodies collide with each other")
    randomisation_interval_s: float = quantity(
        0.5,
        unit="s",
        help="Time between batches of randomised quantities that an engine takes only from the host",
        ge=0,
        le=3600,
    )
    ovphysx: PhysxSection = Field(default_factory=PhysxSection, description="Solver settings of PhysX")
    newton: NewtonSection = Field(default_factory=NewtonSection, description="Solver settings of Newton")


class TermSection(Section):
    """What all entries of a table of terms share. The table's key is the entry's name, and by default its term."""

    kind: ClassVar[Kind]
    term: str = quantity("", help="The registered term; empty means the entry's own name")
    enabled: bool = quantity(True, help="Whether the entry takes part")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of the term; the rest keep defaults")
    _spec: TermSpec | None = PrivateAttr(default=None)

    @property
    def spec(self) -> TermSpec:
        """The registered term this entry uses (set when the Task is validated)."""
        assert self._spec is not None
        return self._spec

    def bind(self, name: str) -> None:
        """Looks the term up and checks the parameters; raises TaskError or ParamError."""
        self._spec = term(self.kind, self.term or name)
        self.params = self._spec.check_params(self.params)


class CommandSection(TermSection):
    kind: ClassVar[Kind] = "command"
    resample_s: tuple[float, float] | None = quantity(
        None, unit="s", help="Time between new commands, drawn from this range; none: once per episode"
    )

    @model_validator(mode="after")
    def _times_are_ordered(self) -> Self:
        _check_times(self.resample_s, "resample_s")
        return self


class ObservationSection(TermSection):
    kind: ClassVar[Kind] = "observation"
    scale: float = quantity(1.0, help="Factor applied to the observation")
    clip: float = quantity(100.0, help="Clipped to plus and minus this before scaling", gt=0)
    noise: float = quantity(
        0.0, help="Error drawn in every step, before clip and scale: half its width, or standard deviation", ge=0
    )
    noise_distribution: Literal["uniform", "normal"] = quantity("uniform", help="How the error is distributed")
    bias: float = quantity(0.0, help="Largest error that lasts an episode, before clip and scale", ge=0)
    delay_s: tuple[float, float] = quantity(
        (0.0, 0.0), unit="s", help="Age of what is seen, drawn per episode and rounded to control steps"
    )
    history: int = quantity(1, help="How many of the last values are seen, the newest first", ge=1, le=64)

    @property
    def is_shaped(self) -> bool:
        """Whether anything but the truth of now is seen."""
        return bool(self.noise or self.bias or self.delay_s[1] or self.history > 1)

    @model_validator(mode="after")
    def _ages_are_ordered(self) -> Self:
        low, high = self.delay_s
        if not 0 <= low <= high <= 1:
            raise _problem(("delay_s",), f"must be [low, high] with 0 <= low <= high <= 1, not [{low:g}, {high:g}]")
        return self


class RewardSection(TermSection):
    kind: ClassVar[Kind] = "reward"
    weight: float = quantity(help="Weight: the reward per second is weight times the term")
    agents: list[str] | None = quantity(None, help="Which of the agents it is paid to; none: to all of them")


class TerminationSection(TermSection):
    kind: ClassVar[Kind] = "termination"
    time_out: bool = quantity(False, help="Whether it cuts the episode off from outside instead of ending the task")
    success: bool | None = quantity(None, help="Whether it means that the task is solved; none: as the term has it")

    @property
    def means_success(self) -> bool:
        """Whether an episode that ends by it was a success."""
        return self.spec.success if self.success is None else self.success


class RandomisationSection(TermSection):
    kind: ClassVar[Kind] = "randomisation"
    mode: Literal["start", "reset", "interval", "step"] = quantity(
        "reset", help="When it is drawn: once, at every reset, again and again, or in every step"
    )
    interval_s: tuple[float, float] = quantity((5.0, 10.0), unit="s", help="Time between two, drawn from this range")
    distribution: Literal["uniform", "normal", "log_uniform", "choice"] = quantity(
        "uniform", help="How samples lie in their range; normal: around its middle, cut off at its ends"
    )
    deviations: float = quantity(2.0, help="Standard deviations from the middle to the ends, if normal", gt=0, le=5)
    choices: list[float] = quantity([], help="The values to choose from with equal odds, in place of the range")

    @model_validator(mode="after")
    def _times_are_ordered(self) -> Self:
        _check_times(self.interval_s, "interval_s")
        return self

    def bind(self, name: str) -> None:
        """Looks the term up and checks parameters, mode and distribution; raises TaskError or ParamError."""
        super().bind(name)
        spec = self.spec
        if spec.modes and "mode" not in self.model_fields_set:
            self.mode = spec.modes[0]  # type: ignore[assignment]
        if spec.modes and self.mode not in spec.modes:
            raise TaskError(f"mode '{self.mode}' is not for '{spec.name}', which takes: {', '.join(spec.modes)}")
        ranges = [param for param in spec.params.values() if param.type == "range"]
        if self.distribution in ("log_uniform", "choice") and len(ranges) != 1:
            raise TaskError(f"'{spec.name}' has several ranges, so distribution '{self.distribution}' is not for it")
        if self.distribution == "log_uniform" and self.params[ranges[0].name][0] <= 0:
            raise ParamError(ranges[0].name, "must lie above zero for a log-uniform distribution")
        if self.distribution == "choice":
            if not self.choices:
                raise TaskError("distribution 'choice' needs 'choices', a list of values")
            try:
                self.params[ranges[0].name] = ranges[0].check((min(self.choices), max(self.choices)))
            except ValueError as error:
                raise TaskError(f"choices: {error}") from None


class TerrainKindSection(TermSection):
    kind: ClassVar[Kind] = "terrain"
    share: float = quantity(1.0, help="Its share of the columns, in proportion to the others'", gt=0, le=1e6)


class TerrainSection(Section):
    """A grid of cells: columns of different kinds of ground, rows that rise in difficulty. No kinds: flat ground."""

    kinds: dict[str, TerrainKindSection] = Field(default_factory=dict, description="Kinds of ground that share columns")
    rows: int = quantity(10, help="Levels of difficulty", ge=1, le=100)
    columns: int = quantity(20, help="Columns, shared out among the kinds", ge=1, le=200)
    cell_size: float = quantity(8.0, unit="m", help="Side of a cell", ge=2, le=100)
    resolution: float = quantity(0.1, unit="m", help="Distance between two points of the height field", ge=0.02, le=1)
    border: float = quantity(5.0, unit="m", help="Width of the flat ground around the grid", ge=0, le=100)
    platform: float = quantity(2.0, unit="m", help="Side of the level square in a cell's middle", ge=0, le=50)
    difficulty: tuple[float, float] = quantity((0.0, 1.0), help="Difficulty of the first and of the last row, 0 to 1")
    seed: int = quantity(1, help="Seed of everything random about the ground", ge=0, le=2**31 - 1)
    obstacle_density: float = quantity(
        0.0, help="Share of the ground under obstacles at difficulty 1, on every kind; less below it", ge=0, le=0.5
    )
    obstacle_height: tuple[float, float] = quantity(
        (0.05, 0.2), unit="m", help="Height of those obstacles at difficulty 0 and at difficulty 1"
    )
    steepness: float = quantity(0.75, help="Rise per metre above which the ground is a vertical wall", gt=0, le=100)
    friction: float = quantity(
        0.1, help="Least friction of the ground: a contact has the larger of this and the robot's own", ge=0, le=10
    )
    max_initial_level: int = quantity(5, help="Highest level that robots start training on", ge=0, le=99)
    max_difficulty: float = quantity(
        1.0, help="Difficulty of the hardest level that robots may be on; may change while training", ge=0, le=1
    )
    levels_by_distance: bool = quantity(
        True, help="Whether robots that walk far go up a level after an episode, and those that do not go down one"
    )

    @model_validator(mode="before")
    @classmethod
    def _flat_by_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value != "flat":
                raise _problem((), f"'{value}' is no terrain; it is 'flat', or a table with 'kinds' of ground")
            return {}
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not 0 <= self.difficulty[0] <= self.difficulty[1] <= 1:
            raise _problem(("difficulty",), "must be [first, last] with 0 <= first <= last <= 1")
        if min(self.obstacle_height) < 0:
            raise _problem(("obstacle_height",), "must not be below 0")
        if self.platform > self.cell_size - 2 * self.resolution:
            raise _problem(("platform",), f"leaves nothing of a cell of {self.cell_size:g} m")
        return self

    @property
    def flat(self) -> bool:
        """Whether the ground is a plane."""
        return not any(kind.enabled for kind in self.kinds.values())


class SceneSection(Section):
    terrain: TerrainSection = Field(default_factory=TerrainSection, description="Shape of the ground")
    spacing: float = quantity(4.0, unit="m", help="Distance between neighbouring environments", gt=0, le=1000)
    static_friction: float = quantity(1.0, help="Friction of the ground and the robot at rest", ge=0, le=10)
    dynamic_friction: float = quantity(1.0, help="Friction of the ground and the robot in motion", ge=0, le=10)
    restitution: float = quantity(0.0, help="Bounciness of contacts", ge=0, le=1)


class MetricSection(TermSection):
    kind: ClassVar[Kind] = "metric"


class Task(Section):
    """What to learn. Engine, device and number of environments belong to the run, not to the Task."""

    name: str = quantity(help="Name of the task; names its run folders", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = quantity("", help="One line for lists")
    robot: RobotSection
    scene: SceneSection = Field(default_factory=SceneSection)
    sim: SimSection = Field(default_factory=SimSection)
    control: ControlSection = Field(default_factory=ControlSection)
    agents: dict[Annotated[str, Field(pattern=r"^\w[\w-]*$")], AgentSection] | None = Field(
        None, description="Who moves which joints, where several agents share the robot"
    )
    team: TeamSection | None = Field(None, description="Several robots in one scene, where there is more than one")
    commands: dict[str, CommandSection] = Field(default_factory=dict)
    observations: dict[Annotated[str, Field(pattern="^(policy|critic)$")], dict[str, ObservationSection]]
    rewards: dict[str, RewardSection] = Field(min_length=1)
    terminations: dict[str, TerminationSection] = Field(default_factory=dict)
    randomisation: dict[str, RandomisationSection] = Field(default_factory=dict)
    metrics: dict[str, MetricSection] = Field(default_factory=dict)
    curriculum: CurriculumSection = Field(default_factory=CurriculumSection, description="What changes while training")
    reward_scale: float = quantity(1.0, help="Factor on the weight of every reward", gt=0, le=1e6)
    episode_length_s: float = quantity(unit="s", help="Time limit of an episode", gt=0, le=100_000)
    episodes: EpisodesSection = Field(default_factory=EpisodesSection, description="How episodes begin")
    seed: int = quantity(1, help="Seed of everything random", ge=0, le=2**31 - 1)

    @property
    def control_dt(self) -> float:
        """Time between two actions (s)."""
        return self.sim.dt * self.sim.decimation

    @property
    def max_episode_length(self) -> int:
        """Time limit in control steps."""
        return max(1, round(self.episode_length_s / self.control_dt))

    @property
    def action_kind(self) -> Literal["box", "discrete"]:
        """Whether actions are numbers, or choices among moves."""
        return action_kind(self.control, self.agents)

    @property
    def reward_per_agent(self) -> bool:
        """Whether agents are rewarded apart: a team whose robots are, or some reward names those it is for."""
        if self.team is not None:
            return self.team.rewards == "own"
        return any(section.agents is not None for section in self.rewards.values())

    @property
    def agent_names(self) -> tuple[str, ...]:
        """Who acts, where that is more than one; empty for a single agent."""
        return tuple(self.agents or ()) if self.team is None else self.team.agents

    @property
    def team_size(self) -> int:
        """Robots in one scene."""
        return 1 if self.team is None else self.team.size

    def sections(self) -> list[tuple[tuple[str, ...], TermSection]]:
        """Every table entry that names a term, with its path in the Task."""
        tables: list[tuple[tuple[str, ...], dict[str, Any]]] = [
            (("commands",), self.commands),
            *((("observations", group), entries) for group, entries in self.observations.items()),
            (("rewards",), self.rewards),
            (("terminations",), self.terminations),
            (("randomisation",), self.randomisation),
            (("metrics",), self.metrics),
            (("scene", "terrain", "kinds"), self.scene.terrain.kinds),
        ]
        return [((*path, name), section) for path, table in tables for name, section in table.items()]

    @model_validator(mode="after")
    def _bind_terms(self) -> Self:
        if not self.observations.get("policy"):
            raise _problem(("observations",), "needs at least one entry under 'policy'")
        for path, section in self.sections():
            try:
                section.bind(path[-1])
            except ParamError as error:
                raise _problem((*path, "params", error.param), str(error)) from None
            except TaskError as error:
                raise _problem((*path, *(("term",) if section.term else ())), str(error)) from None
            if section.spec.team and section.enabled and self.team is None:
                raise _problem(path, f"'{section.spec.name}' needs other robots in the scene; give the task a 'team'")
            command = section.params.get("command")
            if command is not None and command not in self.commands:
                known = ", ".join(self.commands) or "none"
                raise _problem(
                    (*path, "params", "command"), f"there is no command '{command}' in this task (it has: {known})"
                )
        return self

    @model_validator(mode="after")
    def _agents_are_known(self) -> Self:
        check_agents(self.control, self.agents)
        if self.team is not None and self.agents is not None:
            raise _problem(("team",), "and 'agents' exclude each other: each robot of a team is one agent")
        if self.team is not None and not self.scene.terrain.flat:
            raise _problem(("team",), "needs flat ground; leave scene.terrain.kinds out")
        for name, section in self.rewards.items():
            for agent in section.agents if section.agents is not None else ():
                if agent not in (self.agents or {}):
                    known = ", ".join(self.agents or {}) or "none"
                    raise _problem(
                        ("rewards", name, "agents"), f"there is no agent '{agent}' in this task (it has: {known})"
                    )
            if section.agents is not None and not section.agents:
                raise _problem(("rewards", name, "agents"), "names no agent; leave it out to pay all of them")
        return self

    @model_validator(mode="after")
    def _curriculum_is_valid(self) -> Self:
        """Every value that the curriculum will ever set is allowed where it is to be set."""
        from humanoid_rl_ext.task.loading import edited

        plan = self.curriculum
        if not plan.in_use:
            return self
        plain = self.model_copy(update={"curriculum": CurriculumSection()})
        values: list[tuple[tuple[str, ...], str, Any]] = [
            (("stages", name, "set", path), path, value)
            for name, stage in plan.stages.items()
            for path, value in stage.set.items()
        ]
        values += [
            (("schedules", name, "points"), schedule.path, value)
            for name, schedule in plan.schedules.items()
            for _, value in schedule.points
        ]
        for at, path, value in values:
            try:
                edited(plain, path, value)
            except TaskError as error:
                said = str(error).removeprefix(f"edit '{path}': ")
                raise _problem(("curriculum", *at), said) from None
        return self


def _check_times(times: tuple[float, float] | None, name: str) -> None:
    if times is not None and not 0 < times[0] <= times[1]:
        raise _problem((name,), f"must be [low, high] with 0 < low <= high, not [{times[0]:g}, {times[1]:g}]")
