"""Robots of Isaac Sim's asset library, by name. Nothing here imports pxr before a robot is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from humanoid_rl_ext.errors import RobotError, did_you_mean

if TYPE_CHECKING:
    from pxr import Usd

PHYSICS_VARIANT = "Physics"
"""Variant set of assets that come with the physics of several engines; unselected, some hold no articulation."""


@dataclass(frozen=True, slots=True)
class LibraryRobot:
    """Where a robot lies below the asset root, and one line on what it is."""

    path: str
    help: str


LIBRARY: dict[str, LibraryRobot] = {
    "Humanoid": LibraryRobot(
        "/Isaac/Robots/IsaacSim/Humanoid/humanoid.usd", "the humanoid of Isaac Sim's own examples"
    ),
    "H1": LibraryRobot("/Isaac/Robots/Unitree/H1/h1.usd", "Unitree's humanoid with 19 joints"),
    "G1": LibraryRobot("/Isaac/Robots/Unitree/G1/g1.usd", "Unitree's smaller humanoid with 29 joints"),
    "ANYmal C": LibraryRobot("/Isaac/Robots/ANYbotics/anymal_c/anymal_c.usd", "ANYbotics' four-legged robot"),
    "Spot": LibraryRobot("/Isaac/Robots/BostonDynamics/spot/spot.usd", "Boston Dynamics' four-legged robot"),
    "Ant": LibraryRobot("/Isaac/Robots/IsaacSim/Ant/ant.usd", "the four-legged ant of Isaac Sim's own examples"),
    "Franka": LibraryRobot("/Isaac/Robots/FrankaRobotics/FrankaPanda/franka.usd", "Franka's arm, on a fixed base"),
}
"""Robots that isaac-sim/IsaacSim 6.0.1 (commit 045ca8b) names in its menus and examples; G1 as in Isaac Lab 3.0."""


def library_url(name: str, root: str) -> str:
    """Where a robot of the library is; ``root`` is the asset root's URL or folder. RobotError for an unknown name."""
    if name not in LIBRARY:
        raise RobotError(f"the asset library has no robot '{name}' here; {did_you_mean(name, LIBRARY)}")
    return root.rstrip("/") + LIBRARY[name].path


def is_url(source: str) -> bool:
    """Whether a robot is named by a URL (``https://``, ``omniverse://``) rather than by a name or a file's path."""
    return re.match(r"[a-z][a-z0-9+.\-]+://", source, flags=re.IGNORECASE) is not None


def save_url(url: str) -> Path:
    """The file, in the cache, of the only robot of a USD file that may be remote; blocks until it has been read.

    Inside Kit USD itself reads https and omniverse URLs. Of an asset with the physics of several engines, PhysX's is
    taken where none is selected.

    RobotError: the URL cannot be opened, holds no articulation, or several.
    """
    from pxr import Tf, Usd

    from humanoid_rl_ext.robot.from_stage import save_robot

    try:
        stage = Usd.Stage.Open(url)
    except Tf.ErrorException:
        raise RobotError(f"{url}: cannot be opened; is there such a file, and does its server answer?") from None
    prim = stage.GetDefaultPrim()
    if prim:
        _select_physx(prim)
    try:
        return save_robot(stage, "/")
    except RobotError as error:
        raise RobotError(f"{url}: {str(error).removeprefix('/: ')}") from None


def _select_physx(prim: Usd.Prim) -> None:
    variants = prim.GetVariantSets()
    if PHYSICS_VARIANT not in variants.GetNames() or prim.GetVariantSet(PHYSICS_VARIANT).GetVariantSelection():
        return
    chosen = [name for name in prim.GetVariantSet(PHYSICS_VARIANT).GetVariantNames() if name.lower() == "physx"]
    if chosen:
        stage = prim.GetStage()
        stage.SetEditTarget(stage.GetSessionLayer())
        prim.GetVariantSet(PHYSICS_VARIANT).SetVariantSelection(chosen[0])
