"""Draws data/icon.png: the bundled humanoid in mid-stride, from its own geometry.

./hrl python benchmarks/icon.py
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from pictures import draw_robot
from PIL import Image, ImageDraw

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.kinematics import Kinematics
from humanoid_rl_ext.robot.visuals import read_visuals
from humanoid_rl_ext.ui.viewport.camera import Camera
from humanoid_rl_ext.ui.viewport.shapes import Surface

ICON = Path(__file__).resolve().parent.parent / "data" / "icon.png"
SIZE, SHARPER = 256, 4
"""Width in pixels, and how many times larger it is drawn before it is made smaller."""
STRIDE = {
    "left_hip_pitch": -0.8,
    "left_knee": 0.9,
    "left_ankle_pitch": -0.1,
    "right_hip_pitch": 0.35,
    "right_knee": 0.4,
    "right_ankle_pitch": -0.3,
    "left_shoulder_pitch": 0.6,
    "right_shoulder_pitch": -0.6,
    "left_elbow": -1.0,
    "right_elbow": -1.0,
}
"""Joints away from the standing pose (rad)."""
DARK, GREEN = (27, 25, 23, 255), (118, 185, 0)


def main() -> None:
    robot = load_robot("humanoid")
    joints = [STRIDE.get(joint.name, joint.default) for joint in robot.joints]
    positions, quats = Kinematics(robot).body_poses((0.0, 0.0, robot.standing_height), robot.standing_rotation, joints)
    camera = Camera(azimuth=math.radians(-55.0), elevation=math.radians(8.0))
    surface = Surface(read_visuals(robot))
    pose = np.concatenate([positions, quats], axis=1)
    camera.frame(surface.placed(pose), 1.0)
    side = SIZE * SHARPER
    picture = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), radius=side // 6, fill=DARK)
    draw.ellipse((0.2 * side, 0.86 * side, 0.8 * side, 0.95 * side), fill=(*(c // 3 for c in GREEN), 255))
    camera.distance *= 1.1
    draw_robot(picture, surface, pose, camera, green)
    picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(ICON, optimize=True)
    print(f"{ICON.name}, {ICON.stat().st_size / 1e3:.0f} kB")


def green(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """The same brightness in the icon's colour."""
    light = sum(colour) / 3.0 / 165.0
    red, middle, blue = (min(255, round(channel * light)) for channel in GREEN)
    return red, middle, blue


if __name__ == "__main__":
    main()
