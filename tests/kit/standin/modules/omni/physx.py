"""Stand-in for ``omni.physx``: which stages have clones whose physics is copied and not read."""

from __future__ import annotations

from collections.abc import Callable


class IPhysxReplicator:
    """The replicators that are registered."""

    def __init__(self) -> None:
        self._checks: dict[int, Callable[[], None]] = {}

    def unregister_replicator(self, stage_id: int) -> None:
        """Lets physics read a stage as it is."""
        self._checks.pop(stage_id, None)


_REPLICATOR = IPhysxReplicator()


def get_physx_replicator_interface() -> IPhysxReplicator:
    """The one registry of replicators."""
    return _REPLICATOR
