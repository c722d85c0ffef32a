"""The cartpole: a pole that turns freely on a cart that slides along a rail."""

from __future__ import annotations

from humanoid_rl_ext.robot.bundled.parts import UNLIMITED, Link, Motor, Robot, box, capsule

STEEL, BLUE, ORANGE = (0.45, 0.47, 0.5), (0.16, 0.36, 0.66), (0.9, 0.49, 0.13)


def cartpole() -> Robot:
    """A cart of 1 kg on 6 m of rail and a pole of 0.1 kg, 1 m long; both drives are slack (gains of zero)."""
    rail = Link("rail", 10.0, (box("beam", (6.6, 0.06, 0.06), collides=False),), STEEL, at=(0.0, 0.0, 1.5))
    cart = Link(
        "cart",
        1.0,
        (box("block", (0.3, 0.2, 0.16), collides=False),),
        BLUE,
        "rail",
        motor=Motor("slider", "X", (-3.0, 3.0), 0.0, 0.0, 400.0, 100.0, 0.0, "prismatic"),
    )
    pole = Link(
        "pole",
        0.1,
        (capsule("rod", (0.0, 0.0, 0.02), (0.0, 0.0, 0.98), 0.02, collides=False),),
        ORANGE,
        "cart",
        at=(0.0, -0.13, 0.0),
        motor=Motor("hinge", "Y", UNLIMITED, 0.0, 0.0, 400.0, 100.0, 0.0),
    )
    return Robot("cartpole", (rail, cart, pole), fixed_base=True, doc=cartpole.__doc__ or "")
