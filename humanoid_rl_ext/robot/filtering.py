"""Which pairs of bodies may touch: neighbours and what the file filters are left out."""

from __future__ import annotations

from pxr import Sdf, Usd, UsdPhysics

from humanoid_rl_ext.robot.stage import targets


def collision_pairs(
    parents: list[int], has_shapes: list[bool], filtered: set[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Pairs (i < j) of bodies with shapes that are neither neighbours nor filtered.

    Neighbours are a body and the nearest body above it that has shapes: a link without shapes joins what it ties.
    Bodies that share that nearest body over links without shapes are not neighbours of each other.
    """
    near: set[tuple[int, int]] = set()
    for body in range(len(parents)):
        up = parents[body]
        while up > 0 and not has_shapes[up]:
            up = parents[up]
        if up >= 0:
            near.add((min(body, up), max(body, up)))
    solid = [body for body, has in enumerate(has_shapes) if has]
    return [
        (a, b) for i, a in enumerate(solid) for b in solid[i + 1 :] if (a, b) not in near and (a, b) not in filtered
    ]


def filtered_pairs(bodies: list[Usd.Prim]) -> set[tuple[int, int]]:
    """Pairs (i < j) of bodies that PhysicsFilteredPairsAPI on a body or on one of its shapes keeps apart."""
    index = {prim.GetPath(): i for i, prim in enumerate(bodies)}

    def owner(path: Sdf.Path) -> int | None:
        return next((index[prefix] for prefix in reversed(path.GetPrefixes()) if prefix in index), None)

    found: set[tuple[int, int]] = set()
    for body in bodies:
        for prim in Usd.PrimRange(body):
            if not prim.HasAPI(UsdPhysics.FilteredPairsAPI):
                continue
            mine = owner(prim.GetPath())
            for target in targets(prim, "physics:filteredPairs"):
                other = owner(target)
                if mine is not None and other is not None and mine != other:
                    found.add((min(mine, other), max(mine, other)))
    return found
