"""Makes the pictures in docs/images of the Studio, and data/preview.png: scenario and editors of tests/ui are played.

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
EDITORS = {
    "randomisation": ("randomisation_training", "randomisation_failures"),
    "agents": ("agents_five", "agents_missing"),
}
"""Pictures of ``tests/ui/test_<name>_section.py`` that are shown side by side."""
EDITOR = (24, 4, 464, 714)
"""Where those tests have their window."""
GAP = 8
KEPT = ("robot", "task", "refused", "training", "edited", "policy", "runs")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        taken = Path(home) / "pictures"
        command = [sys.executable, str(REPOSITORY / "tests/ui/scenario.py"), "--pictures", str(taken), "--trained"]
        subprocess.run(command, check=True, env={**os.environ, "HUMANOID_RL_HOME": home})
        for name in KEPT:
            keep(Image.open(taken / f"{name}.png"), PICTURES / f"{name}.png")
        shutil.copy(PICTURES / "edited.png", PREVIEW)
    for name in EDITORS:
        editor(name)


def editor(name: str) -> None:
    """Makes an editor's picture from those of its tests."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "pytest", "-q", str(REPOSITORY / f"tests/ui/test_{name}_section.py")]
        variables = {"HUMANOID_RL_HOME": home, "HUMANOID_RL_SCREENSHOTS": home}
        subprocess.run(command, check=True, cwd=REPOSITORY, env={**os.environ, **variables})
        parts = [Image.open(Path(home) / f"{part}.png").crop(EDITOR) for part in EDITORS[name]]
        whole = Image.new("RGB", (sum(part.width + GAP for part in parts) - GAP, parts[0].height), "white")
        for index, part in enumerate(parts):
            whole.paste(part, (index * (part.width + GAP), 0))
        keep(whole, PICTURES.parent / f"{name}.png")


def keep(picture: Image.Image, path: Path) -> None:
    """Writes a picture in 256 colours."""
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
