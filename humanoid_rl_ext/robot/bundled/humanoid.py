"""The humanoid: 1.5 m, 45 kg, twenty-one motors in series."""

from __future__ import annotations

from humanoid_rl_ext.robot.bundled.parts import Link, Motor, Robot, Vec, box, capsule, sphere

SHELL, DARK, ACCENT, JOINT = (0.82, 0.84, 0.87), (0.22, 0.24, 0.28), (0.93, 0.42, 0.16), (0.35, 0.38, 0.43)

THIGH = SHANK = 0.34
ANKLE_HEIGHT = 0.07
HIP_WIDTH = 0.09
HIP_DROP = 0.05


def humanoid() -> Robot:
    """Waist yaw, roll, pitch; legs of hip yaw, roll, pitch, knee, ankle pitch, roll; arms of three joints."""
    pelvis = Link(
        "pelvis",
        5.4,
        (capsule("bowl", (0.0, -0.07, 0.0), (0.0, 0.07, 0.0), 0.075),),
        DARK,
        at=(0.0, 0.0, ANKLE_HEIGHT + SHANK + THIGH + HIP_DROP),
    )
    links = [pelvis, *_trunk()]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        links += _leg(side, sign)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        links += _arm(side, sign)
    return Robot("humanoid", tuple(links), doc=humanoid.__doc__ or "")


def _mirrored(limits: tuple[float, float], sign: float) -> tuple[float, float]:
    """Limits given for the left side, for a turn about x or z whose sense flips on the right side."""
    return limits if sign > 0 else (-limits[1], -limits[0])


def _trunk() -> list[Link]:
    waist = Link(
        "waist",
        1.0,
        (sphere("hub", 0.06, collides=False),),
        JOINT,
        "pelvis",
        (0.0, 0.0, 0.1),
        Motor("abdomen_yaw", "Z", (-0.9, 0.9), 150.0, 6.0, 100.0, 12.0, 0.03),
    )
    lumbar = Link(
        "lumbar",
        1.0,
        (sphere("hub", 0.06, collides=False),),
        JOINT,
        "waist",
        (0.0, 0.0, 0.03),
        Motor("abdomen_roll", "X", (-0.5, 0.5), 150.0, 6.0, 100.0, 12.0, 0.03),
    )
    torso = Link(
        "torso",
        12.0,
        (
            box("chest", (0.16, 0.25, 0.22), (0.0, 0.0, 0.2)),
            capsule("belly", (0.0, -0.05, 0.05), (0.0, 0.05, 0.05), 0.065),
            sphere("head", 0.1, (0.01, 0.0, 0.47)),
            box("visor", (0.03, 0.13, 0.05), (0.1, 0.0, 0.48), collides=False, colour=DARK),
        ),
        SHELL,
        "lumbar",
        (0.0, 0.0, 0.02),
        Motor("abdomen_pitch", "Y", (-0.5, 1.2), 150.0, 6.0, 100.0, 12.0, 0.03),
    )
    return [waist, lumbar, torso]


def _leg(side: str, sign: float) -> list[Link]:
    def motor(
        name: str, axis: str, limits: tuple[float, float], gains: tuple[float, float], effort: float, armature: float
    ) -> Motor:
        flips = axis != "Y"
        return Motor(
            f"{side}_{name}", axis, _mirrored(limits, sign) if flips else limits, *gains, effort, 20.0, armature
        )

    return [
        Link(
            f"{side}_hip_yaw_link",
            0.9,
            (sphere("hub", 0.055, collides=False),),
            JOINT,
            "pelvis",
            (0.0, sign * HIP_WIDTH, -HIP_DROP),
            motor("hip_yaw", "Z", (-0.8, 0.8), (80.0, 4.0), 80.0, 0.02),
        ),
        Link(
            f"{side}_hip_roll_link",
            0.9,
            (sphere("hub", 0.055, collides=False),),
            JOINT,
            f"{side}_hip_yaw_link",
            (0.0, 0.0, 0.0),
            motor("hip_roll", "X", (-0.35, 0.7), (120.0, 5.0), 120.0, 0.03),
        ),
        Link(
            f"{side}_thigh",
            4.2,
            (capsule("bone", (0.0, 0.0, -0.1), (0.0, 0.0, -THIGH + 0.04), 0.06),),
            SHELL,
            f"{side}_hip_roll_link",
            (0.0, 0.0, 0.0),
            motor("hip_pitch", "Y", (-2.0, 0.6), (120.0, 5.0), 140.0, 0.04),
        ),
        Link(
            f"{side}_shank",
            2.4,
            (capsule("bone", (0.0, 0.0, -0.03), (0.0, 0.0, -SHANK + 0.07), 0.045),),
            DARK,
            f"{side}_thigh",
            (0.0, 0.0, -THIGH),
            motor("knee", "Y", (-0.02, 2.3), (150.0, 5.0), 150.0, 0.04),
        ),
        Link(
            f"{side}_ankle",
            0.5,
            (sphere("hub", 0.035, collides=False),),
            JOINT,
            f"{side}_shank",
            (0.0, 0.0, -SHANK),
            motor("ankle_pitch", "Y", (-0.9, 0.6), (80.0, 3.0), 60.0, 0.02),
        ),
        Link(
            f"{side}_foot",
            0.9,
            (box("sole", (0.2, 0.09, 0.04), (0.03, 0.0, -ANKLE_HEIGHT + 0.02), colour=ACCENT),),
            SHELL,
            f"{side}_ankle",
            (0.0, 0.0, 0.0),
            motor("ankle_roll", "X", (-0.4, 0.4), (50.0, 2.0), 40.0, 0.015),
        ),
    ]


def _arm(side: str, sign: float) -> list[Link]:
    outward: Vec = (0.0, sign * 0.05, 0.0)
    return [
        Link(
            f"{side}_shoulder",
            0.6,
            (sphere("hub", 0.05, collides=False),),
            JOINT,
            "torso",
            (0.0, sign * 0.16, 0.27),
            Motor(f"{side}_shoulder_pitch", "Y", (-2.8, 1.2), 60.0, 3.0, 50.0, 20.0, 0.015),
        ),
        Link(
            f"{side}_upper_arm",
            1.2,
            (capsule("bone", (0.0, sign * 0.02, -0.03), (0.0, sign * 0.05, -0.2), 0.04),),
            SHELL,
            f"{side}_shoulder",
            (0.0, sign * 0.03, 0.0),
            Motor(f"{side}_shoulder_roll", "X", _mirrored((-0.2, 2.2), sign), 60.0, 3.0, 50.0, 20.0, 0.015),
        ),
        Link(
            f"{side}_forearm",
            1.2,
            (
                capsule("bone", (0.0, 0.0, -0.04), (0.0, 0.0, -0.17), 0.033, colour=DARK),
                sphere("hand", 0.045, (0.0, 0.0, -0.24), colour=ACCENT),
            ),
            DARK,
            f"{side}_upper_arm",
            (0.0, outward[1], -0.24),
            Motor(f"{side}_elbow", "Y", (-2.2, 0.05), 40.0, 2.0, 40.0, 20.0, 0.01),
        ),
    ]
