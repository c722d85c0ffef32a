"""What the terrain editor shows and does: flat or a grid, its kinds of ground, its fields in groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.registry import TermSpec, terms
from humanoid_rl_ext.task.schema import TerrainKindSection, TerrainSection
from humanoid_rl_ext.ui.fields.binding import reason_of
from humanoid_rl_ext.ui.fields.spec import FieldSpec, model_fields
from humanoid_rl_ext.ui.task.model import KINDS_OF_GROUND, Entry, TaskModel

TERRAIN = "scene.terrain"
FIRST_KINDS = ("random_rough", "pyramid", "stairs_down", "stairs_up")
"""What a grid starts with where neither the preset nor the user has said anything."""
GROUPS: dict[str, tuple[str, ...]] = {
    "Grid": ("rows", "columns", "cell_size", "border", "platform", "resolution", "difficulty", "seed"),
    "Obstacles on every kind": ("obstacle_density", "obstacle_height"),
    "Ground": ("steepness", "friction"),
    "Levels of robots": ("max_initial_level", "max_difficulty", "levels_by_distance"),
}


class TerrainModel:
    """All logic of the editor but the preview. Methods that edit return why that was not possible, or ''."""

    def __init__(self, task: TaskModel) -> None:
        self.task, self.workbench = task, task.workbench
        self._kept: tuple[str, dict[str, Any]] = "", {}
        """The kinds that there were before the ground was made flat, and the task that they are of."""

    @property
    def section(self) -> TerrainSection:
        """The draft's terrain."""
        return self.workbench.draft.task.scene.terrain

    @property
    def is_grid(self) -> bool:
        """Whether there are kinds of ground; they may all be switched off."""
        return bool(self.section.kinds)

    @property
    def summary(self) -> str:
        """The terrain in a few words."""
        section, used = self.section, sum(kind.enabled for kind in self.section.kinds.values())
        return f"{section.rows} x {section.columns}, {used} {'kind' if used == 1 else 'kinds'}" if used else "flat"

    def make_flat(self) -> str:
        """Takes all kinds away; they are remembered for ``make_grid``."""
        if not self.is_grid:
            return ""
        kinds = {name: kind.model_dump(mode="json") for name, kind in self.section.kinds.items()}
        self._kept = self.workbench.draft.source, kinds
        return self._edit(f"{TERRAIN}.kinds", {})

    def make_grid(self) -> str:
        """Brings back the kinds that there were, else the preset's, else takes some usual ones."""
        if self.is_grid:
            return ""
        source, kept = self._kept
        draft = self.workbench.draft
        kinds = kept if source == draft.source else draft.default(f"{TERRAIN}.kinds")
        return self._edit(f"{TERRAIN}.kinds", kinds or {name: {} for name in FIRST_KINDS})

    # Kinds of ground

    def entries(self) -> list[Entry]:
        """The kinds in the table's order, with their parameters; the share is told apart by ``share_field``."""
        return [
            replace(entry, specs=tuple(spec for spec in entry.specs if not spec.path.endswith(".share")))
            for entry in self.task.entries(KINDS_OF_GROUND)
        ]

    def shape(self) -> tuple[str, ...]:
        """Equal as long as the same widgets can show the kinds."""
        return self.task.shape(KINDS_OF_GROUND)

    def known(self) -> list[TermSpec]:
        """All registered kinds of ground."""
        return list(terms("terrain").values())

    def add(self, term: str) -> str:
        """Adds a kind with its usual parameters; a term that is in use already gets a number."""
        name, number = term, 2
        while name in self.section.kinds:
            name, number = f"{term}_{number}", number + 1
        return self._edit(f"{TERRAIN}.kinds.{name}", {} if name == term else {"term": term})

    def remove(self, entry: Entry) -> str:
        """Takes a kind away; without any the ground is flat."""
        return self._edit(entry.path, None)

    def choose_file(self, spec: FieldSpec) -> None:
        """Asks for the height-field file of a kind."""
        host = self.workbench.host
        host.pick_file("Choose a height field", (".png", ".npy"), lambda path: self._choose(spec, str(path)))

    # Fields

    def fields(self) -> dict[str, list[FieldSpec]]:
        """The grid's fields by heading."""
        specs = {spec.path: spec for spec in model_fields(TerrainSection, TERRAIN)}
        return {title: [specs[f"{TERRAIN}.{name}"] for name in names] for title, names in GROUPS.items()}

    def _choose(self, spec: FieldSpec, path: str) -> None:
        reason = self._edit(spec.path, path)
        if reason:
            self.workbench.say(reason, "error")

    def _edit(self, path: str, value: object) -> str:
        try:
            self.workbench.edit(path, value)
        except TaskError as error:
            return reason_of(error, path)
        return ""


def share_field(entry: Entry) -> FieldSpec:
    """The share of the columns that a kind gets."""
    specs = model_fields(TerrainKindSection, entry.path)
    return next(spec for spec in specs if spec.path.endswith(".share"))


def is_file(spec: FieldSpec) -> bool:
    """Whether a parameter of a kind names a file."""
    return spec.path.endswith(".params.path")


def spread(middles: list[float], spacing: float, length: float) -> list[float]:
    """Places near ``middles`` (ascending) that are ``spacing`` apart and, if they fit at all, between 0 and
    ``length``, each with half the spacing to the ends."""
    places: list[float] = []
    for middle in middles:
        places.append(max(middle, places[-1] + spacing if places else spacing / 2))
    limit = max(length, len(places) * spacing) - spacing / 2
    for index in reversed(range(len(places))):
        places[index] = min(places[index], limit)
        limit = places[index] - spacing
    return places
