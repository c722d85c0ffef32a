"""The stand-in for NVIDIA's driver library is a real library that says there is no device."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from humanoid_rl_ext.hosts.libcuda import SYMBOLS, stand_in

REPOSITORY = Path(__file__).resolve().parents[2]
NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE


def test_every_function_of_the_stand_in_says_that_there_is_no_device(tmp_path):
    file = tmp_path / "libcuda-stand-in.so"
    file.write_bytes(stand_in(platform.machine()))
    library = ctypes.CDLL(str(file))
    assert [getattr(library, name)() for name in SYMBOLS] == [NO_DEVICE] * len(SYMBOLS)


def test_torch_still_knows_that_there_is_no_gpu():
    pytest.importorskip("torch")
    code = "from humanoid_rl_ext.hosts.libcuda import ensure_libcuda as e; s = e(); import torch; "
    code += "print(not s or not torch.cuda.is_available())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=REPOSITORY)
    assert done.stdout.strip() == "True", done.stderr
