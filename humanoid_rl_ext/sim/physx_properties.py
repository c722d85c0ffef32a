"""The physical quantities that PhysX lets one randomise per environment, validated before PhysX sees them."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, Literal

import torch

from humanoid_rl_ext.errors import EngineError, did_you_mean
from humanoid_rl_ext.sim.ordering import Ordering

_LARGEST = torch.finfo(torch.float32).max


@dataclass(frozen=True, slots=True)
class Property:
    """One quantity: where PhysX keeps it and which values PhysX survives."""

    array: str
    """Name of the PhysX array, ``TensorType.ARTICULATION_<array>``."""
    per: Literal["joint", "body", "shape"]
    columns: tuple[int, ...] = ()
    """Components of the array's last axis that the quantity sets, in a row; empty for an array without such an axis."""
    width: int = 1
    """Values an item takes; one value sets all ``columns`` alike when ``width`` is 1."""
    lowest: float = -torch.inf
    highest: float = torch.inf
    above_zero: bool = False
    may_be_open: bool = False
    """Whether infinity means 'no limit'."""


PROPERTIES: dict[str, Property] = {
    "mass": Property("BODY_MASS", "body", above_zero=True),
    "com": Property("BODY_COM_POSE", "body", (0, 1, 2), 3),
    "inertia": Property("BODY_INERTIA", "body", tuple(range(9)), 9),
    "static_friction": Property("SHAPE_FRICTION_AND_RESTITUTION", "shape", (0,), lowest=0.0),
    "dynamic_friction": Property("SHAPE_FRICTION_AND_RESTITUTION", "shape", (1,), lowest=0.0),
    "restitution": Property("SHAPE_FRICTION_AND_RESTITUTION", "shape", (2,), lowest=0.0, highest=1.0),
    "joint_stiffness": Property("DOF_STIFFNESS", "joint", lowest=0.0),
    "joint_damping": Property("DOF_DAMPING", "joint", lowest=0.0),
    "joint_effort_limit": Property("DOF_MAX_FORCE", "joint", lowest=0.0, may_be_open=True),
    "joint_velocity_limit": Property("DOF_MAX_VELOCITY", "joint", above_zero=True, may_be_open=True),
    "joint_armature": Property("DOF_ARMATURE", "joint", lowest=0.0),
    "joint_friction": Property("DOF_FRICTION_PROPERTIES", "joint", (0, 1), lowest=0.0),
    "joint_limits": Property("DOF_LIMIT", "joint", (0, 1), 2, may_be_open=True),
}
"""Values are (num_envs, items * width), items in the description's order (shapes: PhysX' order).

``mass`` kg (the inertia is not rescaled with it); ``com`` m, x y z of each body in its own frame; ``inertia`` kg m^2,
3 x 3 row-major about the centre of mass in its frame; ``joint_friction`` N m or N, static and dynamic alike;
``joint_limits`` lower and upper of each joint.
"""

BOUNDS = PROPERTIES | {"gravity": Property("", "body", width=3)}
"""Also for what is no array of PhysX."""


class PropertyStore:
    """Host copies of every property, written to PhysX together just before the next step."""

    def __init__(
        self,
        bind: Callable[[str], Any],
        orderings: dict[str, Ordering | None],
        num_envs: int,
        device: torch.device,
        supported: Container[str] = PROPERTIES,
    ) -> None:
        """``bind`` gives the binding of an array; ``orderings`` the host permutations of joints and bodies."""
        self._supported = supported
        self._num_envs = num_envs
        self._device = device
        self._orderings = orderings
        self._bindings: dict[str, Any] = {}
        self._arrays: dict[str, torch.Tensor] = {}
        self._pending: dict[str, torch.Tensor] = {}
        self._silenced: frozenset[str] = frozenset()
        self._mirrors: dict[str, torch.Tensor] = {}
        self._bind = bind

    def _array(self, name: str) -> torch.Tensor:
        """The host copy of a PhysX array in PhysX' order, bound and read on first use."""
        if name not in self._arrays:
            binding = self._bind(name)
            array = torch.zeros(binding.shape)
            if array.numel():
                binding.read(array)
            self._bindings[name], self._arrays[name] = binding, array
        return self._arrays[name]

    def get(self, name: str) -> torch.Tensor:
        """A copy of a property's values, (num_envs, items * width), on the engine's device."""
        kind = self._kind(name)
        values = self._array(kind.array)
        if kind.columns:
            values = values[..., list(kind.columns[: kind.width])]
        ordering = self._orderings.get(kind.per)
        if ordering is not None:
            values = values.index_select(1, ordering.from_native)
        values = values.reshape(self._num_envs, -1).clone()
        if kind.may_be_open:
            values[values >= _LARGEST] = torch.inf
            values[values <= -_LARGEST] = -torch.inf
        return values.to(self._device)

    def mirror(self, name: str) -> torch.Tensor:
        """A device copy of a property that later writes keep current: never rebound, not to be written."""
        if name not in self._mirrors:
            self._mirrors[name] = self.get(name)
        return self._mirrors[name]

    def set(self, name: str, values: torch.Tensor, mask: torch.Tensor | None) -> None:
        """Stores (num_envs, items * width) values where ``mask`` is set; PhysX gets them at the next ``flush``.

        Raises:
            EngineError: for an unknown property, a wrong shape, or values PhysX would not survive.
        """
        kind = self._kind(name)
        array = self._array(kind.array)
        items = array.shape[1]
        expected = (self._num_envs, items * kind.width)
        if tuple(values.shape) != expected:
            raise EngineError(f"property '{name}' takes values of shape {expected}, not {tuple(values.shape)}")
        rows = torch.ones(self._num_envs, dtype=torch.bool) if mask is None else mask.to("cpu", torch.bool)
        picks = rows.nonzero().squeeze(-1)
        fresh = values.detach().to("cpu", torch.float32).index_select(0, picks)
        validate(name, kind, fresh)
        if kind.may_be_open:
            fresh = fresh.clamp(-_LARGEST, _LARGEST)
        fresh = fresh.reshape(len(picks), items, kind.width)
        ordering = self._orderings.get(kind.per)
        if ordering is not None:
            fresh = fresh.index_select(1, ordering.to_native)
        part = array.index_select(0, picks)
        if kind.columns:
            part[..., kind.columns[0] : kind.columns[-1] + 1] = fresh
        else:
            part[:] = fresh.squeeze(-1)
        array[picks] = part
        pending = self._pending.setdefault(kind.array, torch.zeros(self._num_envs, dtype=torch.bool))
        pending |= rows
        if name in self._mirrors:
            self._mirrors[name].copy_(self.get(name))

    def silence(self, names: frozenset[str]) -> None:
        """Makes PhysX see zeros for these properties, whatever is stored, and the stored values for all others."""
        everywhere = torch.ones(self._num_envs, dtype=torch.bool)
        for name in names ^ self._silenced:
            array = self._kind(name).array
            self._array(array)
            self._pending[array] = everywhere.clone()
        self._silenced = names

    def flush(self) -> None:
        """Writes what changed since the last flush to PhysX."""
        if not self._pending:
            return
        silenced = {PROPERTIES[name].array for name in self._silenced}
        for name, rows in self._pending.items():
            array = self._arrays[name]
            if array.numel():
                self._bindings[name].write(torch.zeros_like(array) if name in silenced else array, mask=rows)
        self._pending.clear()

    def _kind(self, name: str) -> Property:
        if name not in PROPERTIES:
            raise EngineError(f"PhysX has no property '{name}': {did_you_mean(name, PROPERTIES)}")
        if name not in self._supported:
            raise EngineError(f"the property '{name}' cannot be read or set on this engine")
        return PROPERTIES[name]


def validate(name: str, kind: Property, values: torch.Tensor) -> None:
    """Raises EngineError for values that would crash an engine or break the simulation."""
    if values.isnan().any():
        raise EngineError(f"property '{name}': NaN is not a value")
    if not kind.may_be_open and values.isinf().any():
        raise EngineError(f"property '{name}': values must be finite")
    if kind.above_zero and (values <= 0.0).any():
        raise EngineError(f"property '{name}': {values.min():g} is not above zero")
    if (values < kind.lowest).any() or (values > kind.highest).any():
        found = values.min() if (values < kind.lowest).any() else values.max()
        raise EngineError(f"property '{name}': {found:g} is outside {kind.lowest:g} to {kind.highest:g}")
    if name == "joint_limits" and (values[:, 0::2] > values[:, 1::2]).any():
        raise EngineError("property 'joint_limits': a lower limit lies above its upper limit")
