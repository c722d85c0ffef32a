"""Makes docs/images/terrain.png: the terrain editor beside a robot on the terrain.

./hrl python benchmarks/terrain_screenshot.py
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY / "tests" / "ui")]
PICTURE = REPOSITORY / "docs" / "images" / "terrain.png"
ENVIRONMENT = 71
"""Stands on stairs that lead down, on level 3."""
SCROLLED = 312
"""How far down the section is scrolled (pixels), so that kinds and picture are both seen."""


async def look(user) -> None:
    """Opens the editor while a run stands on the ground that it shows."""
    from omni import ui

    from humanoid_rl_ext.hosts.studio_window import PANEL

    await user.until(lambda: user.bench.robot is not None)
    await user.open_tab("Task")
    await user.press_button("task.Terrain")
    user.bench.start()
    await user.until(lambda: user.bench.session is not None, 180.0)
    user.bench.pause()
    await user.until(lambda: user.panel("scene.terrain:caption").text.startswith("Heights"))
    [scrolling] = user.find_all(user.windows[PANEL], ui.ScrollingFrame)
    scrolling.scroll_y = SCROLLED
    viewport = user.studio.window.viewport.model
    viewport.choose(ENVIRONMENT)
    viewport.camera.distance *= 1.4
    viewport.camera.elevation = 0.45
    await user.wait(2.0)
    await user.screenshot(user.pictures / "terrain.png")
    user.bench.stop()
    user.bench.resume()
    await user.until(lambda: user.bench.state == "idle", 60.0)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["HUMANOID_RL_HOME"] = home
        from scenario import StudioDriver

        from humanoid_rl_ext.hosts.studio import Studio
        from humanoid_rl_ext.ui.draft import Draft

        draft = Draft.load("humanoid_walk_rough")
        draft.edit("run.num_envs", 79)
        studio = Studio(draft, size=(1280, 720))
        try:
            asyncio.run(look(StudioDriver(studio, Path(home))))
        finally:
            studio.close()
        Image.open(Path(home) / "terrain.png").convert("RGB").save(PICTURE, optimize=True)
    print(f"{PICTURE.name}, {PICTURE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
