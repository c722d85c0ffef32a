"""The robot of the draft: which one it is, what is known about it, and what can be mended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from humanoid_rl_ext.errors import HumanoidRLError, RobotError, TaskError
from humanoid_rl_ext.robot import bundled_robots, load_robot
from humanoid_rl_ext.robot.description import RobotDescription, Role, Warning
from humanoid_rl_ext.robot.fixes import Fix, find_fix
from humanoid_rl_ext.robot.library import LIBRARY, LibraryRobot, is_url, library_url, save_url
from humanoid_rl_ext.ui.robot.bodies import BodyTable
from humanoid_rl_ext.ui.robot.joints import JointTable
from humanoid_rl_ext.ui.robot.preview import PosedView, Preview
from humanoid_rl_ext.ui.signal import Signal
from humanoid_rl_ext.ui.workbench import Workbench

SUFFIXES = (".usd", ".usda", ".usdc", ".usdz", ".xml", ".urdf")
MOST_RECENT = 8


class RobotModel:
    """What the Robot section shows and does, without a widget."""

    def __init__(self, workbench: Workbench, viewport: PosedView) -> None:
        self.workbench = workbench
        self.table = JointTable(workbench)
        self.bodies = BodyTable(workbench)
        self.preview = Preview(workbench, viewport, self.table)
        self.reading = "" if workbench.robot is not None else workbench.draft.task.robot.source
        """What is being read in the background; empty when nothing is."""
        self.error = ""
        """Why the last robot or edit could not be used; empty when all is well."""
        self.changed: Signal[()] = Signal()
        """Something other than a joint's value is to be shown anew."""
        self.values_changed: Signal[()] = Signal()
        """Values in the tables are to be shown anew; rows and columns are the same."""
        self._edit_failed = False
        self._shown: RobotDescription | None = workbench.robot
        self._disconnect = [
            workbench.draft_changed.connect(self._on_draft),
            workbench.robot_changed.connect(self._on_robot),
            workbench.state_changed.connect(self._on_state),
            workbench.message_changed.connect(self._on_message),
        ]

    @property
    def source(self) -> str:
        """The draft's robot: a bundled one's name or a file."""
        return self.workbench.draft.task.robot.source

    @property
    def bundled(self) -> list[str]:
        """Names of the robots that come with the project."""
        return bundled_robots()

    @property
    def library(self) -> dict[str, LibraryRobot]:
        """Robots of the asset library by name; none where the host has no stage."""
        return LIBRARY if self.has_stage else {}

    @property
    def has_stage(self) -> bool:
        """Whether robots can be taken from the host's stage and its asset library."""
        return self.workbench.host.stage_access is not None

    @property
    def recent(self) -> list[str]:
        """Robot files used lately that still exist, the last one first."""
        kept = self.workbench.host.setting("recent_robots", [])
        return [path for path in kept if isinstance(path, str) and Path(path).is_file()][:MOST_RECENT]

    @property
    def waits(self) -> bool:
        """Whether edits wait for the next run, because one is at work."""
        return self.workbench.session is not None or self.workbench.state == "starting"

    @property
    def can_undo(self) -> bool:
        """Whether the edit that led to the error can be taken back."""
        undoable = self.workbench.undoable
        return bool(self.error and self._edit_failed and undoable and undoable[-1].path.partition(".")[0] == "robot")

    def summary(self) -> list[tuple[str, str]]:
        """The robot in a few figures, each with its name."""
        robot = self.workbench.robot
        if robot is None:
            return []
        stance = "fixed to the world" if robot.fixed_base else f"{robot.standing_height:.3g} m up"
        return [
            ("Mass", f"{robot.total_mass:.4g} kg"),
            ("Joints", str(len(robot.joints))),
            ("Bodies", str(len(robot.bodies))),
            ("Base", f"{robot.base}, {stance}"),
        ]

    def warnings(self) -> list[tuple[Warning, Fix | None]]:
        """What the robot's file leaves open, each with its way out, if there is one."""
        robot = self.workbench.robot
        return [(warning, find_fix(warning)) for warning in robot.warnings] if robot is not None else []

    def fix(self, warning: Warning) -> None:
        """Mends a warning by edits of the task; ``error`` says why that cannot be."""
        found, robot = find_fix(warning), self.workbench.robot
        if found is not None and robot is not None:
            for path, value in found.edits(warning, robot, self.workbench.draft.task.robot.overrides):
                self.attempt(partial(self.workbench.edit, path, value))

    def toggle_role(self, body: str, role: Role) -> None:
        """Gives a body a role or takes it away; ``error`` says why that cannot be."""
        self.attempt(lambda: self.bodies.toggle(body, role))

    def choose(self, source: str) -> None:
        """Takes another robot once it has been read; one that cannot be used is refused and the present one stays."""
        source = source.strip()
        if not source:
            return
        if is_url(source):
            self._read(source, lambda: str(save_url(source)))
            return
        if Path(source).suffix:
            source = str(Path(source).expanduser().absolute())
        if source != self.source:
            self._read(source, lambda: source)
        else:
            self.error = self.reading = ""
            self.changed.emit()

    def use_selection(self) -> None:
        """Takes the robot that is selected in the host's stage, as it is now."""
        access = self.workbench.host.stage_access
        if access is None:
            return
        from humanoid_rl_ext.robot.from_stage import save_robot

        selected = access.selection()
        try:
            if len(selected) > 1:
                raise RobotError(f"{len(selected)} prims are selected in the stage: select one")
            path = save_robot(access.stage(), selected[0] if selected else "")
        except HumanoidRLError as error:
            self._fail(str(error))
        else:
            self.choose(str(path))

    def use_library(self, name: str) -> None:
        """Takes a robot of the asset library once it has been fetched."""
        access = self.workbench.host.stage_access
        if access is not None:
            self._read(name, lambda: str(save_url(library_url(name, access.asset_root()))))

    def browse(self) -> None:
        """Asks for a robot file."""
        self.workbench.host.pick_file("Choose a robot", SUFFIXES, lambda path: self.choose(str(path)))

    def undo(self) -> None:
        """Takes back the edit that led to the error."""
        if self.can_undo:
            self.workbench.undo()

    def attempt(self, edit: Callable[[], None]) -> None:
        """Makes an edit; ``error`` says why it cannot be."""
        try:
            edit()
        except TaskError as error:
            self._fail(str(error))

    def destroy(self) -> None:
        """Listens no longer."""
        for disconnect in self._disconnect:
            disconnect()

    def _read(self, shown: str, find: Callable[[], str]) -> None:
        """Takes the robot that ``find`` names once it has been read; it runs in the background."""
        self.error, self.reading = "", shown
        self.changed.emit()

        def read() -> str:
            source = find()
            load_robot(source)
            return source

        def taken(source: str) -> None:
            if self.reading != shown:
                return
            if source != self.source:
                self.attempt(lambda: self.workbench.set_robot(source))
            else:
                self.reading = ""
                self.changed.emit()

        def refused(error: Exception) -> None:
            if self.reading == shown:
                self.reading = ""
                self._fail(str(error) if isinstance(error, HumanoidRLError) else f"{shown}: {error}")

        self.workbench.background.run(read, taken, refused)

    def _fail(self, text: str, edit: bool = False) -> None:
        self._edit_failed = edit
        self.error = " ".join(text.split())
        self.changed.emit()

    def _on_draft(self, path: str) -> None:
        if path == "" or path.partition(".")[0] == "robot":
            self.reading, self.error = self.source, ""
            self.changed.emit()

    def _on_robot(self) -> None:
        robot, before = self.workbench.robot, self._shown
        self.reading, self.error, self._shown = "", "", robot
        if robot is not None and robot.source not in self.bundled:
            self._remember(robot.source)
        same = before is not None and robot is not None and before.joint_names == robot.joint_names
        if not same:
            self.table.filter("")
        self.preview.follow()
        self.changed.emit()
        self.values_changed.emit()

    def _on_state(self) -> None:
        if not self.preview.enabled:
            self.preview.stand()
        self.changed.emit()
        self.values_changed.emit()

    def _on_message(self) -> None:
        message = self.workbench.message
        if self.reading == self.source and message.kind == "error" and self.workbench.state != "starting":
            self.reading = ""
            self._fail(message.text, edit=True)

    def _remember(self, source: str) -> None:
        path = str(Path(source).absolute())
        rest = [other for other in self.recent if other != path]
        if [path, *rest] != self.recent:
            self.workbench.host.remember("recent_robots", [path, *rest][:MOST_RECENT])
