"""Left and right exchanged: what a robot would see and do if it were its own mirror image.

The mirror is the plane y = 0 of the base. A vector's y changes sign; a rotation's x and z do. A joint takes the place
of its partner, whose name says the other side, and its angle changes sign where the partner's axis says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from humanoid_rl_ext.env.terms import BoundTerm, Picks
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.robot.description import Joint, RobotDescription

if TYPE_CHECKING:
    from humanoid_rl_ext.env.vec_env import VecEnv

POLAR, AXIAL = (1.0, -1.0, 1.0), (-1.0, 1.0, -1.0)
SIDES = {"left": "right", "right": "left", "l": "r", "r": "l"}
FIXED: dict[str, tuple[float, ...]] = {
    "root_height": (1.0,),
    "root_lin_vel": POLAR,
    "root_ang_vel": AXIAL,
    "projected_gravity": POLAR,
    "heading": (1.0, -1.0),
    "target_position": POLAR,
}
"""Signs of observations that stay in their place."""
COMMANDS: dict[str, tuple[float, ...]] = {
    "velocity": (1.0, -1.0, -1.0),
    "target": POLAR,
    "base_height": (1.0,),
}
"""Signs of commands, by their term."""
ALONG = 0.99
"""Least cosine between a mirrored axis and its partner's."""

Places = list[tuple[int, float]]
"""For each element: whose value it takes, and with which sign."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A permutation with signs; its own inverse."""

    places: torch.Tensor
    """(size,) int64."""
    signs: torch.Tensor
    """(size,)."""

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """(..., size) the mirror image of (..., size) values."""
        return values.index_select(-1, self.places) * self.signs


@dataclass(frozen=True, slots=True)
class Symmetry:
    """The mirror images of everything that goes in and out of a policy."""

    observations: dict[str, Mirror]
    """By group."""
    actions: Mirror


def symmetry(env: VecEnv) -> Symmetry:
    """How to mirror an environment's observations and actions.

    Raises:
        TaskError: for a robot that is not its own mirror image, or an observation whose mirror image is not known.
    """
    robot = env.engine.robot
    joints = mirrored_joints(robot)
    bodies = mirrored_bodies(robot)
    if env.spec.action.kind == "discrete":
        raise TaskError("the mirror image of a choice among moves is not known")
    actions = _among([robot.joint_names.index(name) for name in env.spec.action.names], joints, "control.joints")
    groups = {}
    for group, table in env._observations.items():
        places: Places = []
        for name, term in table.terms.items():
            where = f"observations.{group}.{name}"
            size = term(env.view).shape[-1]
            own = _term(env, term, size, joints, bodies, actions, where)
            places += [(len(places) + place, sign) for place, sign in own]
        if table.sensing is not None:
            shown = list(zip(table.sensing.columns, table.sensing.lags, strict=True))
            at = {element: index for index, element in enumerate(shown)}
            places = [(at[places[column][0], lag], places[column][1]) for column, lag in shown]
        groups[group] = _mirror(places, env.device)
    return Symmetry(groups, _mirror(actions, env.device))


def other_side(name: str) -> str:
    """The name with left and right exchanged, in any of the usual spellings; the name itself where it has no side."""

    def swapped(found: re.Match[str]) -> str:
        word = found.group()
        other = SIDES[word.lower()]
        return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other

    return re.sub(r"left|right|Left|Right|LEFT|RIGHT|(?<![A-Za-z])[lrLR](?![A-Za-z])", swapped, name)


def mirrored_joints(robot: RobotDescription) -> Places:
    """For each joint, its partner and the sign between their angles.

    Raises:
        TaskError: when a partner is missing, or its axis or place is not the mirror image.
    """
    found: Places = []
    names = robot.joint_names
    for joint in robot.joints:
        name = other_side(joint.name)
        if name not in names:
            raise TaskError(f"joint '{joint.name}' has no partner '{name}', so {robot.name} cannot be mirrored")
        partner = robot.joints[names.index(name)]
        found.append((names.index(name), _sign(joint, partner, robot.name)))
    return found


def mirrored_bodies(robot: RobotDescription) -> Places:
    """For each body, its partner; all signs are 1. Raises TaskError when one is missing."""
    names = robot.body_names
    missing = [name for name in names if other_side(name) not in names]
    if missing:
        raise TaskError(f"body '{missing[0]}' has no partner '{other_side(missing[0])}' on the other side")
    return [(names.index(other_side(name)), 1.0) for name in names]


def _sign(joint: Joint, partner: Joint, robot: str) -> float:
    """A reflection turns a rotation's axis into minus its image, and a direction into its image."""
    image = AXIAL if joint.type == "revolute" else POLAR
    cosine = sum(sign * a * b for sign, a, b in zip(image, joint.axis, partner.axis, strict=True))
    if abs(cosine) < ALONG or joint.type != partner.type:
        raise TaskError(f"{robot}: the axes of '{joint.name}' and '{partner.name}' are no mirror images")
    sign = 1.0 if cosine > 0 else -1.0
    if abs(partner.default - sign * joint.default) > 1e-3:
        raise TaskError(f"{robot}: '{joint.name}' and '{partner.name}' do not stand alike, see robot.joints")
    return sign


def _term(
    env: VecEnv, term: BoundTerm, size: int, joints: Places, bodies: Places, actions: Places, where: str
) -> Places:
    name = term.spec.name
    known: dict[str, Callable[[], Places]] = {
        "joint_pos": lambda: _among(_picked(term.param("joints"), len(joints)), joints, where),
        "joint_vel": lambda: _among(_picked(term.param("joints"), len(joints)), joints, where),
        "last_action": lambda: actions,
        "contact_force": lambda: _among(_picked(term.param("bodies"), len(bodies)), bodies, where),
        "body_pos": lambda: _vectors(_among(_picked(term.param("bodies"), len(bodies)), bodies, where)),
        "height_scan": lambda: _grid(term.param("points_x"), term.param("points_y")),
        "command": lambda: _command(env._commands[term.param("command")].term, bodies, where),
    }
    places = known[name]() if name in known else _fixed(FIXED.get(name, ()))
    if len(places) != size:
        raise TaskError(f"{where}: the mirror image of '{name}' is not known")
    return places


def _fixed(signs: Sequence[float]) -> Places:
    return list(enumerate(signs))


def _grid(ahead: int, across: int) -> Places:
    """Lines of points from behind to ahead, the lines from the right to the left."""
    return [((across - 1 - line) * ahead + point, 1.0) for line in range(across) for point in range(ahead)]


def _command(term: BoundTerm, bodies: Places, where: str) -> Places:
    if term.spec.name != "gait":
        return _fixed(COMMANDS.get(term.spec.name, ()))
    picked = _picked(term.param("bodies"), len(bodies))
    feet = _among(picked, bodies, where)
    offsets = term.param("offsets").tolist() or [index / len(feet) for index in range(len(feet))]
    ahead = {round(2 * (offsets[partner] - offset), 5) % 2 for offset, (partner, _) in zip(offsets, feet, strict=True)}
    if ahead != {0.0} and ahead != {1.0}:
        raise TaskError(f"{where}: feet whose partners are neither in step nor half a cycle ahead have no mirror image")
    clock = 1.0 if ahead == {0.0} else -1.0  # half a cycle on, sine and cosine have changed sign
    return [(0, clock), (1, clock), *((2 + foot, 1.0) for foot, _ in feet)]


def _vectors(places: Places) -> Places:
    return [(3 * place + axis, sign) for place, _ in places for axis, sign in enumerate(POLAR)]


def _among(picked: list[int], partners: Places, where: str) -> Places:
    """The picked ones' partners as places among the picked."""
    at = {index: place for place, index in enumerate(picked)}
    if any(partners[index][0] not in at for index in picked):
        raise TaskError(f"{where}: picks one side without the other, so it has no mirror image")
    return [(at[partners[index][0]], partners[index][1]) for index in picked]


def _picked(picks: Picks, total: int) -> list[int]:
    return list(range(total))[picks] if isinstance(picks, slice) else picks.tolist()


def _mirror(places: Places, device: torch.device) -> Mirror:
    return Mirror(
        torch.tensor([place for place, _ in places], device=device),
        torch.tensor([sign for _, sign in places], device=device),
    )
