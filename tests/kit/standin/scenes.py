"""Which physics scenes ``SimulationManager`` knows: it learns of them, and forgets them, from changes of the stage.

As in isaac-sim/IsaacSim 6.0.1, commit 045ca8b, ``plugins/isaacsim.core.simulation_manager/UsdNoticeListener.cpp`` and
``python/impl/simulation_manager.py``: a scene is added when its type alone is authored, not together with a schema, and
is forgotten when its very path goes or is deactivated, not when an ancestor does. One that is not forgotten stays known
as a prim that has expired, which fails whoever uses it, until the next PLAY.
"""

from __future__ import annotations

from typing import Any

from pxr import Sdf, Tf, Usd, UsdPhysics


class KnownScenes:
    """The physics scenes of the open stage, as far as they were noticed."""

    def __init__(self) -> None:
        self.prims: dict[str, Usd.Prim] = {}
        self.listens = True
        self._noticed: set[Sdf.Path] = set()
        self._notice: Any = None

    def follow(self, stage: Usd.Stage | None) -> None:
        """Forgets all, and starts over with a stage that was opened."""
        self.prims.clear()
        self._noticed.clear()
        if self._notice is not None:
            self._notice.Revoke()
            self._notice = None
        if stage is not None:
            for prim in stage.Traverse():
                if prim.IsA(UsdPhysics.Scene):
                    self._add(prim)
            self._notice = Tf.Notice.Register(Usd.Notice.ObjectsChanged, self._on_change, stage)

    def forget_gone(self, stage: Usd.Stage) -> None:
        """Forgets scenes that are no longer there, with a warning for each."""
        import carb  # each Kit has its own

        for path in [path for path in self._noticed if not (prim := stage.GetPrimAtPath(path)) or not prim.IsActive()]:
            self._noticed.remove(path)
            self.prims.pop(str(path), None)
            carb.log_warn(f"the physics scene {path} is gone")
        for path in [path for path, prim in self.prims.items() if not prim or "PhysxSceneAPI" not in _schemas(prim)]:
            del self.prims[path]
            carb.log_warn(f"the physics scene {path} has expired")

    def _on_change(self, notice: Usd.Notice.ObjectsChanged, stage: Usd.Stage) -> None:
        if not self.listens:
            return
        for path in notice.GetResyncedPaths():
            if not path.IsAbsoluteRootOrPrimPath():
                continue
            prim = stage.GetPrimAtPath(path)
            if not prim or not prim.IsActive():
                self._noticed.discard(path)
                self.prims.pop(str(path), None)
                continue
            fields = notice.GetChangedFields(path)
            if "typeName" in fields and "apiSchemas" not in fields and prim.GetTypeName() == "PhysicsScene":
                self._add(prim)

    def _add(self, prim: Usd.Prim) -> None:
        if prim.GetPath() not in self._noticed:
            self._noticed.add(prim.GetPath())
            for schema in ("NewtonSceneAPI", "PhysxSceneAPI"):
                if schema not in _schemas(prim):
                    prim.AddAppliedSchema(schema)
            self.prims[str(prim.GetPath())] = prim


def _schemas(prim: Usd.Prim) -> list[str]:
    """Applied schemas, those that USD has no definition of included."""
    return prim.GetPrimTypeInfo().GetAppliedAPISchemas()
