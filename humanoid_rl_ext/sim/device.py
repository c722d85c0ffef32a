"""The compute devices that engines run on."""

from __future__ import annotations

import torch

from humanoid_rl_ext.errors import DeviceError


def check_device(device: str, engine: str) -> torch.device:
    """The torch device of a device name, for an engine of that name.

    Raises:
        DeviceError: for an unknown name, or for CUDA where this machine has no such device.
    """
    try:
        parsed = torch.device(device)
    except RuntimeError:
        raise DeviceError(f"device '{device}' is unknown; use 'cpu' or 'cuda:0'") from None
    if parsed.type == "cpu":
        return torch.device("cpu")
    if parsed.type != "cuda":
        raise DeviceError(f"{engine} runs on 'cpu' or 'cuda:<index>', not on '{device}'")
    if not torch.cuda.is_available():
        raise DeviceError(f"device '{device}' was asked for, but CUDA is not available here; use device 'cpu'")
    if (parsed.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"device '{device}' was asked for, but there are {torch.cuda.device_count()} CUDA devices")
    return torch.device("cuda", parsed.index or 0)


def used_memory(device: torch.device | str) -> float:
    """Bytes in use on a GPU as its driver sees it: by torch, Warp, PhysX and any other process; 0 for the CPU."""
    if torch.device(device).type == "cpu":
        return 0.0
    free, total = torch.cuda.mem_get_info(device)
    return float(total - free)
