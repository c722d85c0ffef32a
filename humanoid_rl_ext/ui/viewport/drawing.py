"""Draws into a scene of omni.ui: the ground, a robot, the overlays' marks. Works in any SceneView."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from omni.ui import scene as sc

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.viewport.shapes import Faces
from humanoid_rl_ext.ui.viewport.sketch import Area, Sketch

Array = NDArray[np.float64]

GRID, GRID_MAIN = theme.rgb("#8b95a3"), theme.rgb("#aab4c2")
GRID_ALPHA, GRID_MAIN_ALPHA = 0.32, 0.5
GRID_REACH = 4
"""Half the grid's size (m), which is also the number of lines to each side."""
GRID_PIECES = 3
"""Pieces of half a line, each fainter than the one nearer to the middle."""
AXES = ((theme.rgb("#d9534f"), (0.4, 0.0)), (theme.rgb("#6cbf4b"), (0.0, 0.4)))
CORNERS = 12
"""Of a dot."""


class Ground:
    """A grid of 1 m squares that fades out, kept under the robot; x and y axes at the environment's origin."""

    def __init__(self) -> None:
        """Draws into the current scene."""
        self._grid = sc.Transform()
        self._place = (0.0, 0.0, 0.0)
        with self._grid:
            for k in range(-GRID_REACH, GRID_REACH + 1):
                for sign in (-1, 1):
                    for piece in range(GRID_PIECES):
                        self._piece(k, sign, piece)
        self._axes = sc.Transform()
        with self._axes:
            for colour, (x, y) in AXES:
                sc.Line([0.0, 0.0, 0.0], [x, y, 0.0], color=colour, thickness=theme.px(2))

    def show(self, base: Array, origin: Array, flat: bool = True) -> None:
        """Moves the grid under ``base`` (3,) by whole squares, the axes to ``origin`` (3,); no grid if not ``flat``."""
        self._grid.visible = flat
        x, y = (float(origin[i] + round(base[i] - origin[i])) for i in range(2))
        place = (x, y, float(origin[2]))
        if place != self._place:
            self._place = place
            self._grid.transform = sc.Matrix44.get_translation_matrix(*place)
        self._axes.transform = sc.Matrix44.get_translation_matrix(*(float(v) for v in origin))

    def _piece(self, k: int, sign: int, piece: int) -> None:
        near, far = (sign * GRID_REACH * share / GRID_PIECES for share in (piece, piece + 1))
        distance = math.hypot(k, (near + far) / 2.0) / GRID_REACH
        if distance >= 1.0:
            return
        main = k == 0
        alpha = round(255 * (GRID_MAIN_ALPHA if main else GRID_ALPHA) * (1.0 - distance) ** 1.2)
        colour = (GRID_MAIN if main else GRID) & 0x00FFFFFF | alpha << 24
        sc.Line([near, k, 0.0], [far, k, 0.0], color=colour, thickness=1.0)
        sc.Line([k, near, 0.0], [k, far, 0.0], color=colour, thickness=1.0)


class MeshDrawing:
    """One mesh, for the whole robot or the ground, which is given anew what is seen of it."""

    def __init__(self, alpha: int = 255) -> None:
        """Draws into the current scene; from 0, which cannot be seen, to 255, which nothing is seen through."""
        self._alpha = alpha << 24
        self._mesh = sc.PolygonMesh([], [], [], [])

    def show(self, faces: Faces) -> None:
        """Draws these triangles in place of those before."""
        mesh = self._mesh
        mesh.visible = False  # its lists belong together, and are handed over one by one
        mesh.positions = faces.positions.tolist()
        mesh.colors = (faces.colours & 0x00FFFFFF | self._alpha).tolist()
        mesh.vertex_counts = faces.counts.tolist()
        mesh.vertex_indices = faces.corners.tolist()
        mesh.visible = True

    def clear(self) -> None:
        """Draws nothing."""
        self._mesh.visible = False


class SketchDrawing:
    """Draws sketches; lines are kept and used again."""

    def __init__(self) -> None:
        """Draws into the current scene."""
        self._lines = sc.Transform()
        self._pool: list[sc.Line] = []
        self._shown = 0
        self._areas = sc.PolygonMesh([], [], [], [])
        self._areas.visible = False

    def show(self, sketch: Sketch, view: Array, pixel: float) -> None:
        """Draws a sketch. ``view`` is the camera's (4, 4), ``pixel`` the size of a pixel 1 m away from it (m)."""
        while len(self._pool) < len(sketch.lines):
            with self._lines:
                self._pool.append(sc.Line([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]))
        for drawn, line in zip(self._pool, sketch.lines, strict=False):
            drawn.start, drawn.end = line.start.tolist(), line.end.tolist()
            drawn.color, drawn.thickness = line.colour, theme.px(line.thickness)
            drawn.visible = True
        for drawn in self._pool[len(sketch.lines) : self._shown]:
            drawn.visible = False
        self._shown = len(sketch.lines)
        self._show_areas([*sketch.areas, *_discs(sketch, view, pixel * theme.scale())])

    def _show_areas(self, areas: list[Area]) -> None:
        mesh = self._areas
        mesh.visible = False
        if not areas:
            return
        counts = [len(area.corners) for area in areas]
        mesh.positions = np.concatenate([area.corners for area in areas]).tolist()
        mesh.colors = [area.colour for area in areas for _ in area.corners]
        mesh.vertex_counts = counts
        mesh.vertex_indices = list(range(sum(counts)))
        mesh.visible = True


def _discs(sketch: Sketch, view: Array, pixel: float) -> list[Area]:
    """The sketch's dots as polygons that face the camera; later ones are a little nearer and hide earlier ones."""
    right, up = view[:3, 0], view[:3, 1]
    turn = np.linspace(0.0, 2.0 * np.pi, CORNERS, endpoint=False)[:, None]
    circle = np.cos(turn) * right + np.sin(turn) * up
    areas = []
    for place, dot in enumerate(sketch.dots):
        to_eye = sketch.eye - dot.centre
        centre = dot.centre + (0.05 + 0.002 * place) * to_eye
        distance = float(-(centre @ view[:3, 2] + view[3, 2]))
        areas.append(Area(centre + dot.radius * pixel * max(distance, 0.0) * circle, dot.colour))
    return areas
