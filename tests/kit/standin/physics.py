"""A USD stage loaded into real PhysX (``ovphysx``, on the CPU), as Kit's physics loads the stage it shows."""

from __future__ import annotations

import warnings
from collections import defaultdict
from typing import Any

from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdPhysics

POSES = "physics poses"


class Shared:
    """What all tensor views of one loaded stage share: whether they may still be used."""

    def __init__(self) -> None:
        self.valid = True


class LoadedStage:
    """Physics of one stage, parsed from everything composed on it, the session layer included."""

    def __init__(self, stage: Usd.Stage) -> None:
        """Loads the stage; it is only read."""
        import torch

        from humanoid_rl_ext.sim.engine import SceneSettings
        from humanoid_rl_ext.sim.physx_scene import PhysxScene

        self.stage = stage
        self.shared = Shared()
        self._bindings: list[Any] = []
        self._poses: Sdf.Layer | None = None
        self._scene: Any = PhysxScene(
            stage.Flatten(addSourceFileComment=False).ExportToString(), SceneSettings(1), torch.zeros(1, 3)
        )
        self._articulations: dict[str, list[Usd.Prim]] = {}
        self._link_poses: Any = None
        self._find_articulations()
        self._notice = Tf.Notice.Register(Usd.Notice.ObjectsChanged, self._on_change, stage)

    def step(self, dt: float) -> None:
        """Advances physics by ``dt`` seconds."""
        self._scene.instance.step_sync(dt)

    def renew(self) -> None:
        """Lets new views be made after the old ones were invalidated."""
        self.shared = Shared()

    def bind(self, array: str, **selection: Any) -> Any:
        """A binding of ``ARTICULATION_<array>`` over the articulations of a ``pattern`` or of ``prim_paths``."""
        from ovphysx.types import TensorType

        kind = getattr(TensorType, f"ARTICULATION_{array}")
        return self._kept(lambda: self._scene.instance.create_tensor_binding(tensor_type=kind, **selection))

    def bind_contacts(self, patterns: list[str]) -> Any | None:
        """A contact binding over the bodies that match, or None where none reports contacts."""
        try:
            return self._kept(lambda: self._scene.instance.create_contact_binding(sensor_patterns=patterns))
        except RuntimeError:
            return None

    def links(self, articulation: str) -> list[Usd.Prim]:
        """The prims of an articulation's links, in PhysX' order."""
        return self._articulations[articulation]

    def update_kinematics(self) -> None:
        """Lets link poses follow what was written to roots and joints."""
        self._scene.instance.update_articulations_kinematic()

    def link_poses(self) -> dict[str, list[float]]:
        """Pose of every link in the world by prim path: x, y, z and quaternion x, y, z, w."""
        import torch

        if self._link_poses is None:
            return {}
        values = torch.zeros(self._link_poses.shape)
        self._link_poses.read(values)
        rows = zip(self._link_poses.prim_paths, values.tolist(), strict=True)
        return {
            str(prim.GetPath()): pose
            for path, poses in rows
            for prim, pose in zip(self._articulations[path], poses, strict=True)
        }

    def write_poses(self) -> None:
        """Puts the links where physics has them, in a layer of its own above the user's."""
        layer = self._poses or self._add_pose_layer()
        with Sdf.ChangeBlock():
            for path, pose in self.link_poses().items():
                rotation = Gf.Rotation(Gf.Quatd(pose[6], *pose[3:6]))
                spec = Sdf.CreatePrimInLayer(layer, path)
                _author(spec, "xformOp:transform:physics", Sdf.ValueTypeNames.Matrix4d).default = (
                    Gf.Matrix4d().SetScale(self._scales[path]) * Gf.Matrix4d(rotation, Gf.Vec3d(*pose[:3]))
                )
                _author(spec, UsdGeom.Tokens.xformOpOrder, Sdf.ValueTypeNames.TokenArray).default = [
                    "!resetXformStack!",
                    "xformOp:transform:physics",
                ]

    def free(self) -> None:
        """Frees PhysX and gives the stage its authored poses back."""
        self.shared.valid = False
        self._notice.Revoke()
        for binding in self._bindings:
            binding.destroy()
        self._bindings.clear()
        self._scene.close()
        if self._poses is not None and self.stage:
            self.stage.GetSessionLayer().subLayerPaths.remove(self._poses.identifier)
            self._poses = None

    def _kept(self, bind: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            binding = bind()
        self._bindings.append(binding)
        return binding

    def _find_articulations(self) -> None:
        binding = self.bind("LINK_POSE", pattern="/**")
        if binding.shape[0] == 0:
            return
        self._link_poses = binding
        bodies: dict[str, list[Usd.Prim]] = defaultdict(list)
        for prim in self.stage.Traverse(Usd.TraverseInstanceProxies()):
            if prim.HasAPI(UsdPhysics.RigidBodyAPI):
                bodies[prim.GetName()].append(prim)
        for path in binding.prim_paths:
            root = Sdf.Path(path)
            self._articulations[path] = [
                max(bodies[name], key=lambda prim: prim.GetPath().GetCommonPrefix(root).pathElementCount)
                for name in binding.body_names
            ]
        cache = UsdGeom.XformCache()
        self._scales = {
            str(prim.GetPath()): Gf.Vec3d(
                *[row.GetLength() for row in (cache.GetLocalToWorldTransform(prim).GetRow3(i) for i in range(3))]
            )
            for prims in self._articulations.values()
            for prim in prims
        }

    def _add_pose_layer(self) -> Sdf.Layer:
        self._poses = Sdf.Layer.CreateAnonymous(POSES)
        self.stage.GetSessionLayer().subLayerPaths.insert(0, self._poses.identifier)
        return self._poses

    def _on_change(self, notice: Usd.Notice.ObjectsChanged, _: Any) -> None:
        """Views die with the prims they look at."""
        if any(not self.stage.GetPrimAtPath(path) for path in self._articulations if notice.GetResyncedPaths()):
            self.shared.valid = False


def _author(spec: Sdf.PrimSpec, name: str, kind: Sdf.ValueTypeName) -> Sdf.AttributeSpec:
    return spec.attributes[name] if name in spec.attributes else Sdf.AttributeSpec(spec, name, kind)
