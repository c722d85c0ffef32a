"""The walker: a robot dog of 15 kg with twelve motors."""

from __future__ import annotations

from humanoid_rl_ext.robot.bundled.parts import Link, Motor, Robot, box, capsule, sphere

WHITE, GRAPHITE, TEAL, RUBBER = (0.86, 0.87, 0.88), (0.2, 0.21, 0.23), (0.1, 0.55, 0.55), (0.08, 0.08, 0.08)

THIGH = SHANK = 0.213
FOOT_RADIUS = 0.022


def walker() -> Robot:
    """Four legs of hip roll, hip pitch and knee; the trunk 0.38 m long, legs of 0.43 m, 15 kg."""
    trunk = Link(
        "trunk",
        7.4,
        (
            box("shell", (0.376, 0.094, 0.114)),
            box("snout", (0.06, 0.08, 0.06), (0.22, 0.0, 0.01), collides=False, colour=GRAPHITE),
        ),
        WHITE,
        at=(0.0, 0.0, THIGH + SHANK + FOOT_RADIUS),
    )
    links = [trunk]
    for end, x in (("front", 0.1934), ("rear", -0.1934)):
        for side, sign in (("left", 1.0), ("right", -1.0)):
            links += _leg(f"{end}_{side}", x, sign)
    return Robot("walker", tuple(links), doc=walker.__doc__ or "")


def _leg(name: str, x: float, sign: float) -> list[Link]:
    # Sideways swing is symmetric in the leg's own sense: outward for the left legs is a positive turn about x.
    roll = (-0.6, 0.9) if sign > 0 else (-0.9, 0.6)
    hip = Link(
        f"{name}_hip",
        0.7,
        (capsule("motor", (0.0, 0.0, 0.0), (0.0, sign * 0.05, 0.0), 0.042, collides=False),),
        GRAPHITE,
        "trunk",
        (x, sign * 0.0465, 0.0),
        Motor(f"{name}_hip_roll", "X", roll, 40.0, 1.0, 25.0, 30.0, 0.01),
    )
    thigh = Link(
        f"{name}_thigh",
        1.0,
        (capsule("bone", (0.0, 0.0, -0.02), (0.0, 0.0, -THIGH + 0.04), 0.024),),
        TEAL,
        hip.name,
        (0.0, sign * 0.0955, 0.0),
        Motor(f"{name}_hip_pitch", "Y", (-1.2, 2.6), 40.0, 1.0, 25.0, 30.0, 0.01),
    )
    shank = Link(
        f"{name}_shank",
        0.2,
        (
            capsule("bone", (0.0, 0.0, -0.01), (0.0, 0.0, -SHANK + 0.02), 0.013),
            sphere("foot", FOOT_RADIUS, (0.0, 0.0, -SHANK), colour=RUBBER),
        ),
        WHITE,
        thigh.name,
        (0.0, 0.0, -THIGH),
        Motor(f"{name}_knee", "Y", (-2.7, -0.7), 40.0, 1.0, 45.0, 20.0, 0.01),
    )
    return [hip, thigh, shank]
