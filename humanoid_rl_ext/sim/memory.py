"""How much memory is free on a device, and a word before more than that is asked for. Imports torch when it must."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from humanoid_rl_ext.errors import BadInputError

if TYPE_CHECKING:
    import torch


def free_gpu_memory(device: torch.device | str) -> float:
    """Bytes that a GPU can hand out, those included that torch keeps from earlier work."""
    import torch

    torch.cuda.empty_cache()
    return float(torch.cuda.mem_get_info(device)[0])


def available_memory() -> float:
    """Bytes that this machine can still hand out; infinite where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return float("inf")
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), float("inf"))


def check_room(what: str, size: float, device: torch.device, way_out: str) -> None:
    """Raises BadInputError when ``size`` bytes are more than a device has free; allocates nothing."""
    free = available_memory() if device.type == "cpu" else free_gpu_memory(device)
    if size > free:
        raise BadInputError(
            f"{what} needs {size / 1e9:,.1f} GB and {free / 1e9:,.1f} GB are free on {device}: {way_out}"
        )


def keep_freed_memory() -> None:
    """Lets the process keep what it frees for its next tensors, where the C library is GNU's.

    Otherwise tensors of a few hundred kB go back to the kernel and come again page by page: some hundred page faults,
    and 5 to 15 % of the time, of a gradient step with 256 x 256 units.
    """
    if sys.platform.startswith("linux"):
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
            library.mallopt(mmap_threshold, 1 << 25)  # the largest that is taken; larger tensors are handled as ever
            library.mallopt(trim_threshold, 1 << 28)
