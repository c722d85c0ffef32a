"""The arrays of an articulation view: where PhysX keeps them, and Kit's rules for reading and writing them."""

from __future__ import annotations

from typing import Any

import torch

from standin.arrays import READ_ONLY, READ_WRITE
from standin.physics import LoadedStage

_BYTES = frozenset({"drive_types", "disable_gravities"})


class TorchFrontend:
    """Torch tensors in and out."""

    def show(self, tensor: torch.Tensor) -> Any:
        """What the caller of a getter gets for a tensor, without a copy."""
        return tensor

    def take(self, data: Any, dtype: torch.dtype) -> torch.Tensor:
        """The tensor in what a caller gave.

        Raises:
            TypeError: for anything but a contiguous torch tensor of that type on the CPU.
        """
        if not isinstance(data, torch.Tensor):
            raise TypeError(f"a torch tensor is needed, not {type(data).__name__}")
        if data.dtype != dtype or data.device.type != "cpu":
            raise TypeError(f"a tensor of {dtype} on the cpu is needed, not {data.dtype} on {data.device}")
        return data.contiguous()


class WarpFrontend(TorchFrontend):
    """Warp arrays in and out."""

    def show(self, tensor: torch.Tensor) -> Any:
        """A Warp array on the tensor's memory."""
        import warp

        warp.init()
        return warp.from_torch(tensor)

    def take(self, data: Any, dtype: torch.dtype) -> torch.Tensor:
        """The tensor on a Warp array's memory."""
        import warp

        if not isinstance(data, warp.array):
            raise TypeError(f"a Warp array is needed, not {type(data).__name__}")
        return super().take(warp.to_torch(data), dtype)


class Rows:
    """The arrays of some articulations of a loaded stage, each read into one tensor for good."""

    def __init__(self, stage: LoadedStage, pattern: str | list[str], frontend: TorchFrontend) -> None:
        """Finds the articulations; ``paths`` are in the order of the alphabet."""
        self.stage = stage
        self._frontend = frontend
        self._bindings: dict[str, Any] = {}
        self._tensors: dict[str, torch.Tensor] = {}
        self._shown: dict[str, Any] = {}
        patterns = [pattern] if isinstance(pattern, str) else pattern
        if any("**" in entry for entry in patterns):
            raise ValueError(f"{patterns}: '*' matches within one name of a path, '**' is not a pattern here")
        found = {path for entry in patterns for path in stage.bind("ROOT_POSE", pattern=entry).prim_paths}
        self.paths = sorted(found)

    def binding(self, name: str) -> Any:
        """PhysX' binding of an array."""
        if name not in self._bindings:
            array = {**READ_WRITE, **READ_ONLY, "link_wrenches": "LINK_WRENCH"}[name]
            self._bindings[name] = self.stage.bind(array, prim_paths=self.paths)
        return self._bindings[name]

    def read(self, name: str) -> torch.Tensor:
        """The array's one tensor, refilled."""
        if name not in self._tensors:
            dtype = torch.uint8 if name in _BYTES else torch.float32
            self._tensors[name] = torch.zeros(self.binding(name).shape, dtype=dtype)
        tensor = self._tensors[name]
        if tensor.numel():
            self.binding(name).read(tensor)
        return tensor

    def get(self, name: str) -> Any:
        """What the getter of an array returns: the same object each time."""
        tensor = self.read(name)
        if name not in self._shown:
            self._shown[name] = self._frontend.show(tensor)
        return self._shown[name]

    def set(self, name: str, data: Any, indices: Any) -> None:
        """Writes the rows of full-size ``data`` that ``indices`` names.

        Raises:
            TypeError: for other types than float32 (uint8 for flags) and int32.
            ValueError: for another shape, an index that is not there, or friction that crashes PhysX.
        """
        binding = self.binding(name)
        values = self._frontend.take(data, torch.uint8 if name in _BYTES else torch.float32)
        if values.numel() != torch.Size(binding.shape).numel():
            raise ValueError(f"{name}: full-size data {tuple(binding.shape)} is needed, not {tuple(values.shape)}")
        values = values.reshape(binding.shape)
        rows = self.rows(indices)
        if name == "material_properties" and not _survivable(values[rows.long()]):
            raise ValueError("friction below 0, restitution outside 0 to 1, or NaN")
        if rows.numel() and values.numel():
            binding.write(values, indices=rows)

    def rows(self, indices: Any) -> torch.Tensor:
        """The rows in a caller's indices."""
        rows = self._frontend.take(indices, torch.int32).flatten()
        if rows.numel() and not 0 <= int(rows.min()) <= int(rows.max()) < len(self.paths):
            raise ValueError(f"indices {rows.tolist()} name a row outside 0 to {len(self.paths) - 1}")
        return rows

    def vectors(self, data: Any) -> torch.Tensor:
        """(count, links, 3) in what a caller gave, zeros for None."""
        shape = (*self.binding("link_transforms").shape[:2], 3)
        return torch.zeros(shape) if data is None else self._frontend.take(data, torch.float32).reshape(shape)


def _survivable(materials: torch.Tensor) -> bool:
    return bool((materials >= 0.0).all() and (materials[..., 2] <= 1.0).all())
