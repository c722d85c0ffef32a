"""``python -m humanoid_rl_ext``: the command line."""

from __future__ import annotations

import sys

from humanoid_rl_ext.cli import main

if __name__ == "__main__":
    sys.exit(main())
