"""A terrain in USD, for engines that take a mesh; and what keeps the robots on it out of each other's way."""

from __future__ import annotations

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade, Vt

from humanoid_rl_ext.sim.terrain import Terrain


def author_terrain(stage: Usd.Stage, path: str, terrain: Terrain, friction: float) -> None:
    """A collision mesh below ``path`` with a material of this friction, which is the least that a contact has."""
    points, faces = terrain.mesh
    mesh = UsdGeom.Mesh.Define(stage, f"{path}/mesh")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray(len(faces), 3))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(faces.ravel()))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateDisplayColorAttr([Gf.Vec3f(0.32, 0.34, 0.37)])
    UsdPhysics.CollisionAPI.Apply(mesh.GetPrim())
    UsdPhysics.MeshCollisionAPI.Apply(mesh.GetPrim()).CreateApproximationAttr(UsdPhysics.Tokens.none)
    material = UsdShade.Material.Define(stage, f"{path}/material")
    physics = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
    physics.CreateStaticFrictionAttr(friction)
    physics.CreateDynamicFrictionAttr(friction)
    material.GetPrim().AddAppliedSchema("PhysxMaterialAPI")
    for mode in ("frictionCombineMode", "restitutionCombineMode"):
        material.GetPrim().CreateAttribute(f"physxMaterial:{mode}", Sdf.ValueTypeNames.Token).Set("max")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material, materialPurpose="physics")


def keep_robots_apart(stage: Usd.Stage, path: str, robots: str) -> None:
    """A collision group at ``path`` whose members, all below ``robots``, pass through each other.

    Copies of an environment inherit the group of what they copy. Bodies of one robot pass through each other, too.
    """
    group = UsdPhysics.CollisionGroup.Define(stage, path)
    group.GetCollidersCollectionAPI().CreateIncludesRel().AddTarget(robots)
    group.CreateFilteredGroupsRel().AddTarget(path)
