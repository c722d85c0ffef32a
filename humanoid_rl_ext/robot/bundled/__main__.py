"""Writes the bundled robots into data/robots."""

from __future__ import annotations

from humanoid_rl_ext.robot.bundled import write_bundled_robots

if __name__ == "__main__":
    for path in write_bundled_robots():
        print(path)
