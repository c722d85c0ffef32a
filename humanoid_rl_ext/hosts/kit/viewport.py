"""Overlays and buttons inside Isaac Sim's active viewport, whose renderer draws the robots that are at work.

What is called there was read in isaac-sim/IsaacSim 6.0.1, commit 045ca8b: ``isaacsim.ros2.tf_viewer`` for a scene over
the viewport, ``isaacsim.core.rendering_manager`` for its camera.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import omni.usd
from numpy.typing import NDArray
from omni import ui
from omni.kit.viewport.utility import get_active_viewport_window
from omni.ui import scene as sc
from pxr import Gf, Usd, UsdGeom

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.viewport.bars import ViewportBars
from humanoid_rl_ext.ui.viewport.drawing import MeshDrawing, SketchDrawing
from humanoid_rl_ext.ui.viewport.model import ViewportModel
from humanoid_rl_ext.ui.viewport.overlays import Seen
from humanoid_rl_ext.ui.workbench import Workbench

Array = NDArray[np.float64]

SEARCH_S = 0.5
"""Time between two looks for the active viewport."""
REDRAW_S = 1 / 20
"""Least time between two looks at the robot, each of which waits for the GPU."""
CAPTION_S = 0.5
"""The same while no mark is drawn."""
GHOST = 150
"""Alpha of the posed preview, of 255."""
STRIP_WIDTH, MARGIN = 740, 8
"""Of the buttons, before ``px``."""
STRIP = theme.rgb("#1b1917", 205)
FAR = 100.0
"""Distance (m) from which marks are seen by a camera without perspective."""


class KitViewport:
    """Follows the active viewport, wherever there is one; call ``update`` once per update of the application."""

    def __init__(self, workbench: Workbench, ext_id: str) -> None:
        """``ext_id`` names our frame in the viewport."""
        self.model = ViewportModel(workbench, only_posed=True)
        self._workbench, self._ext_id = workbench, ext_id
        self._layer: _Layer | None = None
        self._next_search = self._drawn = -math.inf
        self._dirty = True
        self._stop_listening = self.model.changed.connect(self._mark)

    def update(self, now: float) -> None:
        """Brings the viewport up to date where that is due; ``now`` in seconds."""
        if now >= self._next_search:
            self._find_window()
            self._next_search = now + SEARCH_S
        marks = self._dirty or self.model.overlays or self.model.previewing
        if self._layer is not None and now - self._drawn >= (REDRAW_S if marks else CAPTION_S):
            self._drawn, self._dirty = now, False
            self._layer.show(self.model.look())

    def hide(self) -> None:
        """Takes everything out of the viewport, until the next ``update``."""
        self._next_search = -math.inf
        if self._layer is not None:
            self._layer.destroy()
            self._layer = None

    def destroy(self) -> None:
        """Takes everything out of the viewport and disconnects from the workbench."""
        self.hide()
        self._stop_listening()
        self.model.destroy()

    def _find_window(self) -> None:
        """Moves to the viewport in use."""
        window = get_active_viewport_window()
        if self._layer is not None and not self._layer.is_on(window):
            self.hide()
        if self._layer is None and window is not None and window.viewport_api is not None:
            self._layer = _Layer(window, self._ext_id, self._workbench, self.model)
            self._mark()

    def _mark(self) -> None:
        self._dirty = True


@dataclass(frozen=True, slots=True)
class Lens:
    """The viewport's camera; metres, Z up."""

    eye: Array
    """(3,) where it is."""
    view: Array
    """(4, 4) from the world to its frame, acting on row vectors."""
    width: float
    """What fills the width of the picture 1 m away (m)."""


def read_lens(stage: Usd.Stage | None, path: str, subject: Array) -> Lens | None:
    """The camera at ``path``; one without perspective stands far in front of ``subject`` (3,).

    None without a stage or a camera there, and on a stage with other units or axes, where we do not train.
    """
    if stage is None or UsdGeom.GetStageMetersPerUnit(stage) != 1.0 or UsdGeom.GetStageUpAxis(stage) != "Z":
        return None
    prim = stage.GetPrimAtPath(path)
    if not prim or not prim.IsA(UsdGeom.Camera):
        return None
    frustum = UsdGeom.Camera(prim).GetCamera(Usd.TimeCode.Default()).frustum
    view, eye = np.array(frustum.ComputeViewMatrix()), np.array(frustum.GetPosition())
    width = float(frustum.window.GetSize()[0])
    if frustum.projectionType == Gf.Frustum.Orthographic:
        eye = subject + FAR * view[:3, 2]
        view[3, :3] = -eye @ view[:3, :3]
        width /= FAR
    return Lens(eye, view, width)


class _Layer:
    """What we have in one viewport: the marks, the preview, the strip of buttons."""

    def __init__(self, window: Any, ext_id: str, workbench: Workbench, model: ViewportModel) -> None:
        self._window, self._model = window, model
        self._shown: tuple[Any, ...] = ()
        self._frame: ui.Frame = window.get_frame(ext_id)
        self._bars = ViewportBars(workbench, model, self._frame_robot)
        with self._frame, ui.ZStack():
            self._views = [sc.SceneView(), sc.SceneView()]
            with self._views[0].scene:
                self._ghost = MeshDrawing(GHOST)
            with self._views[1].scene:
                self._marks = SketchDrawing()
            with ui.VStack():
                ui.Spacer()
                with ui.HStack(height=0):
                    ui.Spacer()
                    self._build_strip()
                    ui.Spacer()
                ui.Spacer(height=px(MARGIN))
        for view in self._views:
            self._api.add_scene_view(view)

    def is_on(self, window: Any) -> bool:
        """Whether this is the window, and still there."""
        return self._api is not None and bool(self._window == window)

    def show(self, seen: Seen | None) -> None:
        """Draws what is seen, and the buttons' state."""
        model, width = self._model, self._frame.computed_width
        self._strip.visible = not model.idle or model.previewing
        self._strip.width = ui.Pixel(min(px(STRIP_WIDTH), width or px(STRIP_WIDTH)))
        self._bars.refresh()
        lens = self._lens(seen)
        ghost, marks = self._views
        marks.visible = lens is not None
        ghost.visible = lens is not None and model.previewing
        if seen is None or lens is None or width < 1.0:
            return
        pose = seen.snapshot.body_pose
        shown = (pose.tobytes(), lens.view.tobytes(), lens.width, width, tuple(model.overlays), model.surface)
        if shown == self._shown:
            return
        self._shown = shown
        if model.previewing and model.surface is not None:
            self._ghost.show(model.surface.seen(pose, lens.eye))
        self._marks.show(model.sketch(seen, lens.eye), lens.view, lens.width / width)

    def destroy(self) -> None:
        """Leaves the viewport as it was."""
        for view in self._views:
            view.scene.clear()
            if (api := self._api) is not None:
                api.remove_scene_view(view)
        self._frame.clear()
        release(self._bars)
        vars(self).clear()

    def _build_strip(self) -> None:
        self._strip = ui.ZStack(
            width=px(STRIP_WIDTH),
            height=0,
            style=theme.style(),
            content_clipping=True,  # the mouse works here and not on what lies below
            visible=False,
            identifier="viewport.strip",
        )
        with self._strip:
            ui.Rectangle(style={"background_color": STRIP, "border_radius": px(5)})
            with ui.VStack(height=0, spacing=px(3)):
                ui.Spacer(height=px(1))
                self._bars.build_top()
                self._bars.build_bottom()
                ui.Spacer(height=px(1))

    @property
    def _api(self) -> Any:
        """What the window shows, None once the window is gone: Kit hands out weak references to it."""
        with suppress(ReferenceError):
            return self._window.viewport_api
        return None

    def _lens(self, seen: Seen | None) -> Lens | None:
        api = self._api
        if seen is None or api is None:
            return None
        return read_lens(omni.usd.get_context().get_stage(), str(api.camera_path), seen.snapshot.body_pose[0, :3])

    def _frame_robot(self) -> None:
        """Moves Kit's camera so that the robot fills most of the picture, from the same direction."""
        seen, surface = self._model.look(), self._model.surface
        lens = self._lens(seen)
        if seen is None or lens is None or surface is None or not len(surface.points):
            return
        from isaacsim.core.rendering_manager import ViewportManager

        points = surface.placed(seen.snapshot.body_pose).astype(float)
        low, high = points.min(axis=0), points.max(axis=0)
        width, height = max(self._frame.computed_width, 1.0), self._frame.computed_height
        free = max(height - 2.0 * (self._strip.computed_height + px(2 * MARGIN)), height / 2.0)  # of the strip
        half_angle = math.atan(lens.width / 2.0 * min(free / width, 1.0))
        distance = float(np.linalg.norm(high - low)) / 2.0 / math.sin(half_angle)
        target = (low + high) / 2.0
        eye = target + distance * lens.view[:3, 2]
        ViewportManager.set_camera_view(str(self._api.camera_path), eye=eye.tolist(), target=target.tolist())
