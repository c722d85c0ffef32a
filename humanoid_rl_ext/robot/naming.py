"""Names that tell bodies and joints apart: USD allows a name once per parent, engines list names without parents."""

from __future__ import annotations

from collections import Counter

from pxr import Usd, UsdPhysics

from humanoid_rl_ext.robot.stage import prims


def repeated_names(stage: Usd.Stage) -> list[Usd.Prim]:
    """The bodies whose name another body has, and likewise the joints."""
    everything = list(prims(stage.GetPseudoRoot()))
    bodies = [prim for prim in everything if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    joints = [prim for prim in everything if prim.IsA(UsdPhysics.Joint)]
    found = []
    for kind in (bodies, joints):
        times = Counter(prim.GetName() for prim in kind)
        found += [prim for prim in kind if times[prim.GetName()] > 1]
    return found


def tell_apart(stage: Usd.Stage) -> None:
    """Puts the parent's name in front of every repeated name, and a number behind it where that is taken too.

    ``stage`` has to be flat; what refers to the prims follows. The deepest are renamed first, while their parents still
    have the names they came with.
    """
    taken = {prim.GetName() for prim in stage.Traverse()}
    paths = sorted((prim.GetPath() for prim in repeated_names(stage)), key=lambda path: -path.pathElementCount)
    for path in paths:
        if path.IsRootPrimPath():
            continue  # the others of its name lie below and have been renamed
        wanted = name = f"{path.GetParentPath().name}_{path.name}"
        number = 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        editor = Usd.NamespaceEditor(stage)
        editor.RenamePrim(stage.GetPrimAtPath(path), name)
        editor.ApplyEdits()
