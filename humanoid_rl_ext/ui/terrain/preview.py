"""Keeps a picture of the draft's terrain up to date: built and drawn on the worker thread, a moment after an edit."""

from __future__ import annotations

from humanoid_rl_ext.errors import HumanoidRLError
from humanoid_rl_ext.sim.terrain import build_terrain
from humanoid_rl_ext.task.schema import TerrainSection
from humanoid_rl_ext.ui.terrain.relief import Relief, draw_relief
from humanoid_rl_ext.ui.workbench import Workbench

PATIENCE = 0.25
"""How long (s) nothing must have changed before the terrain is built."""
UNSEEN = {"friction", "steepness", "max_initial_level", "max_difficulty", "levels_by_distance"}
"""Fields that the picture does not depend on."""


class TerrainPreview:
    """The picture, or why there is none; ``update`` once per frame while it is looked at."""

    def __init__(self, workbench: Workbench, width: int, height: int) -> None:
        """The picture fills ``width`` x ``height`` pixels along one side at least."""
        self.workbench = workbench
        self.box = width, height
        self.relief: Relief | None = None
        self.reason = ""
        """Why the terrain cannot be built, in one line; '' when it can."""
        self.busy = False
        """Whether a newer picture is on its way."""
        self.version = 0
        """Counts what ``relief``, ``reason`` and ``busy`` have gone through."""
        self._wanted = self._tried = ""
        self._wanted_since = 0.0
        self._building = False

    def update(self, now: float) -> None:
        """Has the terrain built where it has changed; ``now`` is in seconds."""
        section = self.workbench.draft.task.scene.terrain
        wanted = "" if section.flat else section.model_dump_json(exclude=UNSEEN)
        if wanted != self._wanted:
            self._wanted, self._wanted_since = wanted, now
            self._note(busy=self._building or wanted != self._tried)
        if not wanted:
            self._tried = ""
            if self.relief or self.reason:
                self.relief, self.reason = None, ""
                self._note(busy=False)
        elif wanted != self._tried and not self._building and now - self._wanted_since >= PATIENCE:
            self._build(section, wanted)

    def _build(self, section: TerrainSection, wanted: str) -> None:
        self._building, self._tried = True, wanted
        cells = section.rows, section.columns
        along_x, along_y = (count * section.cell_size + 2 * section.border for count in cells)
        width, height = fitted((along_x, along_y), self.box)

        def draw() -> Relief:
            terrain = build_terrain(section)
            assert terrain is not None, "flat ground is not drawn"
            return draw_relief(terrain, width, height)

        def done(relief: Relief) -> None:
            self._end(relief, "")

        def failed(error: Exception) -> None:
            known = isinstance(error, HumanoidRLError)
            text = " ".join((str(error) if known else f"{type(error).__name__}: {error}").split())
            self._end(None, text.removeprefix("scene.terrain: ").removeprefix("scene.terrain."))

        self.workbench.background.run(draw, done, failed)

    def _end(self, relief: Relief | None, reason: str) -> None:
        self._building = False
        if self._wanted:
            self.relief, self.reason = relief, reason
        self._note(busy=bool(self._wanted) and self._wanted != self._tried)

    def _note(self, busy: bool) -> None:
        self.busy = busy
        self.version += 1


def fitted(size: tuple[float, float], box: tuple[int, int]) -> tuple[int, int]:
    """The largest width and height (pixels) within ``box`` that are in proportion to ``size``."""
    scale = min(box[0] / size[0], box[1] / size[1])
    return max(1, round(scale * size[0])), max(1, round(scale * size[1]))
