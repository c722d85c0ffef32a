"""The physical quantities that can be changed per environment on Newton, and where MuJoCo-Warp keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import newton
import torch
import warp as wp

from humanoid_rl_ext.errors import EngineError, did_you_mean
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.contact_material import on_ground
from humanoid_rl_ext.sim.engine import PropertyAccess, SceneSettings, TargetMode
from humanoid_rl_ext.sim.newton_model import NO_EFFORT_LIMIT, UNLIMITED, NewtonModel
from humanoid_rl_ext.sim.physx_properties import BOUNDS, validate

PROPERTIES: dict[str, PropertyAccess] = {
    "joint_stiffness": "device",
    "joint_damping": "device",
    "joint_effort_limit": "device",
    "joint_friction": "device",
    "joint_limits": "device",
    "dynamic_friction": "device",
    "joint_armature": "host",
    "mass": "host",
    "com": "host",
    "inertia": "host",
    "gravity": "device",
}
"""Layouts are those of ``physx_properties.PROPERTIES``.

What is ``host`` changes constants that the solver derives, which happens before the next step and outside of graphs.
``dynamic_friction`` is that of the colliders' own material; MuJoCo knows one friction, so a contact has what
``contact_material.on_ground`` says. ``gravity`` is (num_envs, 3).
"""
_DRIVES = ("joint_stiffness", "joint_damping", "joint_effort_limit", "joint_armature")
"""What the solver's actuators are made of."""


class NewtonProperties:
    """Every property's values (num_envs, k) on the device, written to the solver's own arrays when they change."""

    def __init__(
        self, built: NewtonModel, description: RobotDescription, settings: SceneSettings, device: torch.device
    ) -> None:
        self._built = built
        self._num_envs, self._on_cpu = settings.num_envs, device.type == "cpu"
        self._team_size = settings.team_size
        self._settings = settings
        self._dt = settings.dt
        self._pending = False
        self.mode: TargetMode = "position"
        self.values = {
            name: rows.to(device).repeat(settings.num_envs, 1)
            for name, rows in (_described(built, description) | {"gravity": torch.tensor(settings.gravity)}).items()
        }
        self._index(built, len(description.joints), device)
        for name in PROPERTIES:
            self._write(name)
        self.write_drives()
        self._pending = False  # the model was built from the same description

    def _index(self, built: NewtonModel, num_joints: int, device: torch.device) -> None:
        """Where described joints and shapes are in the solver's arrays; see ``_by_world`` for those of a team."""
        solver, base = built.solver, 6 if built.floating else 0
        native = torch.arange(num_joints) if built.joint_order is None else built.joint_order.to_native.cpu()

        def places(newton_dof: Any) -> tuple[torch.Tensor, torch.Tensor]:
            dofs = torch.as_tensor(newton_dof).long()
            mate, dof = dofs // max(base + num_joints, 1), dofs % max(base + num_joints, 1)
            rows = ((dofs >= 0) & (dof >= base)).nonzero().flatten()
            return rows.to(device), (mate[rows] * num_joints + native[dof[rows] - base]).to(device)

        _, self.joint_of_actuator = places(solver.mjc_actuator_to_newton_idx.numpy() if num_joints else torch.zeros(0))
        self._limits, self._joint_of_limit = places(solver.mjc_jnt_to_newton_dof.numpy()[0])
        self._dofs, self._joint_of_dof = places(solver.mjc_dof_to_newton_dof.numpy()[0])
        in_zero_pose = torch.as_tensor(solver.mj_model.dof_M0, dtype=torch.float32, device=device)
        link_inertia = torch.zeros(self._team_size * num_joints, device=device)
        link_inertia[self._joint_of_dof] = in_zero_pose[self._dofs]
        self._link_inertia = link_inertia[:num_joints] - self.values["joint_armature"][0]
        of_geom = torch.as_tensor(solver.mjc_geom_to_newton_shape.numpy()[0]).long()
        on_robot = torch.as_tensor(solver.mj_model.geom_bodyid > 0)
        self._geoms = on_robot.nonzero().flatten().to(device)
        self._shape_of_geom = of_geom[on_robot].to(device)

    def get(self, name: str) -> torch.Tensor:
        """A copy of a property's values, (num_envs, k)."""
        return self.values[self._known(name)].clone()

    def set(self, name: str, values: torch.Tensor, mask: torch.Tensor | None) -> None:
        """Stores full-size values where ``mask`` is set; ``device`` properties act at once, others from ``flush`` on.

        On a GPU, where looking at the values would stall it, rows with a value that is not allowed are left as they
        are.

        Raises:
            EngineError: for an unknown property or a wrong shape; on the CPU also for values that are not allowed.
        """
        self.set_several({name: values}, mask)

    def set_several(self, values: Mapping[str, torch.Tensor], mask: torch.Tensor | None) -> None:
        """``set`` of several properties; the actuators are written once."""
        for name, rows in values.items():
            self._store(name, rows, mask)
            self._write(name)
        if any(name in _DRIVES for name in values):
            self.write_drives()

    def _store(self, name: str, values: torch.Tensor, mask: torch.Tensor | None) -> None:
        held = self.values[self._known(name)]
        if values.shape != held.shape:
            raise EngineError(f"property '{name}' takes values of shape {tuple(held.shape)}, not {tuple(values.shape)}")
        values = values.to(held)
        rows = (
            torch.ones(self._num_envs, dtype=torch.bool, device=held.device) if mask is None else mask.to(held.device)
        )
        if self._on_cpu:
            validate(name, BOUNDS[name], values[rows])
        else:
            rows = rows & _allowed(name, values)
        torch.where(rows.unsqueeze(-1), values, held, out=held)

    def write_drives(self) -> None:
        """Gives each actuator gains and effort limit for the target mode; its control is the target itself."""
        model, joints = self._built.solver.mjw_model, self.joint_of_actuator
        if not len(joints):
            return
        gain, bias = wp.to_torch(model.actuator_gainprm), wp.to_torch(model.actuator_biasprm)
        stiffness, damping = (
            self._by_world(self.values[f"joint_{name}"])[:, joints] for name in ("stiffness", "damping")
        )
        nothing = torch.zeros_like(damping)
        factor = {"position": stiffness, "velocity": damping, "effort": torch.ones_like(damping)}[self.mode]
        gain[..., 0] = factor
        bias[..., 1] = -stiffness if self.mode == "position" else nothing
        bias[..., 2] = nothing if self.mode == "effort" else -damping
        # MuJoCo clips first and then takes the damping implicitly, which leaves 1 / (1 + dt damping / inertia) of the
        # limit; so the limit it is given is larger by that. Exact for a lone joint, on the safe side in a chain.
        inertia = (self._link_inertia + self.values["joint_armature"]).clamp(min=1e-9)
        share = 0.0 if self.mode == "effort" else self._dt * self.values["joint_damping"] / inertia
        limit = (self.values["joint_effort_limit"] * (1.0 + share)).clamp(max=NO_EFFORT_LIMIT)
        limit = self._by_world(limit)[:, self._joint_of_limit]
        ranges = wp.to_torch(model.jnt_actfrcrange)
        ranges.index_copy_(1, self._limits, torch.stack((-limit, limit), dim=-1))

    def flush(self) -> None:
        """Lets the solver derive its constants anew after a ``host`` property has changed."""
        if self._pending:
            self._pending = False
            self._built.solver.notify_model_changed(newton.ModelFlags.BODY_INERTIAL_PROPERTIES)

    def _write(self, name: str) -> None:
        solver, model, values = self._built.solver, self._built.model, self.values[name]
        if PROPERTIES[name] == "host":
            self._pending = True
        match name:
            case "joint_friction":
                self._to_dofs(solver.mjw_model.dof_frictionloss, values)
            case "joint_armature":
                self._to_dofs(solver.mjw_model.dof_armature, values)
            case "joint_limits":
                limits = self._by_world(values).unflatten(-1, (-1, 2)).clamp(-UNLIMITED, UNLIMITED)
                wp.to_torch(solver.mjw_model.jnt_range).index_copy_(1, self._limits, limits[:, self._joint_of_limit])
            case "dynamic_friction":
                friction = on_ground(name, values, self._settings)
                slide = wp.to_torch(solver.mjw_model.geom_friction)[..., 0]
                slide.index_copy_(1, self._geoms, self._by_world(friction)[:, self._shape_of_geom])
            case "gravity":
                of_worlds = values[:: self._team_size]
                wp.to_torch(model.gravity)[: len(of_worlds)] = of_worlds
                wp.to_torch(solver.mjw_model.opt.gravity)[:] = of_worlds
            case "mass" | "com" | "inertia":
                array = wp.to_torch(getattr(model, f"body_{name}"))
                rows = values.view(self._num_envs, -1, *array.shape[1:])
                if self._built.body_order is not None:
                    rows = rows[:, self._built.body_order.to_native]
                array.copy_(rows.reshape(array.shape))

    def _to_dofs(self, array: Any, values: torch.Tensor) -> None:
        wp.to_torch(array).index_copy_(1, self._dofs, self._by_world(values)[:, self._joint_of_dof])

    def _by_world(self, values: torch.Tensor) -> torch.Tensor:
        """(worlds, team_size * k) values of robots (num_envs, k): those of a team side by side."""
        return values.reshape(len(values) // self._team_size, self._team_size * values.shape[1])

    @staticmethod
    def _known(name: str) -> str:
        if name not in PROPERTIES:
            raise EngineError(f"Newton has no property '{name}': {did_you_mean(name, PROPERTIES)}")
        return name


def _described(built: NewtonModel, description: RobotDescription) -> dict[str, torch.Tensor]:
    """One environment's row of each property."""
    rows: dict[str, Any] = {
        f"joint_{name}": [getattr(joint, name) for joint in description.joints]
        for name in ("stiffness", "damping", "effort_limit", "friction", "armature")
    }
    rows["joint_limits"] = [limit for joint in description.joints for limit in (joint.lower, joint.upper)]
    rows["mass"] = [body.mass for body in description.bodies]
    rows["com"] = [value for body in description.bodies for value in body.com]
    places = (0, 3, 4, 3, 1, 5, 4, 5, 2)  # of xx, yy, zz, xy, xz, yz in a matrix
    rows["inertia"] = [body.inertia[place] for body in description.bodies for place in places]
    return {name: torch.tensor(row, dtype=torch.float32) for name, row in rows.items()} | {
        "dynamic_friction": built.friction
    }


def _allowed(name: str, values: torch.Tensor) -> torch.Tensor:
    """(num_envs,) bool: rows whose values are all allowed, as ``validate`` sees it, without a word to the host."""
    bounds = BOUNDS[name]
    good = ~values.isnan() if bounds.may_be_open else values.isfinite()
    good &= (values >= bounds.lowest) & (values <= bounds.highest)
    if bounds.above_zero:
        good &= values > 0.0
    rows = good.all(-1)
    if name == "joint_limits":
        rows &= (values[:, 0::2] <= values[:, 1::2]).all(-1)
    return rows
