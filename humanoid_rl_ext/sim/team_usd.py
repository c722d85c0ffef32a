"""Scenes with several robots in USD: where the robots of a team are, and what keeps scenes out of each other's way."""

from __future__ import annotations

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.grid import abreast, square_grid

GROUPS = "/World/scenes"


def robot_paths(robot: str, settings: SceneSettings) -> list[str]:
    """Paths of all robots' root prims, scene by scene; ``robot`` is that of the one robot of the first scene.

    A robot of a team has a prim of its own between itself and its scene: all root prims bear the same name.
    """
    environment, _, name = robot.rpartition("/")
    scenes = scene_paths(environment, settings)
    if settings.team_size == 1:
        return [f"{scene}/{name}" for scene in scenes]
    mates = _numbered("mate", settings.team_size)
    return [f"{scene}/{mate}/{name}" for scene in scenes for mate in mates]


def scene_paths(environment: str, settings: SceneSettings) -> list[str]:
    """Paths of all scenes; ``environment`` is that of the first one without teams.

    PhysX sorts what it reads from a file by name, so scenes with teams are numbered with leading zeros.
    """
    root, _, _ = environment.rpartition("_")
    if settings.team_size == 1:
        return [f"{root}_{env}" for env in range(settings.num_envs)]
    return _numbered(root, settings.num_scenes)


def _numbered(name: str, count: int) -> list[str]:
    width = len(str(count - 1))
    return [f"{name}_{index:0{width}}" for index in range(count)]


def set_out_teams(stage: Usd.Stage, robot: str, settings: SceneSettings) -> list[str]:
    """Replaces the one robot by teams in their places; the paths of the scenes that are in the file then.

    On a GPU that is the first scene, of which PhysX makes copies. On the CPU it is all of them, because copies cannot
    be told apart there.
    """
    layer = stage.GetRootLayer()
    scenes = settings.num_scenes if settings.device == "cpu" else 1
    apart = square_grid(scenes, settings.spacing)
    within = abreast(settings.team_size, settings.team_spacing)
    environment, _, _ = robot.rpartition("/")
    in_file = scene_paths(environment, settings)[:scenes]
    for path in in_file:
        UsdGeom.Xform.Define(stage, path)
    paths = robot_paths(robot, settings)[: scenes * settings.team_size]
    places = (apart.unsqueeze(1) - apart[0] + within - within[0]).flatten(0, 1).tolist()
    for path, place in zip(paths, places, strict=True):
        mate = UsdGeom.Xform.Define(stage, path.rpartition("/")[0])
        mate.AddTranslateOp().Set(Gf.Vec3d(*place))
        Sdf.CopySpec(layer, robot, layer, path)
    stage.RemovePrim(robot if environment in in_file else environment)
    return in_file


def keep_scenes_apart(stage: Usd.Stage, physics: str, scenes: list[str], ground: str) -> None:
    """Collision groups: what is below one of ``scenes`` touches its like and the ground, and nothing else."""
    scene = stage.GetPrimAtPath(physics)
    scene.CreateAttribute("physxScene:invertCollisionGroupFilter", Sdf.ValueTypeNames.Bool).Set(True)
    shared = _group(stage, f"{GROUPS}/ground", ground)
    for index, path in enumerate(scenes):
        own = _group(stage, f"{GROUPS}/scene_{index}", path)
        own.CreateFilteredGroupsRel().SetTargets([own.GetPath(), shared.GetPath()])


def _group(stage: Usd.Stage, path: str, members: str) -> UsdPhysics.CollisionGroup:
    group = UsdPhysics.CollisionGroup.Define(stage, path)
    group.GetCollidersCollectionAPI().CreateIncludesRel().AddTarget(members)
    return group
