"""One environment composed in USD: physics scene, ground, light, the robot by reference. Engine-neutral text."""

from __future__ import annotations

import math
from pathlib import Path

from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdPhysics, UsdShade

from humanoid_rl_ext.errors import EngineError, RobotError
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.robot.prepare import author_overrides
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.team_usd import keep_scenes_apart, set_out_teams
from humanoid_rl_ext.sim.terrain_usd import author_terrain, keep_robots_apart

PHYSICS_SCENE = "/physicsScene"
ENVIRONMENT = "/World/envs/env_0"
ROBOT = f"{ENVIRONMENT}/Robot"
GROUND = "/World/ground"
MATERIAL = "/World/material"
YIELDING_MATERIAL = "/World/yielding_material"
"""Without friction or bounce and combined by maximum: a contact with it has those of the other side."""
ROBOT_GROUP = "/World/robots"
PHYSICS_PURPOSE = "physics"

GPU_CAPACITIES = (
    ("gpuFoundLostAggregatePairsCapacity", 2**15, 64),
    ("gpuTotalAggregatePairsCapacity", 2**15, 64),
    ("gpuFoundLostPairsCapacity", 2**18, 256),
    ("gpuMaxRigidContactCount", 2**19, 512),
    ("gpuMaxRigidPatchCount", 2**17, 64),
)
"""PhysX' buffers on the GPU: least size, and size per environment. A full one drops contacts (an EngineError)."""
TERRAIN_CAPACITIES = (("gpuCollisionStackSize", 2**26, 2**15),)
"""And of collisions with a mesh."""


def compose(description: RobotDescription, settings: SceneSettings) -> str:
    """The scene with one robot in its standing pose at the origin, as USDA text (metres, Z up).

    Every engine loads this text and makes its own copies of ``/World/envs/env_0``. Teams have other paths, see
    ``team_usd``.

    Raises:
        RobotError: when the robot's file cannot be composed.
        EngineError: when a setting cannot be simulated.
    """
    _check(settings)
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 1.0)
    world = UsdGeom.Xform.Define(stage, "/World").GetPrim()
    stage.SetDefaultPrim(world)
    _author_physics_scene(stage, settings)
    material = _author_material(stage, settings)
    if settings.ground:
        _author_ground(stage, settings, material)
    _author_lights(stage)
    UsdGeom.Xform.Define(stage, ENVIRONMENT)
    _author_robot(stage, description, settings)
    _bind_where_none(stage.GetPrimAtPath(ROBOT), material)
    if settings.terrain is not None and settings.device == "cpu":  # on a GPU PhysX tells environments apart itself
        keep_robots_apart(stage, ROBOT_GROUP, ENVIRONMENT.rpartition("/")[0])
    if settings.team_size > 1:
        scenes = set_out_teams(stage, ROBOT, settings)
        if settings.device == "cpu":
            keep_scenes_apart(stage, PHYSICS_SCENE, scenes, GROUND)
    return stage.GetRootLayer().ExportToString()


def check_teams(settings: SceneSettings) -> None:
    """Raises EngineError for teams that cannot be had."""
    if settings.team_size < 1 or settings.num_envs % settings.team_size:
        raise EngineError(f"{settings.num_envs} robots make no teams of {settings.team_size}")
    if settings.team_size > 1 and settings.terrain is not None:
        raise EngineError("several robots in a scene need flat ground: there are no teams on a terrain")


def _check(settings: SceneSettings) -> None:
    if settings.num_envs < 1:
        raise EngineError(f"num_envs is {settings.num_envs}; it must be at least 1")
    check_teams(settings)
    if not (math.isfinite(settings.dt) and settings.dt > 0.0):
        raise EngineError(f"dt is {settings.dt} s; it must be a positive number of seconds")
    if not all(math.isfinite(component) for component in settings.gravity):
        raise EngineError(f"gravity is {settings.gravity}; every component must be finite")
    for name in ("static_friction", "dynamic_friction"):
        if not (math.isfinite(getattr(settings, name)) and getattr(settings, name) >= 0.0):
            raise EngineError(f"{name} is {getattr(settings, name)}; it must be finite and at least 0")
    if not 0.0 <= settings.restitution <= 1.0:
        raise EngineError(f"restitution is {settings.restitution}; it must lie between 0 and 1")
    if settings.ground and settings.terrain is not None and settings.self_collision and settings.device == "cpu":
        raise EngineError(
            "sim.self_collision: on the CPU, PhysX cannot keep robots that share a terrain apart and let a robot touch "
            "itself; use the engine newton, a GPU, or flat ground"
        )
    if settings.position_iterations < 1 or settings.velocity_iterations < 0:
        raise EngineError("solver iterations: at least 1 for positions and 0 for velocities are needed")


def _author_physics_scene(stage: Usd.Stage, settings: SceneSettings) -> None:
    scene = UsdPhysics.Scene.Define(stage, PHYSICS_SCENE)
    magnitude = math.sqrt(sum(component**2 for component in settings.gravity))
    direction = [component / magnitude for component in settings.gravity] if magnitude else [0.0, 0.0, -1.0]
    scene.CreateGravityDirectionAttr(Gf.Vec3f(*direction))
    scene.CreateGravityMagnitudeAttr(magnitude)
    on_gpu = settings.device != "cpu"
    prim = scene.GetPrim()
    prim.AddAppliedSchema("PhysxSceneAPI")
    for name, kind, value in (
        ("solverType", Sdf.ValueTypeNames.Token, "TGS"),
        ("broadphaseType", Sdf.ValueTypeNames.Token, "GPU" if on_gpu else "MBP"),
        ("enableGPUDynamics", Sdf.ValueTypeNames.Bool, on_gpu),
        ("enableSceneQuerySupport", Sdf.ValueTypeNames.Bool, False),
        ("maxPositionIterationCount", Sdf.ValueTypeNames.UInt, settings.position_iterations),
        ("maxVelocityIterationCount", Sdf.ValueTypeNames.UInt, settings.velocity_iterations),
        ("timeStepsPerSecond", Sdf.ValueTypeNames.UInt, max(1, round(1.0 / settings.dt))),
    ):
        prim.CreateAttribute(f"physxScene:{name}", kind).Set(value)
    if on_gpu:
        for name, least, per_env in GPU_CAPACITIES + TERRAIN_CAPACITIES * (settings.terrain is not None):
            value = max(least, per_env * settings.num_envs)
            prim.CreateAttribute(f"physxScene:{name}", Sdf.ValueTypeNames.UInt).Set(value)


def _author_material(stage: Usd.Stage, settings: SceneSettings) -> UsdShade.Material:
    values = settings.static_friction, settings.dynamic_friction, settings.restitution
    return _material(stage, MATERIAL, values, "average")


def _author_yielding_material(stage: Usd.Stage) -> UsdShade.Material:
    return _material(stage, YIELDING_MATERIAL, (0.0, 0.0, 0.0), "max")


def _material(stage: Usd.Stage, path: str, values: tuple[float, float, float], combine: str) -> UsdShade.Material:
    material = UsdShade.Material.Define(stage, path)
    physics = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
    physics.CreateStaticFrictionAttr(values[0])
    physics.CreateDynamicFrictionAttr(values[1])
    physics.CreateRestitutionAttr(values[2])
    material.GetPrim().AddAppliedSchema("PhysxMaterialAPI")
    for mode in ("frictionCombineMode", "restitutionCombineMode"):
        material.GetPrim().CreateAttribute(f"physxMaterial:{mode}", Sdf.ValueTypeNames.Token).Set(combine)
    return material


def _author_ground(stage: Usd.Stage, settings: SceneSettings, material: UsdShade.Material) -> None:
    of_robot = settings.contact_of == "robot"
    if settings.terrain is not None:
        author_terrain(stage, GROUND, settings.terrain, 0.0 if of_robot else settings.terrain.friction)
        return
    ground = UsdGeom.Xform.Define(stage, GROUND).GetPrim()
    plane = UsdGeom.Plane.Define(stage, f"{GROUND}/plane")
    plane.CreateAxisAttr(UsdGeom.Tokens.z)
    plane.CreateDisplayColorAttr([Gf.Vec3f(0.32, 0.34, 0.37)])
    UsdPhysics.CollisionAPI.Apply(plane.GetPrim())
    _bind(ground, _author_yielding_material(stage) if of_robot else material)


def _author_lights(stage: Usd.Stage) -> None:
    UsdLux.DomeLight.Define(stage, "/World/sky").CreateIntensityAttr(450.0)
    sun = UsdLux.DistantLight.Define(stage, "/World/sun")
    sun.CreateIntensityAttr(2000.0)
    UsdGeom.XformCommonAPI(sun).SetRotate(Gf.Vec3f(-35.0, 25.0, 0.0))


def _author_robot(stage: Usd.Stage, description: RobotDescription, settings: SceneSettings) -> None:
    if not Path(description.path).is_file():
        raise RobotError(f"{description.path}: no such file; the robot's USD has moved or was deleted")
    robot = stage.DefinePrim(ROBOT)
    robot.GetReferences().AddReference(str(Path(description.path).resolve()), description.root)
    articulation = author_overrides(stage, ROBOT, description, settings.self_collision)
    for name, count in (
        ("solverPositionIterationCount", settings.position_iterations),
        ("solverVelocityIterationCount", settings.velocity_iterations),
    ):
        articulation.CreateAttribute(f"physxArticulation:{name}", Sdf.ValueTypeNames.Int).Set(count)
    if not description.fixed_base:
        _stand(stage, robot, description)


def _stand(stage: Usd.Stage, robot: Usd.Prim, description: RobotDescription) -> None:
    """Moves the whole robot so that its base body has the standing height and rotation above the origin."""
    base = stage.GetPrimAtPath(f"{ROBOT}/{description.articulation_root}" if description.articulation_root else ROBOT)
    x, y, z, w = description.standing_rotation
    wanted = Gf.Matrix4d(Gf.Rotation(Gf.Quatd(w, x, y, z)), Gf.Vec3d(0.0, 0.0, description.standing_height))
    cache = UsdGeom.XformCache()
    base_to_world = cache.GetLocalToWorldTransform(base)
    robot_to_world = cache.GetLocalToWorldTransform(robot)
    robot_in_base = robot_to_world * base_to_world.RemoveScaleShear().GetInverse()
    xform = UsdGeom.Xformable(robot)
    xform.ClearXformOpOrder()
    xform.AddTransformOp(opSuffix="stand").Set(robot_in_base * wanted)


def _bind(prim: Usd.Prim, material: UsdShade.Material) -> None:
    UsdShade.MaterialBindingAPI.Apply(prim).Bind(material, UsdShade.Tokens.weakerThanDescendants, PHYSICS_PURPOSE)


def _bind_where_none(robot: Usd.Prim, material: UsdShade.Material) -> None:
    """Binds the material to every collider of the robot that no physics material reaches."""
    for prim in Usd.PrimRange(robot):
        if not prim.HasAPI(UsdPhysics.CollisionAPI):
            continue
        bound, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial(PHYSICS_PURPOSE)
        if not (bound and bound.GetPrim().HasAPI(UsdPhysics.MaterialAPI)):
            _bind(prim, material)
