"""Stages and listeners for the tests of the miniature Kit."""

from __future__ import annotations

from typing import Any

import torch
from pxr import Gf, Usd, UsdGeom
from standin import Kit
from standin.kit import REPOSITORY

ROOTS = "/World/envs/*/Robot/joints/world"
STEP = 1.0 / 120.0


def cartpoles(kit: Kit, count: int = 12) -> Usd.Stage:
    """A stage with clones of the cartpole, 3 m apart, whose physics is replicated; steps of 1/120 s."""
    from isaacsim.core.cloner import Cloner
    from isaacsim.core.simulation_manager import SimulationManager

    stage = kit.new_stage()
    SimulationManager.setup_simulation(dt=STEP)
    cloner = Cloner(stage)
    cloner.define_base_env("/World/envs")
    paths = cloner.generate_paths("/World/envs/env", count)
    UsdGeom.Xform.Define(stage, paths[0])
    add_robot(stage, f"{paths[0]}/Robot", "cartpole")
    positions = torch.tensor([[0.0, 3.0 * index, 0.0] for index in range(count)])
    cloner.clone(paths[0], paths, positions=positions, replicate_physics=True)
    return stage


def add_robot(stage: Usd.Stage, path: str, name: str) -> Usd.Prim:
    prim = stage.DefinePrim(path)
    prim.GetReferences().AddReference(str(REPOSITORY / f"data/robots/{name}.usda"))
    return prim


def simulation_view(kit: Kit, frontend: str = "torch") -> Any:
    from omni.physics.tensors import create_simulation_view

    view = create_simulation_view(frontend, stage_id=kit.context.get_stage_id(), backend="physx")
    view.set_subspace_roots("/")
    return view


def articulations(kit: Kit, frontend: str = "torch") -> Any:
    return simulation_view(kit, frontend).create_articulation_view(ROOTS)


def rows(*indices: int) -> torch.Tensor:
    return torch.tensor(indices, dtype=torch.int32)


def position(stage: Usd.Stage, path: str) -> Gf.Vec3d:
    return UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath(path)).ExtractTranslation()


class Listener:
    """Counts what it hears; its method is held as Kit holds it."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def hear(self, *arguments: Any) -> None:
        self.heard.append(arguments)


def observe(kit: Kit, event_name: str, on_event: Any, order: int = 0) -> Any:
    dispatcher = kit["carb.eventdispatcher"].get_eventdispatcher()
    return dispatcher.observe_event(event_name=event_name, on_event=on_event, observer_name="test", order=order)
