"""The robots that come with the project; ``python -m humanoid_rl_ext.robot.bundled`` writes their files."""

from __future__ import annotations

from pathlib import Path

ROBOTS_FOLDER = Path(__file__).parents[3] / "data" / "robots"
BUNDLED = ("cartpole", "humanoid", "walker")


def bundled_robots() -> list[str]:
    """Names of the bundled robots, in alphabetical order."""
    return list(BUNDLED)


def bundled_path(name: str) -> Path:
    """The USD file of a bundled robot."""
    return ROBOTS_FOLDER / f"{name}.usda"


def write_bundled_robots(folder: Path = ROBOTS_FOLDER) -> list[Path]:
    """Writes every bundled robot into ``folder``; the same bytes every time. Returns the files."""
    from humanoid_rl_ext.robot.bundled.author import author
    from humanoid_rl_ext.robot.bundled.cartpole import cartpole
    from humanoid_rl_ext.robot.bundled.humanoid import humanoid
    from humanoid_rl_ext.robot.bundled.walker import walker

    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for make in (cartpole, humanoid, walker):
        robot = make()
        files.append(folder / f"{robot.name}.usda")
        author(robot, files[-1])
    return files


__all__ = ["BUNDLED", "ROBOTS_FOLDER", "bundled_path", "bundled_robots", "write_bundled_robots"]
