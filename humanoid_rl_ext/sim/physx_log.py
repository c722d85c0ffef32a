"""PhysX' native messages through Python's logging: every distinct error once, warnings not at all.

Without this, one environment with a non-finite state prints a line per body and per step, and each start prints that
the stage 'is not resident in UsdUtilsStageCache', which is how a scene without a USD stage cache looks.
"""

from __future__ import annotations

import logging
import re

LOGGER = "humanoid_rl_ext.physx"
_NUMBER = re.compile(r"\d+")


class OncePerKind(logging.Filter):
    """Lets a message pass when no earlier one differs from it in numbers alone; remembers what spoils the physics."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()
        self.overflow = ""
        """PhysX' message about a GPU buffer that is too small, after which contacts are missing."""

    def filter(self, record: logging.LogRecord) -> bool:
        if "PxGpuDynamicsMemoryConfig" in record.getMessage():
            self.overflow = record.getMessage().split(", FILE")[0]
        kind = _NUMBER.sub("#", record.getMessage())
        if kind in self._seen:
            return False
        self._seen.add(kind)
        return True


def route_native_log() -> OncePerKind:
    """Sends PhysX' errors to the logger ``humanoid_rl_ext.physx`` in place of its own console output."""
    import ovphysx

    logger = logging.getLogger(LOGGER)
    for stale in [entry for entry in logger.filters if isinstance(entry, OncePerKind)]:
        logger.removeFilter(stale)
    once = OncePerKind()
    logger.addFilter(once)
    ovphysx.enable_python_logging(LOGGER, min_severity=ovphysx.LogLevel.ERROR)
    ovphysx.enable_default_log_output(False)
    return once
