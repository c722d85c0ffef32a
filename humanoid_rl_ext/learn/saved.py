"""Whether a learner's saved state belongs to such environments."""

from __future__ import annotations

from typing import Any

from humanoid_rl_ext.env.transition import EnvSpec
from humanoid_rl_ext.errors import CheckpointError


def saved_shapes(spec: EnvSpec) -> dict[str, Any]:
    """The sizes of observations and actions, as every learner saves them."""
    return {
        "observations": dict(spec.observations),
        "action": {"kind": spec.action.kind, "size": spec.action.size},
    }


def check_saved_shapes(spec: EnvSpec, state: dict[str, Any]) -> None:
    """Raises CheckpointError naming what of a saved state does not fit to environments."""
    here = saved_shapes(spec)
    for group, size in state["observations"].items():
        if here["observations"].get(group) != size:
            own = here["observations"].get(group, "none")
            raise CheckpointError(f"observation '{group}' has {size} elements in the checkpoint but {own} here")
    if state["action"] != here["action"]:
        raise CheckpointError(f"the checkpoint acts by {state['action']} but the task takes {here['action']}")
