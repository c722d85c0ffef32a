"""Which joints move which limb, from how bodies hang on each other and where the feet and hands are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from humanoid_rl_ext.robot.description import Body, RobotDescription

TRUNK = "trunk"
MIDDLE = 0.01
"""Nearer than this (m) to the plane y = 0 in the zero pose, a limb is on neither side."""


def limbs(robot: RobotDescription) -> dict[str, list[str]]:
    """Names of the joints of each leg, each arm and the trunk, by names such as 'left_leg'; empties are left out.

    What carries one foot or hand is its limb's, and so is what hangs on that; everything else is the trunk's. Legs or
    arms of one side are told apart from front to back.
    """
    ends = {body.name: body for role in ("foot", "hand") for body in robot.bodies if role in body.roles}
    below: dict[str, set[str]] = {body.name: {body.name} & set(ends) for body in robot.bodies}
    for body in reversed(robot.bodies):  # the base first, each after the one that carries it
        if body.parent is not None:
            below[body.parent] |= below[body.name]
    names = _names(list(ends.values()))
    owner: dict[str, str] = {}
    for body in robot.bodies:
        reached = below[body.name]
        if len(reached) == 1:
            owner[body.name] = names[next(iter(reached))]
        else:
            owner[body.name] = TRUNK if reached or body.parent is None else owner[body.parent]
    found: dict[str, list[str]] = {name: [] for name in (*names.values(), TRUNK)}
    for joint in robot.joints:
        found[owner[joint.child]].append(joint.name)
    return {name: joints for name, joints in found.items() if joints}


def pattern_of(picked: Sequence[str], names: Sequence[str]) -> str:
    """A regular expression for those of ``names`` that are ``picked`` and no others, as short as their words allow."""
    words_of = [name.split("_") for name in picked]
    levels = itertools.takewhile(lambda level: len(set(level)) == 1, zip(*words_of, strict=False))
    shared = "".join(f"{level[0]}_" for level in levels)
    words = dict.fromkeys(name[len(shared) :].partition("_")[0] for name in picked)
    short = f"{re.escape(shared)}({'|'.join(map(re.escape, words))}).*"
    if [name for name in names if re.fullmatch(short, name)] == [name for name in names if name in picked]:
        return short
    return "|".join(map(re.escape, picked))


def _names(ends: list[Body]) -> dict[str, str]:
    """A name for the limb of each foot and hand."""
    alike: dict[str, list[Body]] = {}
    for body in ends:
        y = body.position[1]
        side = "" if abs(y) < MIDDLE else "left_" if y > 0.0 else "right_"
        alike.setdefault(side + ("leg" if "foot" in body.roles else "arm"), []).append(body)
    names: dict[str, str] = {}
    for name, bodies in alike.items():
        bodies.sort(key=lambda body: -body.position[0])
        places = {1: [""], 2: ["front_", "rear_"]}.get(len(bodies)) or [f"{n + 1}_" for n in range(len(bodies))]
        names |= {body.name: place + name for body, place in zip(bodies, places, strict=True)}
    return names
