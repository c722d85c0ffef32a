"""Stand-in for ``isaacsim.core.cloner``: copies of a prim in USD, and their physics from the source's."""

from __future__ import annotations

from typing import Any

import omni.physics.core
import omni.usd
from isaacsim.core.simulation_manager import SimulationManager
from omni.physx import get_physx_replicator_interface
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdUtils


class Cloner:
    """Copies prims on a stage, by default the open one."""

    def __init__(self, stage: Any = None) -> None:
        self._stage: Usd.Stage = omni.usd.get_context().get_stage() if stage is None else stage
        self._base_env_path: str | None = None
        self._root_path: str | None = None

    def define_base_env(self, base_env_path: str) -> None:
        """Defines the scope that holds all clones."""
        UsdGeom.Scope.Define(self._stage, base_env_path)
        self._base_env_path = base_env_path

    def generate_paths(self, root_path: str, num_paths: int) -> list[str]:
        """``root_path`` with _0, _1, ... added."""
        self._root_path = root_path + "_"
        return [f"{root_path}_{index}" for index in range(num_paths)]

    def replicate_physics(
        self,
        source_prim_path: str,
        prim_paths: list[str],
        base_env_path: str | None,
        root_path: str | None,
        enable_env_ids: bool = False,
        clone_in_fabric: bool = False,
    ) -> None:
        """Lets physics, when it is loaded, copy the source to the other paths in place of reading them.

        Where Kit would load something else than was asked for and say nothing, this raises.

        Raises:
            ValueError: without base or root path; after physics was loaded; for paths that are not on the stage or not
                named root_path0, root_path1, ...; for anything else below the base path.
        """
        base, root = base_env_path or self._base_env_path, root_path or self._root_path
        if base is None or root is None:
            raise ValueError("base_env_path and root_path are needed")
        if omni.physics.core.get_physics_simulation_interface()._loaded is not None:
            raise ValueError("physics is loaded already: replicate before play")
        if not self._stage.GetPrimAtPath(source_prim_path):
            raise ValueError(f"the source {source_prim_path} is not on the stage")

        def check() -> None:
            expected = {source_prim_path, *prim_paths}
            numbered = {f"{root}{index}" for index in range(len(prim_paths))}
            children = {str(child.GetPath()) for child in self._stage.GetPrimAtPath(base).GetChildren()}
            if source_prim_path in prim_paths and set(prim_paths) != numbered:
                raise ValueError(f"clones are called {root}0, {root}1, ..., not {sorted(set(prim_paths) - numbered)}")
            if children != expected:
                raise ValueError(f"below {base} there are not just source and clones: {sorted(children ^ expected)}")

        check()
        if enable_env_ids:
            for prim in self._stage.Traverse():
                if prim.IsA(UsdPhysics.Scene):
                    prim.CreateAttribute("physxScene:envIdInBoundsBitCount", Sdf.ValueTypeNames.Int).Set(4)
        stage_id = UsdUtils.StageCache.Get().Insert(self._stage).ToLongInt()
        get_physx_replicator_interface()._checks[stage_id] = check

    def disable_change_listener(self) -> None:
        """Stops listening to changes of the stage, so that cloning is fast."""
        SimulationManager.enable_usd_notice_handler(False)

    def enable_change_listener(self) -> None:
        """Listens to changes of the stage again."""
        SimulationManager.enable_usd_notice_handler(True)

    def clone(
        self,
        source_prim_path: str,
        prim_paths: list[str],
        positions: Any = None,
        orientations: Any = None,
        replicate_physics: bool = False,
        base_env_path: str | None = None,
        root_path: str | None = None,
        copy_from_source: bool = False,
        unregister_physics_replication: bool = False,
        enable_env_ids: bool = False,
        clone_in_fabric: bool = False,
    ) -> None:
        """Copies the source to each path, at positions (m) and orientations (w, x, y, z) relative to its parent."""
        for values in (positions, orientations):
            if values is not None and len(values) != len(prim_paths):
                raise ValueError(f"{len(values)} poses were given for {len(prim_paths)} paths")
        source = self._stage.GetPrimAtPath(source_prim_path)
        if not source:
            raise Exception(f"the source {source_prim_path} does not exist")
        if clone_in_fabric:
            raise ValueError("this stand-in clones in USD alone")
        self.disable_change_listener()
        try:
            place = Gf.Transform(UsdGeom.Xformable(source).GetLocalTransformation())
            layer = self._stage.GetRootLayer()
            for index, path in enumerate(prim_paths):
                if path != source_prim_path:
                    spec = Sdf.CreatePrimInLayer(layer, path)
                    if copy_from_source:
                        Sdf.CopySpec(layer, source_prim_path, layer, path)
                    else:
                        spec.inheritPathList.Prepend(source_prim_path)
                position = place.GetTranslation() if positions is None else _floats(positions[index])
                rotation = place.GetRotation().GetQuat()
                if orientations is not None:
                    w, *xyz = _floats(orientations[index])
                    rotation = Gf.Quatd(w, *xyz)
                _place(self._stage.GetPrimAtPath(path), Gf.Vec3d(*position), rotation, place.GetScale())
            if replicate_physics and len(prim_paths) > (source_prim_path in prim_paths):
                self.replicate_physics(
                    source_prim_path, prim_paths, base_env_path, root_path, enable_env_ids, clone_in_fabric
                )
            if unregister_physics_replication:
                stage_id = UsdUtils.StageCache.Get().Insert(self._stage).ToLongInt()
                get_physx_replicator_interface().unregister_replicator(stage_id)
        finally:
            self.enable_change_listener()


def _floats(values: Any) -> list[float]:
    return [float(value) for value in values]


def _place(prim: Usd.Prim, position: Gf.Vec3d, rotation: Gf.Quatd, scale: Gf.Vec3d) -> None:
    xform = UsdGeom.Xformable(prim)
    xform.ClearXformOpOrder()
    for name in ("xformOp:translate", "xformOp:orient", "xformOp:scale"):
        prim.RemoveProperty(name)
    xform.AddTranslateOp().Set(position)
    xform.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(rotation)
    xform.AddScaleOp(UsdGeom.XformOp.PrecisionDouble).Set(scale)
