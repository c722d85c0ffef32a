"""Makes the Studio's pictures in docs/images/studio, and data/preview.png: the scenario of tests/ui is played.

    ./hrl python benchmarks/screenshots.py

The pictures are reduced to 256 colours, which cannot be told from the original and takes a quarter of the room.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
PICTURES = REPOSITORY / "docs" / "images" / "studio"
PREVIEW = REPOSITORY / "data" / "preview.png"
KEPT = ("robot", "task", "refused", "training", "edited", "policy", "runs")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        taken = Path(home) / "pictures"
        command = [sys.executable, str(REPOSITORY / "tests/ui/scenario.py"), "--pictures", str(taken), "--trained"]
        subprocess.run(command, check=True, env={**os.environ, "HUMANOID_RL_HOME": home})
        for name in KEPT:
            picture = Image.open(taken / f"{name}.png").convert("RGB").quantize(256, dither=Image.Dither.NONE)
            picture.save(PICTURES / f"{name}.png", optimize=True)
            print(f"{name}.png, {(PICTURES / f'{name}.png').stat().st_size / 1e3:.0f} kB")
        shutil.copy(PICTURES / "edited.png", PREVIEW)


if __name__ == "__main__":
    main()
