"""A training scene on somebody else's stage: in a layer of its own, gone without a trace when that is dropped."""

from __future__ import annotations

import torch
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdPhysics, UsdUtils

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.robot.prepare import author_overrides
from humanoid_rl_ext.sim import scene

ROOT = "/HumanoidRL"
"""Everything that is added to the stage lies below this prim."""
ENVIRONMENTS = f"{ROOT}/envs"
PHYSICS_SCENE = f"{ROOT}/physicsScene"
GROUND_REACH = 200.0
"""Half the size of the ground that is drawn (m)."""


class StageLayer:
    """A sublayer of the stage's session layer, above all that the user has; the user's own layers are never written."""

    def __init__(self, stage: Usd.Stage) -> None:
        """Adds an empty layer to the stage."""
        self.stage = stage
        self._layer = Sdf.Layer.CreateAnonymous("humanoid_rl")
        stage.GetSessionLayer().subLayerPaths.insert(0, self._layer.identifier)

    @property
    def stage_id(self) -> int:
        """The stage's number in USD's stage cache, by which physics knows it."""
        return int(UsdUtils.StageCache.Get().Insert(self.stage).ToLongInt())

    def editing(self) -> Usd.EditContext:
        """A context in which all edits of the stage go to the layer."""
        return Usd.EditContext(self.stage, Usd.EditTarget(self._layer))

    def add_scene(self, usda: str) -> None:
        """Adds the scene that ``sim.scene.compose`` wrote.

        What takes part in physics on the user's stage steps aside: it is neither simulated nor seen until the layer is
        dropped. A physics scene that is there is used, with the settings of the new one.

        Raises:
            EngineError: for a stage with other units or axes, or with several physics scenes.
        """
        _check(self.stage)
        composed = Sdf.Layer.CreateAnonymous()
        composed.ImportFromString(usda)
        with Sdf.ChangeBlock():
            for path in bystanders(self.stage):
                Sdf.CreatePrimInLayer(self._layer, path).active = False
            Sdf.CopySpec(composed, "/World", self._layer, ROOT)
        with self.editing():
            self._set_up_physics(Usd.Stage.Open(composed))
            self._show_ground()
            if any(is_light(prim) for prim in self.stage.Traverse() if not prim.GetPath().HasPrefix(ROOT)):
                for light in [child for child in self.stage.GetPrimAtPath(ROOT).GetChildren() if is_light(child)]:
                    light.SetActive(False)

    def copy_environment(self, offsets: torch.Tensor) -> list[str]:
        """Paths of the environments: the scene's and copies of it, number i at ``offsets[i]`` (num_envs, 3)."""
        paths = [f"{ENVIRONMENTS}/env_{i}" for i in range(len(offsets))]
        with Sdf.ChangeBlock():
            for path, offset in zip(paths, offsets.tolist(), strict=True):
                spec = Sdf.CreatePrimInLayer(self._layer, path)
                spec.specifier, spec.typeName = Sdf.SpecifierDef, "Xform"
                if path != paths[0]:
                    spec.inheritPathList.Prepend(Sdf.Path(paths[0]))
                translate = Sdf.AttributeSpec(spec, "xformOp:translate", Sdf.ValueTypeNames.Double3)
                translate.default = Gf.Vec3d(*offset)
                order = Sdf.AttributeSpec(spec, "xformOpOrder", Sdf.ValueTypeNames.TokenArray, Sdf.VariabilityUniform)
                order.default = ["xformOp:translate"]
        return paths

    def prepare_robot(self, robot: Usd.Prim, description: RobotDescription, self_collision: bool) -> None:
        """Makes the user's robot simulate as it is described; physics notices when it next starts.

        One that is built otherwise than the described file (a converted one, for instance) only gets to report its
        contacts.
        """
        with self.editing():
            paths = [joint.path for joint in description.joints] + [body.path for body in description.bodies]
            if all(robot.GetPrimAtPath(path or ".") for path in paths):
                author_overrides(self.stage, robot.GetPath(), description, self_collision)
                return
            for body in [prim for prim in Usd.PrimRange(robot) if prim.HasAPI(UsdPhysics.RigidBodyAPI)]:
                body.AddAppliedSchema("PhysxContactReportAPI")
                body.CreateAttribute("physxContactReport:threshold", Sdf.ValueTypeNames.Float, False).Set(0.0)

    def drop(self) -> None:
        """Takes the layer off the stage; twice is fine."""
        session = self.stage.GetSessionLayer() if self.stage else None
        if session is not None and self._layer.identifier in session.subLayerPaths:
            if self._layer.GetPrimAtPath(PHYSICS_SCENE):
                with self.editing():  # by itself: Isaac Sim does not look below a prim that goes
                    self.stage.RemovePrim(PHYSICS_SCENE)
            session.subLayerPaths.remove(self._layer.identifier)

    def _set_up_physics(self, composed: Usd.Stage) -> None:
        """Gives the stage's physics scene the settings of the composed one; makes one where there is none.

        Isaac Sim notices a new scene only when its type is authored by itself, before any schema is applied, and keeps
        no account of one that was inactive for a while.
        """
        wanted, there = composed.GetPrimAtPath(scene.PHYSICS_SCENE), physics_scenes(self.stage)
        prim = there[0] if there else self.stage.DefinePrim(PHYSICS_SCENE, wanted.GetTypeName())
        for schema in wanted.GetPrimTypeInfo().GetAppliedAPISchemas():
            prim.AddAppliedSchema(schema)
        for attribute in wanted.GetAuthoredAttributes():
            prim.CreateAttribute(attribute.GetName(), attribute.GetTypeName(), False).Set(attribute.Get())

    def _show_ground(self) -> None:
        """A square that every renderer draws; a physics plane is endless and not always drawn."""
        ground = self.stage.GetPrimAtPath(f"{ROOT}{scene.GROUND.removeprefix('/World')}")
        plane = self.stage.GetPrimAtPath(f"{ground.GetPath()}/plane") if ground else None
        if not plane:  # a terrain's mesh is drawn as it is
            return
        UsdGeom.Imageable(plane).CreatePurposeAttr("guide")
        mesh = UsdGeom.Mesh.Define(self.stage, f"{ground.GetPath()}/drawn")
        reach = GROUND_REACH
        mesh.CreatePointsAttr([(-reach, -reach, 0.0), (reach, -reach, 0.0), (reach, reach, 0.0), (-reach, reach, 0.0)])
        mesh.CreateFaceVertexCountsAttr([4])
        mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
        mesh.CreateNormalsAttr([(0.0, 0.0, 1.0)] * 4)
        mesh.CreateDisplayColorAttr([Gf.Vec3f(0.32, 0.34, 0.37)])


def _check(stage: Usd.Stage) -> None:
    metre, up = UsdGeom.GetStageMetersPerUnit(stage), UsdGeom.GetStageUpAxis(stage)
    if metre != 1.0 or up != UsdGeom.Tokens.z:
        raise EngineError(
            f"the open stage has units of {metre:g} m and {up} up; training needs metres and Z up, as new stages of "
            "Isaac Sim have: File > New, then take the robot's file"
        )
    scenes = physics_scenes(stage)
    if len(scenes) > 1:
        names = ", ".join(str(prim.GetPath()) for prim in scenes)
        raise EngineError(f"the open stage has several physics scenes ({names}); training needs one at most")
    if stage.GetPrimAtPath(ROOT):
        raise EngineError(f"the open stage has a prim {ROOT} already; rename it, training needs that name")


def physics_scenes(stage: Usd.Stage) -> list[Usd.Prim]:
    """The stage's physics scenes."""
    return [prim for prim in stage.Traverse() if prim.IsA(UsdPhysics.Scene)]


def bystanders(stage: Usd.Stage) -> list[Sdf.Path]:
    """The prims that hold what takes part in physics: as far up as the default prim's children allow.

    A physics scene is none, and no prim that holds one is: it stays.
    """
    default = stage.GetDefaultPrim()
    staying = {prefix for prim in physics_scenes(stage) for prefix in prim.GetPath().GetPrefixes()}
    staying |= {default.GetPath()} if default else set()
    found: list[Sdf.Path] = []
    for prim in stage.Traverse():
        if _takes_part(prim):
            holder = next((prefix for prefix in prim.GetPath().GetPrefixes() if prefix not in staying), None)
            if holder is not None and holder not in found:
                found.append(holder)
    return found


def _takes_part(prim: Usd.Prim) -> bool:
    return bool(
        prim.IsA(UsdPhysics.Joint) or prim.HasAPI(UsdPhysics.RigidBodyAPI) or prim.HasAPI(UsdPhysics.CollisionAPI)
    )


def articulation_root(robot: Usd.Prim) -> str:
    """Path of the prim at or below a robot's root prim that makes it an articulation; EngineError where none does."""
    for prim in Usd.PrimRange(robot):
        if prim.HasAPI(UsdPhysics.ArticulationRootAPI):
            return str(prim.GetPath())
    raise EngineError(f"{robot.GetPath()}: no articulation is there")


def is_light(prim: Usd.Prim) -> bool:
    """Whether the prim lights the scene."""
    return bool(prim.IsA(UsdLux.BoundableLightBase) or prim.IsA(UsdLux.NonboundableLightBase))
