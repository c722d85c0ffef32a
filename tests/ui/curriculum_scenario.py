"""A humanoid is trained through stages in the Studio, for the picture in docs/curriculum.md.

python tests/ui/curriculum_scenario.py --picture docs/images/curriculum.png --seconds 120
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from PIL import Image
from scenario import StudioDriver

from humanoid_rl_ext.hosts.studio import Studio
from humanoid_rl_ext.ui.draft import Draft

STAGES = {
    "standing": {
        "set": {"commands.velocity.params.lin_vel_x": [0.0, 0.0], "reward_scale": 1.0},
        "advance": {"by": "return", "above": -4.2, "min_episodes": 300, "window": 100},
    },
    "slow": {
        "set": {"commands.velocity.params.lin_vel_x": [0.0, 0.5], "reward_scale": 1.2},
        "advance": {"by": "return", "above": -4.0, "min_episodes": 500, "window": 200},
    },
    "fast": {
        "set": {"commands.velocity.params.lin_vel_x": [-0.5, 1.5], "reward_scale": 1.5},
        "advance": None,
    },
}


async def train_through_stages(user: StudioDriver, seconds: float) -> None:
    """Trains for a while with the second stage open."""
    user.bench.edit("run.num_envs", 64)
    user.bench.edit("curriculum.stages", STAGES)
    await user.open_tab("Curriculum")
    await user.press_button("curriculum.stages.slow:open")
    await user.press_button("bar.start")
    await user.until(lambda: user.bench.session is not None, 120.0)
    await user.wait(seconds)
    await user.picture("curriculum")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--picture", type=Path, required=True)
    arguments = parser.parse_args()
    width, _, height = arguments.size.partition("x")
    picture = arguments.picture.absolute()
    studio = Studio(Draft.load("humanoid_walk"), size=(int(width), int(height)))
    with tempfile.TemporaryDirectory() as folder:
        try:
            asyncio.run(train_through_stages(StudioDriver(studio, Path(folder)), arguments.seconds))
        finally:
            studio.close()
        taken = Image.open(Path(folder) / "curriculum.png").convert("RGB")
        taken.quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    main()
