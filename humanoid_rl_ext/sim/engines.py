"""The physics engines by name, imported when asked for."""

from __future__ import annotations

import importlib

from humanoid_rl_ext.errors import BadInputError, did_you_mean
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.engine import Engine, SceneSettings

ENGINES: dict[str, tuple[str, str]] = {
    "ovphysx": ("humanoid_rl_ext.sim.ovphysx", "OvPhysxEngine"),
    "newton": ("humanoid_rl_ext.sim.newton", "NewtonEngine"),
}
"""Module and class of every engine."""
ELSEWHERE = {"kit": "ovphysx"}
"""Engines that are there only inside Isaac Sim, where they are made otherwise, and what stands for them here."""


def make_engine(name: str, description: RobotDescription, settings: SceneSettings) -> Engine:
    """A started engine with every robot in its standing pose.

    Raises:
        BadInputError: for an unknown engine.
        DeviceError: for a device this machine lacks.
        EngineError: when the engine cannot start.
    """
    name = ELSEWHERE.get(name, name)
    if name not in ENGINES:
        raise BadInputError(f"engine '{name}' is unknown: {did_you_mean(name, ENGINES)}")
    module, attribute = ENGINES[name]
    engine: Engine = getattr(importlib.import_module(module), attribute)(description, settings)
    return engine
