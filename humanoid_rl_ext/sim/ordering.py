"""Matching what an engine holds with our robots, and its joints and bodies with the description's, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from humanoid_rl_ext.errors import EngineError

if TYPE_CHECKING:
    import torch

D6_AXES = {"0": "x", "1": "y", "2": "z"}


@dataclass(frozen=True, slots=True)
class Ordering:
    """Two permutations of the same items. ``described = native[from_native]``; ``native = described[to_native]``."""

    from_native: torch.Tensor
    """(items,) int64, on the engine's device."""
    to_native: torch.Tensor
    """(items,) int64, on the engine's device."""


def canonical_names(names: Sequence[str], described: Sequence[str]) -> list[str]:
    """PhysX' joint names in the description's spelling: the D6 axis ``joint:0`` is ``joint:x``.

    A D6 joint with a single free axis carries no slot number in PhysX; it takes the one described axis of that joint.
    """
    axis_of = {name.rpartition(":")[0]: name for name in described if ":" in name}
    known = set(described)
    spelled = []
    for name in names:
        joint, colon, slot = name.rpartition(":")
        if colon and slot in D6_AXES:
            name = f"{joint}:{D6_AXES[slot]}"
        elif name not in known and name in axis_of:
            name = axis_of[name]
        spelled.append(name)
    return spelled


def match(kind: str, native: Sequence[str], described: Sequence[str], device: torch.device) -> Ordering | None:
    """The permutations between an engine's order and the description's; None where the two orders are equal.

    Raises:
        EngineError: when the two do not hold the same names, naming what differs.
    """
    if list(native) == list(described):
        return None
    unexpected = [name for name in native if name not in set(described)]
    missing = [name for name in described if name not in set(native)]
    if unexpected or missing or len(native) != len(described):
        raise EngineError(
            f"the engine's {kind} are not the robot description's: "
            f"missing in the engine: {', '.join(missing) or 'none'}; "
            f"unknown to the description: {', '.join(unexpected) or 'none'}; "
            f"{len(native)} in the engine, {len(described)} described"
        )
    import torch

    place = {name: index for index, name in enumerate(native)}
    from_native = torch.tensor([place[name] for name in described], device=device)
    return Ordering(from_native, torch.argsort(from_native))


def robots_of(articulations: Sequence[str], robots: Sequence[str]) -> list[int]:
    """For each of an engine's articulations the number of the robot at or below whose root prim its path lies.

    Raises:
        EngineError: when a robot has no articulation, or several.
    """
    number_of = {path: number for number, path in enumerate(robots)}
    owners = []
    for path in articulations:
        while path and path not in number_of:
            path = path.rpartition("/")[0]
        owners.append(number_of.get(path, -1))
    if sorted(owners) != list(range(len(robots))):
        raise EngineError(f"physics holds {len(articulations)} articulations for {len(robots)} robots, not one each")
    return owners
