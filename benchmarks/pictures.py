"""Draws a robot without a GPU or a window, for the icon and for films in docs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from humanoid_rl_ext.ui.viewport.camera import FIELD_OF_VIEW, Camera
from humanoid_rl_ext.ui.viewport.shapes import Surface

Array = NDArray[np.float64]
Colour = tuple[int, int, int]


def screen(points: Array, camera: Camera, width: int, height: int) -> tuple[Array, Array]:
    """Pixels (n, 2) of points (n, 3) in the world, and their distance along the view (n,)."""
    seen = (np.c_[points, np.ones(len(points))] @ camera.view())[:, :3]
    depth = -seen[:, 2]
    flat = seen[:, :2] / np.maximum(depth, 1e-3)[:, None] / math.tan(FIELD_OF_VIEW / 2.0)
    return np.c_[0.5 * width + 0.5 * height * flat[:, 0], 0.5 * height - 0.5 * height * flat[:, 1]], depth


def draw_robot(
    picture: Image.Image,
    surface: Surface,
    pose: Array,
    camera: Camera,
    tint: Callable[[Colour], Colour] = lambda colour: colour,
) -> None:
    """Draws the robot's faces from the farthest to the nearest; ``pose`` is (bodies, 7)."""
    faces = surface.seen(pose, camera.eye)
    pixels, depth = screen(faces.positions, camera, *picture.size)
    draw = ImageDraw.Draw(picture)
    starts = np.cumsum([0, *faces.counts])
    polygons = [faces.corners[start:end] for start, end in itertools.pairwise(starts)]
    for index in np.argsort([-depth[polygon].mean() for polygon in polygons]):
        code = int(faces.colours[starts[index]])
        colour = (code & 255, code >> 8 & 255, code >> 16 & 255)
        draw.polygon([tuple(point) for point in pixels[polygons[index]]], fill=tint(colour))


def draw_grid(picture: Image.Image, camera: Camera, colour: Colour, reach: int = 6) -> None:
    """Draws lines of 1 m squares on the ground around the camera's target."""
    draw = ImageDraw.Draw(picture)
    middle = np.round(camera.target[:2])
    for k in range(-reach, reach + 1):
        for ends in (((k, -reach), (k, reach)), ((-reach, k), (reach, k))):
            start, end = (np.array([*(middle + place), 0.0]) for place in ends)
            line = np.linspace(start, end, 25)
            pixels, depth = screen(line, camera, *picture.size)
            for (a, b), (near, far) in zip(itertools.pairwise(pixels), itertools.pairwise(depth), strict=True):
                if near > 0.1 and far > 0.1:
                    draw.line([tuple(a), tuple(b)], fill=colour)
