"""Converts one MJCF or URDF file to USD: ``python -m humanoid_rl_ext.robot.conversion FILE FOLDER``.

Prints the path of the USD file as the last line of standard output; a failure ends with status 1 and its reason as
the last line of standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(source: str, folder: str) -> int:
    """Exit status: 0 with the path printed, 1 with the reason on standard error."""
    if Path(source).suffix.lower() == ".urdf":
        from urdf_usd_converter import Converter
    else:
        from mujoco_usd_converter import Converter
    try:
        asset = Converter().convert(source, folder)
    except Exception as error:  # the converters raise whatever their parsers raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        print(lines[-1] if lines else type(error).__name__, file=sys.stderr, flush=True)
        return 1
    print(asset.path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
