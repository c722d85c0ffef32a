"""Films a policy as an animated picture: a checkpoint is played on the CPU and driven through a script of commands.

./hrl python benchmarks/film.py RUN docs/images/walk.webp --engine newton
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from pictures import draw_grid, draw_robot
from PIL import Image, ImageDraw, ImageFont

from humanoid_rl_ext.robot.visuals import read_visuals
from humanoid_rl_ext.train.player import open_player
from humanoid_rl_ext.ui.viewport.camera import Camera
from humanoid_rl_ext.ui.viewport.shapes import Surface

SCRIPT = (
    (1.5, (0.0, 0.0, 0.0), "stand"),
    (3.5, (1.0, 0.0, 0.0), "forward 1 m/s"),
    (3.0, (0.5, 0.0, 0.8), "forward and turn"),
    (2.5, (0.0, 0.4, 0.0), "to the left"),
    (2.5, (-0.4, 0.0, 0.0), "back"),
)
"""Seconds, velocity command (forward, left, turn), caption."""
SIZE, SHARPER, RATE = (420, 320), 2, 16
BACKGROUND, GRID, TEXT = (27, 25, 23), (70, 68, 66), (230, 227, 223)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("film", type=Path)
    parser.add_argument("--engine", default="ovphysx")
    arguments = parser.parse_args()
    player = open_player(arguments.run, device="cpu", engine=arguments.engine)
    env, robot = player.env, player.env.engine.robot
    surface, camera = Surface(read_visuals(robot)), Camera(azimuth=-0.9, elevation=0.25, distance=3.6)
    every = max(1, round(1.0 / RATE / env.view.dt))
    frames: list[Image.Image] = []
    for seconds, command, caption in SCRIPT:
        player.watch.drive("velocity", command)
        errors = []
        for step in range(round(seconds / env.view.dt)):
            player.step_once()
            errors.append(np.abs(env.view.yaw_velocity[0].numpy() - command[:2]))
            if step % every == 0:
                frames.append(picture(surface, env.engine.state.body_pose[0].double().numpy(), camera, caption))
        print(f"{caption}: mean error {np.mean(errors[len(errors) // 3 :], axis=0).round(3)} m/s")
    player.close()
    frames[0].save(
        arguments.film,
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 * every * env.view.dt),
        loop=0,
        quality=50,
        method=4,
    )
    print(f"{arguments.film.name}: {len(frames)} pictures, {arguments.film.stat().st_size / 1e3:.0f} kB")


def picture(surface: Surface, pose: np.ndarray, camera: Camera, caption: str) -> Image.Image:
    """One frame; the camera follows the base."""
    camera.target = np.array([pose[0, 0], pose[0, 1], 0.65])
    large = Image.new("RGB", (SIZE[0] * SHARPER, SIZE[1] * SHARPER), BACKGROUND)
    draw_grid(large, camera, GRID)
    draw_robot(large, surface, pose, camera)
    frame = large.resize(SIZE, Image.Resampling.LANCZOS)
    ImageDraw.Draw(frame).text((12, 10), caption, fill=TEXT, font=ImageFont.load_default(16))
    return frame


if __name__ == "__main__":
    main()
