"""A robot of an open stage as a file of its own, so that a run can be started again without the stage."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade

from humanoid_rl_ext.errors import RobotError
from humanoid_rl_ext.robot.normalise import units
from humanoid_rl_ext.robot.source import cached
from humanoid_rl_ext.robot.stage import is_body, is_collider, pose_and_scale, prims, targets, value

BINDING = "material:binding"
NAMED = 8
"""So many robots are named where one has to be selected."""
Paths = frozenset[Sdf.Path]
Frame = tuple[Gf.Vec3d, Gf.Quatd]


def save_robot(stage: Usd.Stage | None, prim_path: str) -> Path:
    """The file, in the cache, of the robot that the prim is, belongs to or holds; nothing of the stage changes.

    The robot is taken as it is composed and posed now: references, variants, payloads and the session layer's
    opinions included. It stands over the file's origin with the height, rotation and scale that it has in the world;
    units and up axis are the stage's. What it refers to outside itself is left out, but for its materials, its joints,
    and what its joints hold on to, which becomes the world. The file is named after the robot's prim and its content.

    RobotError: no stage, nothing selected, no such prim, no articulation there, or several.
    """
    physics, found = _find(stage, prim_path)
    layer = _file_of(physics.stage, found, physics)
    digest = hashlib.sha256(layer.ExportToString().encode()).hexdigest()[:16]

    def write(folder: Path) -> Path:
        path = folder / f"{layer.defaultPrim}.usdc"
        layer.Export(str(path))
        return path

    return cached(f"{layer.defaultPrim}-{digest}", write)


def find_robot(stage: Usd.Stage | None, prim_path: str) -> str:
    """Path of the robot that the prim is, belongs to or holds, its own prim; raises RobotError as ``save_robot``."""
    return str(_find(stage, prim_path)[1].root)


def _find(stage: Usd.Stage | None, prim_path: str) -> tuple[_Physics, _Articulation]:
    if stage is None:
        raise RobotError("no stage is open: open one and select a robot in it")
    if not prim_path:
        raise RobotError("nothing is selected: select a robot, or any part of it, in the stage")
    prim = stage.GetPrimAtPath(prim_path) if Sdf.Path.IsValidPathString(prim_path) else None
    if not prim:
        raise RobotError(f"{prim_path}: the stage has no such prim")
    physics = _Physics(stage)
    return physics, physics.articulation_at(prim.GetPath())


@dataclass(slots=True)
class _Articulation:
    """One robot: its bodies, the joints that hold them, the prims that ArticulationRootAPI marks, and its own prim."""

    bodies: Paths
    joints: Paths
    marks: set[Sdf.Path] = field(default_factory=set)
    root: Sdf.Path = Sdf.Path.emptyPath


class _Physics:
    """The articulations of a stage, from one pass over it."""

    def __init__(self, stage: Usd.Stage) -> None:
        self.stage = stage
        everything = list(prims(stage.GetPseudoRoot()))
        self._bodies = sorted(prim.GetPath() for prim in everything if is_body(prim))
        self._body_set = frozenset(self._bodies)
        solid = [*self._bodies, *(prim.GetPath() for prim in everything if is_collider(prim))]
        self._solid_below = Counter(prefix for path in solid for prefix in path.GetPrefixes())
        self._solid_of = Counter(self._owner(path.GetPrefixes()) for path in solid)
        self.joints = [prim for prim in everything if prim.IsA(UsdPhysics.Joint)]
        self._sides = {
            joint.GetPath(): self._tied(joint)
            for joint in self.joints
            if not value(joint, "physics:excludeFromArticulation") and value(joint, "physics:jointEnabled") is not False
        }
        marked = [prim.GetPath() for prim in everything if prim.HasAPI(UsdPhysics.ArticulationRootAPI)]
        self.articulations = self._read(marked)
        for articulation in self.articulations:
            articulation.root = self._root(articulation)

    def articulation_at(self, path: Sdf.Path) -> _Articulation:
        """The articulation that a prim is part of, else the only one that it holds."""
        found = [one for one in self.articulations if path.HasPrefix(one.root) or path in one.joints]
        found = found or [one for one in self.articulations if one.root.HasPrefix(path)]
        if not found:
            raise RobotError(
                f"{path}: no articulation here; select a robot, a part of it or a prim that holds exactly one "
                "(a robot has PhysicsArticulationRootAPI on its base body or root prim)"
            )
        if len(found) > 1:
            names = [str(one.root) for one in found[:NAMED]] + (["..."] if len(found) > NAMED else [])
            raise RobotError(f"{path}: holds {len(found)} articulations ({', '.join(names)}); select one of them")
        [one] = found
        others = [other for other in self.articulations if other is not one and other.root.HasPrefix(one.root)]
        if one.root == Sdf.Path.absoluteRootPath or others:
            parts = sorted(map(str, one.bodies))
            raise RobotError(
                f"{path}: the robot's parts ({parts[0]}, {parts[-1]}) have no prim of their own in common; "
                "put bodies and joints under one root prim"
            )
        return one

    def _tied(self, joint: Usd.Prim) -> list[Sdf.Path]:
        """The bodies that a joint holds."""
        owners = (
            self._owner(path.GetPrefixes()[::-1])
            for side in (0, 1)
            for path in targets(joint, f"physics:body{side}")[:1]
        )
        return [owner for owner in owners if owner is not None]

    def _owner(self, paths: Iterable[Sdf.Path]) -> Sdf.Path | None:
        """The first of the paths that is a body."""
        return next((path for path in paths if path in self._body_set), None)

    def _read(self, marked: Iterable[Sdf.Path]) -> list[_Articulation]:
        """One articulation for each set of bodies that joints tie together and that a prim marks."""
        islands: dict[Sdf.Path, Paths] = {body: frozenset([body]) for body in self._bodies}
        joints: dict[Sdf.Path, set[Sdf.Path]] = {}
        for joint, ends in self._sides.items():
            merged = frozenset().union(*(islands[body] for body in ends))
            islands.update(dict.fromkeys(merged, merged))
            for body in ends:
                joints.setdefault(body, set()).add(joint)
        found: dict[Paths, _Articulation] = {}
        for path in marked:
            if path in self._sides:
                starts = self._sides[path]
            else:
                below = self._bodies[Sdf.Path.FindPrefixedRange(self._bodies, path)]
                starts = [path] if path in self._body_set else below
            if starts:
                group = max((islands[body] for body in starts), key=len)
                holding = frozenset(joint for body in group for joint in joints.get(body, ()))
                found.setdefault(group, _Articulation(group, holding)).marks.add(path)
        return list(found.values())

    def _root(self, articulation: _Articulation) -> Sdf.Path:
        """The robot's own prim: what all its parts have in common; above that its asset, or what holds a base link that
        holds the others. It has no bodies or colliders of others in it."""
        own = sum(self._solid_of[body] for body in articulation.bodies)

        def alone(path: Sdf.Path) -> bool:
            return path != Sdf.Path.absoluteRootPath and self._solid_below[path] == own

        root = _common(articulation.bodies | (articulation.marks - articulation.joints))
        wider = _common([root, *articulation.joints])
        if alone(wider):
            root = wider
        if root in self._body_set and alone(root.GetParentPath()):
            root = root.GetParentPath()
        for path in reversed(root.GetPrefixes()):
            prim = self.stage.GetPrimAtPath(path)
            if (prim.HasAuthoredReferences() or prim.HasAuthoredPayloads()) and alone(path):
                return path
        return root


def _common(paths: Iterable[Sdf.Path]) -> Sdf.Path:
    first, *rest = sorted(paths)
    for path in rest:
        first = first.GetCommonPrefix(path)
    return first


def _file_of(stage: Usd.Stage, articulation: _Articulation, physics: _Physics) -> Sdf.Layer:
    """The robot alone in a layer in memory, its prim as the default prim."""
    root = articulation.root
    up, metre, kilogram = units(stage)
    cache = UsdGeom.XformCache()
    world = cache.GetLocalToWorldTransform(stage.GetPrimAtPath(root))
    aside = world.ExtractTranslation()
    aside["XYZ".index(up)] = 0.0
    held = {
        (joint.GetPath(), side): (frame[0] - aside, frame[1])
        for joint in physics.joints
        if joint.GetPath().HasPrefix(root) or joint.GetPath() in articulation.joints
        for side in (0, 1)
        if (frame := _world_side(joint, side, root, cache)) is not None
    }
    outside = sorted(path for path in articulation.joints if not path.HasPrefix(root))
    flat = Usd.Stage.Open(_composed(stage, [root, *outside]))
    robot = flat.GetPrimAtPath(root)
    _inherit_bindings(robot)
    for (path, side), frame in held.items():
        _hold(flat.GetPrimAtPath(path), side, frame)
    _take_along(flat, root, outside)
    _cut_loose(robot)
    layer = Sdf.Layer.CreateAnonymous(".usda")
    Sdf.CopySpec(flat.GetRootLayer(), root, layer, Sdf.Path.absoluteRootPath.AppendChild(root.name))
    file = Usd.Stage.Open(layer)
    prim = file.GetPrimAtPath(f"/{root.name}")
    if not prim.IsA(UsdGeom.Xformable):
        prim.SetTypeName("Xform")
    UsdGeom.Xformable(prim).MakeMatrixXform().Set(world.SetTranslateOnly(world.ExtractTranslation() - aside))
    file.SetDefaultPrim(prim)
    UsdGeom.SetStageUpAxis(file, up)
    UsdGeom.SetStageMetersPerUnit(file, metre)
    UsdPhysics.SetStageKilogramsPerUnit(file, kilogram)
    return layer


def _composed(stage: Usd.Stage, paths: list[Sdf.Path]) -> Sdf.Layer:
    """The prims at the paths, their ancestors and what materials they need, flattened, without instances.

    They are composed on a stage of their own over the same layers, with a session layer of its own over the stage's.
    """
    above, session = Sdf.Layer.CreateAnonymous(), stage.GetSessionLayer()
    if session:
        above.subLayerPaths.append(session.identifier)
    mask = Usd.StagePopulationMask(paths)
    part = Usd.Stage.OpenMasked(stage.GetRootLayer(), above, stage.GetPathResolverContext(), mask)
    part.MuteAndUnmuteLayers(stage.GetMutedLayers(), [])
    part.SetEditTarget(above)
    _open_instances(part)
    part.ExpandPopulationMask(lambda relationship: relationship.GetName().startswith(BINDING), lambda attribute: True)
    _open_instances(part)
    return part.Flatten(False)


def _open_instances(stage: Usd.Stage) -> None:
    while instances := [prim for prim in stage.TraverseAll() if prim.IsInstance()]:
        for prim in instances:
            prim.SetInstanceable(False)


def _world_side(joint: Usd.Prim, side: int, root: Sdf.Path, cache: UsdGeom.XformCache) -> Frame | None:
    """The joint's frame in the world at a side that holds nothing of the robot; None where it holds a part."""
    position = Gf.Vec3d(value(joint, f"physics:localPos{side}", Gf.Vec3f(0.0)))
    turn = Gf.Quatd(value(joint, f"physics:localRot{side}", Gf.Quatf(1.0)))
    linked = targets(joint, f"physics:body{side}")
    if linked and linked[0].HasPrefix(root):
        return None
    target = joint.GetStage().GetPrimAtPath(linked[0]) if linked else None
    if not target:
        return position, turn
    matrix = cache.GetLocalToWorldTransform(target)
    x, y, z, w = pose_and_scale(matrix)[1]
    return matrix.Transform(position), Gf.Quatd(w, x, y, z) * turn


def _hold(joint: Usd.Prim, side: int, frame: Frame) -> None:
    """Ties one side of a joint to the world."""
    physics = UsdPhysics.Joint(joint)
    (physics.CreateBody1Rel if side else physics.CreateBody0Rel)().SetTargets([])
    (physics.CreateLocalPos1Attr if side else physics.CreateLocalPos0Attr)(Gf.Vec3f(frame[0]))
    (physics.CreateLocalRot1Attr if side else physics.CreateLocalRot0Attr)(Gf.Quatf(frame[1]))


def _inherit_bindings(robot: Usd.Prim) -> None:
    """Gives the robot's prim the material bindings that it has from prims above it."""
    above = robot.GetParent()
    while above:
        for relationship in above.GetRelationships():
            name = relationship.GetName()
            if name.startswith(BINDING) and ":collection" not in name and not robot.HasRelationship(name):
                UsdShade.MaterialBindingAPI.Apply(robot)
                robot.CreateRelationship(name, False).SetTargets(relationship.GetTargets())
        above = above.GetParent()


def _take_along(stage: Usd.Stage, root: Sdf.Path, outside: list[Sdf.Path]) -> None:
    """Copies prims outside the robot, and the materials that it binds outside itself, into it."""
    layer = stage.GetRootLayer()
    places: dict[Sdf.Path, Sdf.Path] = {}

    def place(path: Sdf.Path) -> Sdf.Path:
        if path not in places:
            number, name = 0, path.name
            while stage.GetPrimAtPath(root.AppendChild(name)):
                number, name = number + 1, f"{path.name}_{number + 1}"
            places[path] = root.AppendChild(name)
            Sdf.CopySpec(layer, path, layer, places[path])
        return places[path]

    for path in outside:
        place(path)
    for prim in list(Usd.PrimRange.AllPrims(stage.GetPrimAtPath(root))):
        for relationship in prim.GetRelationships():
            found = relationship.GetTargets()
            if relationship.GetName().startswith(BINDING) and any(not path.HasPrefix(root) for path in found):
                known = [path for path in found if path.HasPrefix(root) or stage.GetPrimAtPath(path)]
                relationship.SetTargets([path if path.HasPrefix(root) else place(path) for path in known])


def _cut_loose(robot: Usd.Prim) -> None:
    """Drops what relationships and connections of the robot name outside it."""
    root = robot.GetPath()
    for prim in Usd.PrimRange.AllPrims(robot):
        for relationship in prim.GetRelationships():
            found = relationship.GetTargets()
            if any(not path.HasPrefix(root) for path in found):
                relationship.SetTargets([path for path in found if path.HasPrefix(root)])
        for attribute in prim.GetAttributes():
            linked = attribute.GetConnections()
            if any(not path.HasPrefix(root) for path in linked):
                attribute.SetConnections([path for path in linked if path.HasPrefix(root)])
