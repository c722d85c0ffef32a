"""The terrain editor: flat or a grid, its kinds of ground, how it looks from above, and its fields."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.fold import Fold
from humanoid_rl_ext.ui.fields.row import FieldGroup
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.task.model import TaskModel
from humanoid_rl_ext.ui.terrain.kinds import KindsView
from humanoid_rl_ext.ui.terrain.model import TerrainModel
from humanoid_rl_ext.ui.terrain.picture import TerrainPicture
from humanoid_rl_ext.ui.theme import px

ALL_OFF = "All kinds are switched off, so the ground is flat."


class TerrainView:
    """A fold of the Task section."""

    def __init__(self, task: TaskModel) -> None:
        self.model = TerrainModel(task)
        self._grid = self.model.is_grid
        self._kinds: KindsView | None = None
        self._picture: TerrainPicture | None = None
        self._groups: list[FieldGroup] = []
        self._gone: list[object] = []
        self.fold = Fold(
            "Terrain",
            self._build,
            tooltip="Shape of the ground: a plane, or a grid of cells that rise in difficulty",
            identifier="task.Terrain",
        )
        self.fold.note = self.model.summary

    def refresh(self, paths: set[str]) -> None:
        """Takes over what has changed at ``paths``."""
        self.fold.note = self.model.summary
        if self.model.is_grid != self._grid:
            self._grid = self.model.is_grid
            self._gone, self._kinds, self._picture, self._groups = [self._gone, *self._shown()], None, None, []
            self.fold.rebuild()
            return
        if self._kinds is not None:
            self._kinds.refresh(paths)
            self._off.visible = self.model.section.flat
        for path in paths:
            for group in self._groups:
                group.refresh(path)

    def update(self, now: float) -> None:
        """Keeps the picture up to date while the fold is open."""
        if self._picture is None or self._kinds is None or not self.fold.opened:
            return
        if self._picture.update(now):
            relief = self._picture.preview.relief
            self._kinds.show_columns(relief.columns if relief is not None else {})

    def _shown(self) -> list[object]:
        return [self._kinds, self._picture, self._groups]

    def _build(self) -> None:
        release([self._gone, self._shown()])
        self._gone, self._kinds, self._picture, self._groups = [], None, None, []
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            ui.Spacer(height=px(2))
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                self._choice("Flat", self.model.make_flat, not self._grid, "A plane")
                self._choice("Grid", self.model.make_grid, self._grid, "Cells of several kinds, level by level")
                ui.Spacer()
            self._problem = ui.Label("", name="error", word_wrap=True, height=0, visible=False)
            if self._grid:
                self._build_grid()
            else:
                ui.Label("The ground is a plane.", name="muted", height=px(theme.ROW_HEIGHT))
            ui.Spacer(height=px(theme.SPACING))

    def _build_grid(self) -> None:
        self._off = ui.Label(ALL_OFF, name="warning", word_wrap=True, height=0, visible=self.model.section.flat)
        self._kinds = KindsView(self.model)
        ui.Spacer(height=px(2))
        self._picture = TerrainPicture(self.model)
        for title, specs in self.model.fields().items():
            self._groups.append(FieldGroup(title, specs, self.model.workbench))

    def _choice(self, title: str, choose: Callable[[], str], chosen: bool, help: str) -> None:
        ui.Button(
            title,
            name="on" if chosen else "",
            width=px(70),
            tooltip=help,
            identifier=f"scene.terrain:{title}",
            clicked_fn=lambda: self._say(choose()),
        )

    def _say(self, reason: str) -> None:
        self._problem.text = reason
        self._problem.visible = bool(reason)
