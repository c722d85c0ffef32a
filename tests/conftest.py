"""What holds for all tests: torch's idle threads sleep instead of taking the cores that physics needs."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
