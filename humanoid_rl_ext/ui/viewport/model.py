"""What the viewport shows: which environment or a preview, from where, with which overlays. No omni.ui here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.env.snapshot import Snapshot
from humanoid_rl_ext.robot.kinematics import Kinematics
from humanoid_rl_ext.ui.signal import Signal
from humanoid_rl_ext.ui.viewport.camera import Camera
from humanoid_rl_ext.ui.viewport.ground import GroundPatch
from humanoid_rl_ext.ui.viewport.overlays import OVERLAYS, Anatomy, Seen, Trail
from humanoid_rl_ext.ui.viewport.shapes import Surface
from humanoid_rl_ext.ui.viewport.sketch import Sketch
from humanoid_rl_ext.ui.workbench import Workbench

if TYPE_CHECKING:
    from humanoid_rl_ext.env.vec_env import VecEnv
    from humanoid_rl_ext.robot.description import RobotDescription
    from humanoid_rl_ext.robot.visuals import Visual

Array = NDArray[np.float64]

SPEEDS = {"Full speed": 1.0, "1/2 speed": 0.5, "1/4 speed": 0.25, "1/10 speed": 0.1}
FOLLOW_SHARE = 0.35
"""Share of the way to the robot that the camera makes up in one frame, so that it does not shake with every step."""
JUMP = 1.0
"""From this distance (m) on the camera goes to the robot at once: another environment, or a reset."""


class ViewportModel:
    """The state of the viewport; ``look`` once per drawn frame."""

    def __init__(self, workbench: Workbench, only_posed: bool = False) -> None:
        self.workbench = workbench
        self.only_posed = only_posed
        """Whether a preview is shown only while joints are posed, where somebody else draws what stands there."""
        self.camera = Camera()
        self.aspect = 16 / 9
        """Width of the view over its height."""
        self.follow = True
        """Whether the camera moves with the robot."""
        self.overlays: set[str] = set()
        """The overlays that are on, names of ``OVERLAYS``."""
        self.chosen: int | None = None
        """The environment that is shown (the engine's row); None for the watched one."""
        self.preview_joints: dict[str, float] = {}
        """Joint positions (rad, m) of the preview where they differ from the standing pose."""
        self.surface: Surface | None = None
        """The shown robot's shape, once it has been read."""
        self.seen: Seen | None = None
        """What was last looked at."""
        self.changed: Signal[()] = Signal()
        """Something was chosen, switched or posed: the view has to be drawn anew."""
        self._robot: RobotDescription | None = None
        self._reading: RobotDescription | None = None
        self._visuals: list[Visual] = []
        self._anatomy: Anatomy | None = None
        self._kinematics: Kinematics | None = None
        self._trail = Trail()
        self._ground: GroundPatch | None = None
        self._followed: Array | None = None
        self._pose: Array | None = None
        self._stop_listening = [
            workbench.state_changed.connect(self._work_changed),
            workbench.robot_changed.connect(self.changed.emit),
        ]

    def destroy(self) -> None:
        """Disconnects from the workbench."""
        for stop in self._stop_listening:
            stop()

    # What there is to see

    @property
    def work(self) -> Any:
        """The session or player whose robots are shown; None for the preview, and for a task without our engine."""
        work = self.workbench.session or self.workbench.player
        return work if work is not None and hasattr(work.env, "engine") else None

    @property
    def env(self) -> VecEnv | None:
        """The environments that are shown."""
        work = self.work
        return work.env if work is not None else None

    @property
    def idle(self) -> bool:
        """Whether nothing is trained or played."""
        return self.workbench.session is None and self.workbench.player is None

    @property
    def previewing(self) -> bool:
        """Whether the robot that is shown is a preview."""
        if self.only_posed:
            return self.idle and bool(self.preview_joints)
        return self.env is None

    @property
    def robot(self) -> RobotDescription | None:
        """The robot that is shown: the one at work, else the draft's."""
        env = self.env
        return env.engine.robot if env is not None else self.workbench.robot

    @property
    def ground(self) -> GroundPatch | None:
        """The terrain that the shown robot stands on; None where the ground is flat."""
        env = self.env
        terrain = env.engine.settings.terrain if env is not None else None
        if terrain is None:
            self._ground = None
        elif self._ground is None or self._ground.terrain is not terrain:
            self._ground = GroundPatch(terrain)
        return self._ground

    @property
    def num_envs(self) -> int:
        """Environments that can be shown, reserved ones included; 0 for the preview."""
        env = self.env
        return env.engine.num_envs if env is not None else 0

    @property
    def index(self) -> int:
        """The environment that is shown."""
        watched = self.work.watched_env if self.work is not None else 0
        return watched if self.chosen is None else min(self.chosen, max(self.num_envs - 1, 0))

    def choose(self, index: int | None) -> None:
        """Shows an environment, kept within those there are; None for the watched one."""
        self.chosen = None if index is None else min(max(index, 0), max(self.num_envs - 1, 0))
        self._trail = Trail()
        self.changed.emit()

    @property
    def caption(self) -> str:
        """One line about what is seen."""
        if self.env is None and not self.previewing:
            return ""
        if self.robot is None or self.surface is None:
            return "reading the robot"
        env = self.env
        if env is None or self.seen is None:
            return f"{self.robot.name}, preview without physics"
        at = f"t {self.seen.snapshot.time:.1f} s"
        if self.index >= env.num_envs:
            return f"watched environment, {at}"
        return f"environment {self.index} of {env.num_envs}, training policy, {at}"

    # What the user does

    def toggle_overlay(self, name: str) -> bool:
        """Switches an overlay; whether it is on now."""
        self.overlays ^= {name}
        self.changed.emit()
        return name in self.overlays

    def set_follow(self, follow: bool) -> None:
        """Lets the camera move with the robot, or stay."""
        self.follow = follow
        self.changed.emit()

    def frame(self) -> None:
        """Moves the camera so that the robot fills most of the view."""
        if self.surface is not None and self.seen is not None and len(self.surface.points):
            self.camera.frame(self.surface.placed(self.seen.snapshot.body_pose), self.aspect)
            self.changed.emit()

    def set_preview_joint(self, name: str, value: float) -> None:
        """Poses one joint of the preview (rad or m)."""
        self.preview_joints[name] = value
        self._pose = None
        self.changed.emit()

    def clear_preview(self) -> None:
        """Puts the preview back into the standing pose."""
        self.preview_joints.clear()
        self._pose = None
        self.changed.emit()

    @property
    def paused(self) -> bool:
        """Whether what is shown is held."""
        work = self.workbench.session or self.workbench.player
        return work is not None and work.paused

    def pause_or_resume(self) -> None:
        """Holds what is shown, or lets it go on."""
        if self.paused:
            self.workbench.resume()
        else:
            self.workbench.pause()

    def set_speed(self, share: float) -> None:
        """Lets robots move at a share of real time; 1 is as fast as training goes, or real time for a player."""
        self.workbench.slow_motion = share

    # Looking

    def look(self) -> Seen | None:
        """The state to be drawn now, the camera moved along; None with nothing to show, as before its shape is read."""
        robot = self.robot
        if robot is None or (self.env is None and not self.previewing):
            return None
        if robot is not self._robot:
            if self._has_shape_of(robot):
                self._adopt(robot)
            elif robot is not self._reading:
                self._read(robot)
        if self._anatomy is None or robot is not self._robot:
            return None
        env = self.env
        snapshot = self._preview(robot) if env is None else self._snapshot(env)
        if not np.isfinite(snapshot.body_pose).all():
            return self.seen
        if env is not None and "trajectory" in self.overlays:
            self._trail.add(snapshot.time, snapshot.body_pose[self._anatomy.feet, :3])
        self._follow(snapshot.body_pose[0, :3])
        first, self.seen = self.seen is None, Seen(self._anatomy, snapshot, self._trail)
        if first:
            self.frame()
        return self.seen

    def sketch(self, seen: Seen, eye: Array) -> Sketch:
        """The marks of all overlays that are on, for a camera at ``eye`` (3,)."""
        sketch = Sketch(eye)
        for name, overlay in OVERLAYS.items():
            if name in self.overlays:
                overlay.draw(sketch, seen)
        return sketch

    def _snapshot(self, env: VecEnv) -> Snapshot:
        from humanoid_rl_ext.env.snapshot import take_snapshot

        return take_snapshot(env, self.index, self.overlays)

    def _preview(self, robot: RobotDescription) -> Snapshot:
        if self._pose is None:
            assert self._kinematics is not None
            joints = [self.preview_joints.get(joint.name, joint.default) for joint in robot.joints]
            base = [*robot.bodies[0].position[:2], robot.standing_height]
            positions, quats = self._kinematics.body_poses(base, robot.standing_rotation, joints)
            self._pose = np.concatenate([positions, quats], axis=1)
        return Snapshot(self._pose, np.zeros(3))

    def _follow(self, base: Array) -> None:
        """Moves the camera along with the ground under the base (3,); to another environment in any case."""
        ground = self.ground
        place = np.array([base[0], base[1], 0.0 if ground is None else ground.height_at(base)])
        if self._followed is None:
            self._followed = place.copy()
            return
        gap = place - self._followed
        far = float(np.linalg.norm(gap[:2])) > JUMP
        if far or self.follow:
            move = gap if far else FOLLOW_SHARE * gap
            self._followed = self._followed + move
            self.camera.target = self.camera.target + move

    def _read(self, robot: RobotDescription) -> None:
        self._reading = robot
        self.workbench.background.run(
            lambda: _read_shape(robot),
            lambda read: self._take(robot, *read),
            lambda error: self.workbench.say(f"The robot cannot be drawn: {error}", "warning"),
        )

    def _take(self, robot: RobotDescription, visuals: list[Visual], surface: Surface) -> None:
        if robot is self._reading:
            self._visuals, self.surface, self._reading = visuals, surface, None
            self.seen = self._followed = None
            self._adopt(robot)
            self.changed.emit()

    def _adopt(self, robot: RobotDescription) -> None:
        """Takes over the joints and roles of a robot whose shape is known."""
        self._robot = robot
        self._anatomy, self._kinematics = Anatomy(robot, self._visuals), Kinematics(robot)
        self._pose, self._trail = None, Trail()

    def _has_shape_of(self, robot: RobotDescription) -> bool:
        known = self._robot
        return known is not None and known.path == robot.path and known.body_names == robot.body_names

    def _work_changed(self) -> None:
        self._trail = Trail()
        self.changed.emit()


def _read_shape(robot: RobotDescription) -> tuple[list[Visual], Surface]:
    from humanoid_rl_ext.robot.visuals import read_visuals

    visuals = read_visuals(robot)
    return visuals, Surface(visuals)
