"""``python -m humanoid_rl_ext``: the command line."""

from __future__ import annotations

import os
import sys

from humanoid_rl_ext.cli import main

if __name__ == "__main__":
    status = main()
    try:
        sys.stdout.flush()
        os.dup2(2, 1)  # native libraries may print while they unload, after the result
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)
