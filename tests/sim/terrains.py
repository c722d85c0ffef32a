"""Small terrains for tests."""

from __future__ import annotations

from typing import Any

from humanoid_rl_ext.sim.terrain import Terrain, build_terrain
from humanoid_rl_ext.task.schema import TerrainSection


def terrain(kinds: dict[str, dict[str, Any]], **fields: Any) -> Terrain:
    """The terrain of a section with these kinds: name -> parameters, and what else the table's entry says."""
    entries = {name: {"share": entry.pop("share", 1.0), "params": entry} for name, entry in kinds.items()}
    section = TerrainSection.model_validate(
        {"rows": 1, "columns": len(kinds), "border": 1.0, **fields, "kinds": entries}
    )
    for name, kind in section.kinds.items():
        kind.bind(name)
    built = build_terrain(section)
    assert built is not None
    return built
