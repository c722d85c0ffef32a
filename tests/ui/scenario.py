"""A user's first hour in the Studio, click by click, on real physics: run by test_studio.py and for the docs' pictures.

python tests/ui/scenario.py --size 1280x720 --pictures FOLDER
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.update(OMNIUI_HEADLESS="1", OMNIUI_BACKEND="vulkan")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from humanoid_rl_ext.hosts.libcuda import ensure_libcuda

ensure_libcuda()

from driver import Driver
from layout import flaws
from omni import ui

from humanoid_rl_ext.hosts.studio import Studio
from humanoid_rl_ext.hosts.studio_window import PANEL, PLOTS, VIEWPORT
from humanoid_rl_ext.ui.draft import Draft

ROBOTS = Path(__file__).parents[2] / "data" / "robots"


class StudioDriver(Driver):
    """A user in front of the Studio: between two frames the Studio works, as in its own loop."""

    def __init__(self, studio: Studio, pictures: Path) -> None:
        super().__init__()
        self.studio, self.pictures = studio, pictures
        self.bench = studio.workbench
        self.windows = studio.window.windows
        self.num_envs, self.iterations = 16, 6

    async def frames(self, count: int = 3) -> None:
        for _ in range(count):
            self.studio.interacted()
            self.studio.work()
            self.studio.draw()
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        """Lets some time pass at the Studio's own pace."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            self.studio.work()
            self.studio.draw()
            await asyncio.sleep(0)

    def panel(self, id: str, kind: type | None = None) -> Any:
        """A widget of the panel."""
        return self.find(self.windows[PANEL], kind, id=id)

    async def press_button(self, id: str) -> None:
        """Clicks a button of the panel."""
        await self.click(self.panel(id))

    async def open_tab(self, title: str) -> None:
        """Opens a section of the panel."""
        await self.press_button(f"tab.{title}")
        await self.frames(6)

    async def picture(self, name: str) -> None:
        """Takes a picture of everything, and judges it."""
        await self.frames(4)
        await self.screenshot(self.pictures / f"{name}.png")
        bad = [f"{title}: {flaw}" for title in (PANEL, PLOTS, VIEWPORT) for flaw in flaws(self.windows[title])]
        assert not bad, "\n".join([f"picture '{name}'", *bad])


async def load_a_robot(user: StudioDriver) -> None:
    """Another robot is loaded by button and by path, seen in the viewport, and the first one again."""
    await user.until(lambda: user.bench.robot is not None)
    await user.open_tab("Robot")
    await user.press_button("robot.bundled.walker")
    await user.until(lambda: user.bench.robot.name == "walker")
    await user.type_into(user.panel("robot.source", ui.StringField), str(ROBOTS / "humanoid.usda"))
    await user.until(lambda: user.bench.robot.name == "humanoid")
    await user.press_button("robot.bundled.humanoid")
    await user.until(lambda: user.bench.draft.task.robot.source == "humanoid")
    await user.frames(10)
    await user.picture("robot")
    await user.open_tab("Task")
    await user.picture("task")


async def change_a_reward(user: StudioDriver) -> None:
    """A weight that is no number is refused in place; one that is takes effect, and can be undone."""
    await user.open_tab("Rewards")
    field = user.panel("rewards.alive.weight", ui.StringField)
    before = user.bench.draft.value("rewards.alive.weight")
    await user.type_into(field, "much")
    assert user.bench.draft.value("rewards.alive.weight") == before
    await user.picture("refused")
    await user.type_into(field, "0.75")
    assert user.bench.draft.value("rewards.alive.weight") == 0.75
    await user.picture("rewards")


async def train(user: StudioDriver) -> None:
    """Sizes, Start, and curves that grow."""
    await user.open_tab("Training")
    await user.type_into(user.panel("run.num_envs", ui.StringField), str(user.num_envs))
    await user.picture("training_settings")
    await user.press_button("bar.start")
    await user.until(lambda: user.bench.state == "training", 120.0)
    await user.until(lambda: len(user.bench.history) >= user.iterations, 600.0)
    await user.wait(1.5)
    await user.picture("training")


async def edit_while_training(user: StudioDriver) -> None:
    """A weight changes in mid-training: it acts, is logged, and is marked."""
    await user.open_tab("Rewards")
    await user.type_into(user.panel("rewards.alive.weight", ui.StringField), "1.25")
    assert user.bench.session.task.rewards["alive"].weight == 1.25
    edits = (user.bench.run_path / "edits.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(edits[-1])["new"] == 1.25
    assert user.bench.marks[-1].change.path == "rewards.alive.weight"
    rows = len(user.bench.history)
    await user.until(lambda: len(user.bench.history) >= rows + 4, 60.0)
    await user.wait(1.0)
    await user.picture("edited")


async def pause_and_go_on(user: StudioDriver) -> None:
    """A pause holds, a step steps once, and training goes on."""
    await user.press_button("bar.pause")
    steps = user.bench.session.env_steps
    await user.frames(10)
    assert user.bench.state == "paused" and user.bench.session.env_steps == steps
    await user.press_button("bar.pause")
    await user.until(lambda: user.bench.session.env_steps > steps)


async def watch_and_drive(user: StudioDriver) -> None:
    """A checkpoint is saved, played beside the training, driven by a key, pushed, and evaluated."""
    await user.press_button("bar.save")
    await user.until(lambda: user.bench.session.checkpoint is not None)
    await user.open_tab("Policy")
    await user.until(lambda: user.find_all(user.windows[PANEL], id=f"policy.play.{_saved_at(user)}"), 20.0)
    await user.press_button(f"policy.play.{_saved_at(user)}")
    watched = user.bench.session.watched
    assert watched.source == user.bench.session.checkpoint
    user.windows[VIEWPORT].focus()
    await user.frames(3)
    await user.press("W", frames=20)
    assert watched.drives["velocity"][0] > 0.1
    await user.press_button("policy.push.left")
    await user.wait(1.0)
    await user.picture("policy")


def _saved_at(user: StudioDriver) -> int:
    return int(user.bench.session.checkpoint.name.removeprefix("step_"))


async def stop_and_look_back(user: StudioDriver) -> None:
    """Stop saves; the run stands in the list."""
    await user.press_button("bar.stop")
    await user.until(lambda: user.bench.state == "idle")
    await user.open_tab("Runs")
    await user.until(lambda: user.find_all(user.windows[PANEL], id="runs.row.0"), 20.0)
    await user.picture("runs")


async def quit_while_training(user: StudioDriver) -> None:
    """The close button asks, and saves."""
    await user.press_button("bar.start")
    await user.until(lambda: user.bench.session is not None and user.bench.session.env_steps > 0, 120.0)
    user.studio.ask_to_quit()
    await user.frames(6)
    await user.picture("quit")
    await user.click(user.find(user.studio.window.dialog.window, id="dialog.Save and quit"))
    assert user.studio.closing


async def everything(user: StudioDriver) -> None:
    """The whole hour, in order."""
    for chapter in (
        load_a_robot,
        change_a_reward,
        train,
        edit_while_training,
        pause_and_go_on,
        watch_and_drive,
        stop_and_look_back,
        quit_while_training,
    ):
        print(chapter.__name__, flush=True)
        await chapter(user)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--trained", action="store_true", help="train for some minutes, for pictures worth looking at")
    arguments = parser.parse_args()
    width, _, height = arguments.size.partition("x")
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    pictures = arguments.pictures.absolute()
    studio = Studio(Draft.load("humanoid_walk"), size=(int(width), int(height)))
    try:
        user = StudioDriver(studio, pictures)
        if arguments.trained:
            user.num_envs, user.iterations = 128, 120
        asyncio.run(everything(user))
    finally:
        run = studio.workbench.run_path
        studio.close()
    assert run is not None and list((run / "checkpoints").glob("step_*")), "quitting saved nothing"


if __name__ == "__main__":
    main()
