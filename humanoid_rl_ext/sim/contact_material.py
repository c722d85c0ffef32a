"""Friction and restitution of contacts between the robot and the ground, from those of the two materials."""

from __future__ import annotations

import torch

from humanoid_rl_ext.sim.engine import SceneSettings


def of_both[Value: (float, torch.Tensor)](name: str, own: Value, settings: SceneSettings) -> Value:
    """What a contact has of the robot's ``own`` and the ground's: their mean on a plane, the larger on a terrain.

    ``name`` is ``static_friction``, ``dynamic_friction`` or ``restitution``; a terrain has no restitution.
    """
    if settings.terrain is None:
        return 0.5 * (own + getattr(settings, name))
    least = 0.0 if name == "restitution" else settings.terrain.friction
    return own.clamp(min=least) if isinstance(own, torch.Tensor) else max(own, least)


def on_ground[Value: (float, torch.Tensor)](name: str, own: Value, settings: SceneSettings) -> Value:
    """What a contact has in a scene of these settings: ``of_both``, or the robot's own where they say so."""
    return own if settings.contact_of == "robot" else of_both(name, own, settings)
