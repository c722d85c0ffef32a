"""Nested state (dicts, lists, tensors, plain values) as one safetensors file and one JSON tree, and back. No pickle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

_TENSOR, _ARRAY, _ITEMS, _TUPLE, _FLOAT = "$tensor", "$array", "$items", "$tuple", "$float"
_MARKS = (_TENSOR, _ARRAY, _ITEMS, _TUPLE, _FLOAT)


def flatten(state: Any) -> tuple[Any, dict[str, torch.Tensor]]:
    """A JSON tree in which ``{"$tensor": name}`` stands for each tensor, and the tensors by name, on the CPU.

    Names are paths such as ``learner/policy/0.weight``. Numpy arrays travel as tensors; dicts with keys other than
    text, tuples and non-finite floats are marked so that they come back as they were.

    Raises:
        TypeError: for a value that is none of these; the message names its path.
    """
    tensors: dict[str, torch.Tensor] = {}
    return _flatten(state, (), tensors), tensors


def unflatten(tree: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The state that ``flatten`` took apart; raises KeyError when the tree names a tensor that is not there."""
    if isinstance(tree, list):
        return [unflatten(item, tensors) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if len(tree) == 1:
        mark, value = next(iter(tree.items()))
        if mark == _TENSOR:
            return tensors[value]
        if mark == _ARRAY:
            return tensors[value].numpy()
        if mark == _ITEMS:
            return {key: unflatten(item, tensors) for key, item in value}
        if mark == _TUPLE:
            return tuple(unflatten(item, tensors) for item in value)
        if mark == _FLOAT:
            return float(value)
    return {key: unflatten(item, tensors) for key, item in tree.items()}


def _flatten(value: Any, path: tuple[str, ...], tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        # A copy of its own: safetensors refuses tensors that share memory.
        tensors["/".join(path)] = value.detach().to("cpu", copy=True).contiguous()
        return {_TENSOR: "/".join(path)}
    if isinstance(value, np.ndarray):
        tensors["/".join(path)] = torch.from_numpy(np.array(value, order="C"))
        return {_ARRAY: "/".join(path)}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT: repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value) and not any(mark in value for mark in _MARKS):
            return {key: _flatten(item, (*path, key), tensors) for key, item in value.items()}
        return {_ITEMS: [[key, _flatten(item, (*path, str(key)), tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [_flatten(item, (*path, str(index)), tensors) for index, item in enumerate(value)]
        return {_TUPLE: items} if isinstance(value, tuple) else items
    raise TypeError(f"{'/'.join(path)}: a {type(value).__name__} cannot be stored in a checkpoint")
