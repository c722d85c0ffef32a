"""Reads a robot: from a name or a file to a description."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd, UsdGeom

from humanoid_rl_ext.robot.anchor import ANCHOR, add_anchor, on_rails
from humanoid_rl_ext.robot.articulation import Articulation, Frame, find_articulation
from humanoid_rl_ext.robot.bundled import ROBOTS_FOLDER
from humanoid_rl_ext.robot.defaults import Loads, default_armature, default_gains
from humanoid_rl_ext.robot.description import Body, Joint, RobotDescription, Role, Warning
from humanoid_rl_ext.robot.dofs import Dof, read_actuators, read_dofs
from humanoid_rl_ext.robot.filtering import collision_pairs, filtered_pairs
from humanoid_rl_ext.robot.findings import file_warnings, ground_warnings, joint_warnings, link_warnings
from humanoid_rl_ext.robot.kinematics import Kinematics
from humanoid_rl_ext.robot.masses import Solid, read_solid
from humanoid_rl_ext.robot.naming import repeated_names, tell_apart
from humanoid_rl_ext.robot.normalise import is_normal, units, write_normalised
from humanoid_rl_ext.robot.overlap import overlapping
from humanoid_rl_ext.robot.overrides import RobotOverrides, matching_or_error, preset_overrides
from humanoid_rl_ext.robot.roles import guess_feet, guess_hands, guess_head
from humanoid_rl_ext.robot.rotation import quat_conjugate, quat_multiply, quat_rotate
from humanoid_rl_ext.robot.series import LINK, SHARE, joint_series, put_in_series
from humanoid_rl_ext.robot.source import cached, content_key, resolve
from humanoid_rl_ext.robot.stage import open_stage, value
from humanoid_rl_ext.robot.standing import default_position, lowest_points

Array = NDArray[np.float64]
Vec = tuple[float, float, float]


def load_robot(source: str | Path, overrides: RobotOverrides | None = None) -> RobotDescription:
    """The description of a bundled robot (by name) or of the robot in a USD, MJCF (.xml) or URDF file.

    Presets of config/robots apply to the robot that has their name (file or root prim, also followed by ``_``);
    ``overrides`` go over them. Files that are not in metres with Z up, that stack joints on a body as MJCF does, whose
    joints move the robot against the world, or that give one name to several bodies or joints, are read from a
    converted copy, to which ``path`` then points. ``fixed_base: false`` takes a robot off the joints to the world.

    RobotError: missing or unreadable file, no articulation or several, unknown pattern.
    """
    name, meant, usd = resolve(source)
    stage = open_stage(usd)
    up, metre, _ = units(stage)
    freed = overrides is not None and overrides.fixed_base is False
    rails = not freed and on_rails(find_articulation(stage, str(meant)))
    if rails or not is_normal(stage) or joint_series(stage) or repeated_names(stage):
        original = stage

        def normalise(folder: Path) -> Path:
            copy = folder / f"{usd.stem}.usdc"
            write_normalised(original, copy)
            flat = open_stage(copy)
            if rails:
                add_anchor(flat, find_articulation(flat, str(meant)))
            put_in_series(flat)
            tell_apart(flat)
            flat.GetRootLayer().Save()
            return copy

        salt = ("normalised, unique names", f"links {SHARE}", "anchor" if rails else "")
        key = content_key(usd, *salt, *_layers(original))
        usd = cached(key, normalise)
        stage = open_stage(usd)
    reading = _Reading(stage, name, meant, usd, overrides)
    return replace(reading.describe(up, metre), source=str(source))


def _layers(stage: Usd.Stage) -> list[str]:
    """Contents of all layers but the root's own, so that a change in a referenced file is noticed."""
    return [
        layer.ExportToString()
        for layer in stage.GetUsedLayers()
        if layer != stage.GetRootLayer() and not layer.anonymous
    ]


class _Reading:
    """One pass over a normalised stage; bodies and joints by index in the canonical order."""

    def __init__(self, stage: Usd.Stage, name: str, meant: Path, usd: Path, overrides: RobotOverrides | None) -> None:
        self.name, self.meant, self.usd = name, meant, usd
        default = stage.GetDefaultPrim()
        given = overrides or RobotOverrides()
        known_as = [name] if usd.parent == ROBOTS_FOLDER else [name, default.GetName() if default else ""]
        preset = preset_overrides(*known_as, bundled=usd.parent == ROBOTS_FOLDER)
        asked = given.over(preset) if preset else given
        self.tree: Articulation = find_articulation(stage, str(meant), asked.roles.get("base", []))
        self.fixed_base = self.tree.fixed_base
        self.warnings: list[Warning] = list(self.tree.warnings)
        paths = [body.prim.GetPath() for body in self.tree.bodies]
        self.body_names = _unique([path.name for path in paths], paths)
        index = {path: i for i, path in enumerate(paths)}
        self.parents = [-1, *(index[edge.parent] for edge in self.tree.edges)]
        self.links = {i for i, body in enumerate(self.tree.bodies) if value(body.prim, LINK)}
        self.anchored = bool(value(self.tree.bodies[0].prim, ANCHOR))
        self.added = self.links | ({0} if self.anchored else set())
        self.positions, self.rotations, self.joint_frames = self._zero_pose()
        cache = UsdGeom.XformCache()
        self.solids: list[Solid] = [read_solid(body, cache) for body in self.tree.bodies]
        actuators = read_actuators(self.tree.root)
        edge_names = _unique(
            [edge.joint.prim.GetName() for edge in self.tree.edges],
            [edge.joint.prim.GetPath() for edge in self.tree.edges],
        )
        self.dofs: list[tuple[str, int, Dof]] = [
            (edge_names[i] + dof.suffix, i, dof)
            for i, edge in enumerate(self.tree.edges)
            for dof in read_dofs(edge.joint.prim, actuators.get(str(edge.joint.prim.GetPath())))
        ]
        self.free_swinging = self._without_motor(actuators)
        if self.meant.suffix.lower() == ".urdf":
            for _, _, dof in self.dofs:
                if dof.lower == dof.upper == 0.0:  # what the converter writes where a URDF joint gives no limits
                    dof.lower, dof.upper, dof.limits_given = -math.inf, math.inf, False
        joint_names = [joint_name for joint_name, _, _ in self.dofs]
        fitting = preset.only_matching(joint_names, self.body_names) if preset else None
        self.overrides = given.over(fitting) if fitting else given
        if self.overrides.fixed_base is not None:
            self.fixed_base = self.overrides.fixed_base

    def _without_motor(self, actuators: Collection[str]) -> set[str]:
        """Joints that swing freely: bare ones beside joints with actuators, and bare rails of a driven robot."""
        rails, body = set(), self._first_limb()
        while self.anchored and body > 0:
            rails.add(body - 1)
            body = self.parents[body]
        actuated = {i for i, edge in enumerate(self.tree.edges) if str(edge.joint.prim.GetPath()) in actuators}
        bare = {name: i for name, i, dof in self.dofs if not dof.has_drive and i not in actuated}
        any_motor = len(bare) < len(self.dofs)
        return {name for name, i in bare.items() if actuated or (any_motor and i in rails)}

    def _first_limb(self) -> int:
        """Index of the first body that the file itself has."""
        return next(i for i in range(len(self.parents)) if i not in self.added)

    def _zero_pose(self) -> tuple[Array, Array, list[Frame]]:
        """Positions (n, 3) and quaternions (n, 4) of the bodies, and the joints' world frames, all joints at zero."""
        base = self.tree.bodies[0]
        placed: dict[Sdf.Path, Frame] = {base.prim.GetPath(): (base.position, base.rotation)}
        frames: list[Frame] = []
        for edge in self.tree.edges:
            origin, turn = placed[edge.parent]
            own = edge.joint.frames[edge.child_side]
            other = edge.joint.frames[1 - edge.child_side]
            frame = origin + quat_rotate(turn, other[0]), quat_multiply(turn, other[1])
            frames.append(frame)
            back = quat_conjugate(own[1])
            quat = quat_multiply(frame[1], back)
            placed[edge.child] = frame[0] - quat_rotate(quat, own[0]), quat
        order = [body.prim.GetPath() for body in self.tree.bodies]
        return np.array([placed[p][0] for p in order]), np.array([placed[p][1] for p in order]), frames

    def describe(self, up: str, metre: float) -> RobotDescription:
        names, parents = self._limbs()
        feet = guess_feet(names, parents, self._by_ground(self._lowest(self.positions, self.rotations)), self._height())
        if self.meant.suffix.lower() == ".urdf" and self.overrides.fixed_base is None and len(feet) > 1:
            self.fixed_base = False  # URDF cannot say whether its first link floats; what has feet does
        joints = self._joints(feet)
        bodies = self._bodies()
        description = RobotDescription(
            name=self.name,
            path=str(self.usd),
            root=str(self.tree.root.GetPath()),
            articulation_root=bodies[0].path,
            up_axis=cast("Role", up),  # type: ignore[arg-type]
            meters_per_unit=metre,
            fixed_base=self.fixed_base,
            joints=tuple(joints),
            bodies=tuple(bodies),
            standing_height=0.0,
            standing_rotation=_quat(self.rotations[0]),
        )
        return self._stand(description, up, metre)

    def _stand(self, description: RobotDescription, up: str, metre: float) -> RobotDescription:
        kinematics = Kinematics(description)
        positions, quats = kinematics.body_poses(self.positions[0], self.rotations[0], kinematics.default_positions)
        lowest = lowest_points([solid.shapes for solid in self.solids], positions, quats)
        height = float(self.positions[0][2])
        if not self.fixed_base and lowest:
            height -= min(lowest.values())
        if self.overrides.standing_height is not None:
            height = self.overrides.standing_height
        named = {self.body_names[i]: low for i, low in lowest.items()}
        roles = self._roles(named)
        bodies = tuple(replace(body, roles=tuple(roles[body.name])) for body in description.bodies)
        filtered = filtered_pairs([body.prim for body in self.tree.bodies])
        pairs = collision_pairs(self.parents, [bool(solid.shapes) for solid in self.solids], filtered)
        clashing = overlapping(pairs, [solid.shapes for solid in self.solids], positions, quats)
        free = [pair for pair in pairs if pair not in set(clashing)]
        clashes = [(self.body_names[a], self.body_names[b]) for a, b in clashing]
        return replace(
            description,
            bodies=bodies,
            standing_height=height,
            self_collision_pairs=tuple((self.body_names[a], self.body_names[b]) for a, b in free),
            warnings=(
                *self.warnings,
                *file_warnings(up, metre, self.solids, self.body_names, clashes, self.tree, self.fixed_base, roles),
                *link_warnings([self.body_names[i] for i in sorted(self.links)]),
                *(ground_warnings(named) if self.fixed_base else []),
            ),
        )

    def _joints(self, feet: list[str]) -> list[Joint]:
        foot_index = [self.body_names.index(name) for name in feet]
        loads = Loads(self.parents, self.positions, self.rotations, [s.properties for s in self.solids], foot_index)
        legged = not self.fixed_base and len(feet) > 1
        joints: list[Joint] = []
        estimated: list[str] = []
        driveless: list[str] = []
        gainless: list[str] = []
        for name, edge_index, dof in self.dofs:
            edge, (anchor, turn) = self.tree.edges[edge_index], self.joint_frames[edge_index]
            child = edge_index + 1
            sign = 1.0 if edge.child_side == 1 else -1.0
            axis = quat_rotate(turn, dof.axis) * sign
            turns = dof.type == "revolute"
            effort = dof.effort_limit
            if name in self.free_swinging:
                effort = 0.0
            elif effort is None:
                effort = float(f"{loads.effort(child, anchor, turns):.3g}")
                estimated.append(name)
            armature = dof.armature
            if armature is None:
                armature = default_armature(effort) if turns and effort and dof.effort_limit is not None else 0.0
            stiffness, damping = dof.stiffness or 0.0, dof.damping or 0.0
            if name in self.free_swinging:
                stiffness = damping = 0.0
            elif not dof.has_drive or (legged and stiffness == 0.0 and damping == 0.0):
                (gainless if dof.has_drive else driveless).append(name)
                inertia = armature + loads.inertia(child, axis, anchor, turns)
                stiffness, damping = (float(f"{gain:.3g}") for gain in default_gains(inertia, effort))
            joints.append(
                Joint(
                    name=name,
                    path=self._relative(edge.joint.prim.GetPath()),
                    type=dof.type,
                    axis=_vec(axis),
                    drive=dof.drive,
                    parent=self.body_names[self.parents[child]],
                    child=self.body_names[child],
                    lower=dof.lower,
                    upper=dof.upper,
                    stiffness=stiffness,
                    damping=damping,
                    effort_limit=effort,
                    velocity_limit=math.inf if dof.velocity_limit is None else dof.velocity_limit,
                    armature=armature,
                    friction=dof.friction or 0.0,
                    passive_damping=float(f"{dof.passive_damping or 0.0:.6g}"),
                    friction_coefficient=dof.friction_coefficient or 0.0,
                    default=default_position(dof.lower, dof.upper, dof.target),
                    anchor=_vec(anchor),
                )
            )
        names = [joint.name for joint in joints]
        joints, said = self._overridden(joints)
        self.warnings += joint_warnings(
            joints,
            [dof for _, _, dof in self.dofs],
            effort=[name for name in estimated if "effort_limit" not in said[name]],
            driveless=[name for name in driveless if "stiffness" not in said[name]],
            gainless=[name for name in gainless if "stiffness" not in said[name]],
            free_swinging=[name for name in names if name in self.free_swinging and "effort_limit" not in said[name]],
        )
        return joints

    def _overridden(self, joints: list[Joint]) -> tuple[list[Joint], dict[str, set[str]]]:
        """The joints with the overrides laid over them, and which settings each joint was given."""
        names = [joint.name for joint in joints]
        by_name = {joint.name: joint for joint in joints}
        said: dict[str, set[str]] = {name: set() for name in names}
        for pattern, settings in self.overrides.joints.items():
            given = settings.model_dump(exclude_none=True)
            for name in matching_or_error(pattern, names, "joint", self.name):
                by_name[name] = replace(by_name[name], **given)
                said[name] |= set(given)
        result = []
        for joint in by_name.values():
            if said[joint.name] & {"lower", "upper"} and "default" not in said[joint.name]:
                joint = replace(joint, default=default_position(joint.lower, joint.upper, joint.default))
            result.append(replace(joint, default=min(max(joint.default, joint.lower), joint.upper)))
        return result, said

    def _bodies(self) -> list[Body]:
        bodies = []
        for i, (prim, solid) in enumerate(zip(self.tree.bodies, self.solids, strict=True)):
            inertia = solid.properties.inertia
            bodies.append(
                Body(
                    name=self.body_names[i],
                    path=self._relative(prim.prim.GetPath()),
                    mass=float(solid.properties.mass),
                    parent=self.body_names[self.parents[i]] if i else None,
                    position=_vec(self.positions[i]),
                    rotation=_quat(self.rotations[i]),
                    com=_vec(solid.properties.com),
                    inertia=tuple(float(inertia[a, b]) for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))),  # type: ignore[arg-type]
                )
            )
        return bodies

    def _roles(self, lowest: dict[str, float]) -> dict[str, list[Role]]:
        names, parents = self._limbs()
        guessed: dict[Role, list[str]] = {
            "base": [self.body_names[self._first_limb()]],
            "foot": guess_feet(names, parents, self._by_ground(lowest), self._height()),
            "hand": guess_hands(names, parents),
            "head": guess_head(names),
        }
        for role, patterns in self.overrides.roles.items():
            if role == "base":
                continue
            chosen = {n for p in patterns for n in matching_or_error(p, names, "body", self.name)}
            guessed[role] = [name for name in self.body_names if name in chosen]
        if self.fixed_base and not self.anchored and "foot" not in self.overrides.roles:
            guessed["foot"] = []
        return {name: [role for role, members in guessed.items() if name in members] for name in self.body_names}

    def _limbs(self) -> tuple[list[str], list[str | None]]:
        """Names of the bodies that may play a role and of the nearest such bodies above them: all but added ones."""
        names: list[str] = []
        above: list[str | None] = []
        for body, parent in enumerate(self.parents):
            if body in self.added:
                continue
            while parent in self.added:
                parent = self.parents[parent]
            names.append(self.body_names[body])
            above.append(self.body_names[parent] if parent >= 0 else None)
        return names, above

    def _lowest(self, positions: Array, rotations: Array) -> dict[str, float]:
        found = lowest_points([solid.shapes for solid in self.solids], positions, rotations)
        return {self.body_names[i]: low for i, low in found.items()}

    def _by_ground(self, lowest: dict[str, float]) -> dict[str, float]:
        """Lowest points by which feet may be guessed: none on rails, where the ground need not be under the robot."""
        return {} if self.anchored else lowest

    def _height(self) -> float:
        return float(np.ptp(self.positions[:, 2])) or 1.0

    def _relative(self, path: Sdf.Path) -> str:
        root = self.tree.root.GetPath()
        return "" if path == root else str(path.MakeRelativePath(root))


def _unique(names: list[str], paths: list[Sdf.Path]) -> list[str]:
    """The names, those that occur twice with their parent prim's name in front (more of the path if need be)."""
    result = list(names)
    for depth in range(2, 12):
        twice = {name for name in result if result.count(name) > 1}
        if not twice:
            break
        result = [
            "_".join(p.name for p in path.GetPrefixes()[-depth:]) if name in twice else name
            for name, path in zip(result, paths, strict=True)
        ]
    return result


def _vec(array: Array) -> Vec:
    x, y, z = (float(number) + 0.0 for number in array)
    return x, y, z


def _quat(array: Array) -> tuple[float, float, float, float]:
    x, y, z, w = (float(number) + 0.0 for number in array)
    return x, y, z, w
