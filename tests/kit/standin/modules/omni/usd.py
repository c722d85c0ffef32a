"""Stand-in for ``omni.usd``: one context that holds a real stage in USD's stage cache."""

from __future__ import annotations

import enum

import carb.eventdispatcher
import omni.timeline
from pxr import Usd, UsdUtils


class StageEventType(enum.Enum):
    """What happens to the stage of a context."""

    OPENED = 2
    OPEN_FAILED = 3
    CLOSING = 4
    CLOSED = 5
    SELECTION_CHANGED = 6
    ASSETS_LOADED = 7


class Selection:
    """The selected prims."""

    def __init__(self, context: UsdContext) -> None:
        self._context = context
        self._paths: list[str] = []

    def get_selected_prim_paths(self) -> list[str]:
        """Paths, in the order of selection."""
        return list(self._paths)

    def set_selected_prim_paths(self, paths: list[str], expand: bool, /) -> bool:
        """Selects prims and tells so."""
        self._paths = list(paths)
        self._context._tell(StageEventType.SELECTION_CHANGED)
        return True


class UsdContext:
    """The stage that the application shows."""

    def __init__(self) -> None:
        self._stage: Usd.Stage | None = None
        self._selection = Selection(self)

    def get_stage(self) -> Usd.Stage | None:
        """The open stage, or None."""
        return self._stage

    def get_stage_id(self) -> int:
        """The open stage's id in USD's stage cache, -1 without one."""
        return -1 if self._stage is None else UsdUtils.StageCache.Get().GetId(self._stage).ToLongInt()

    def get_selection(self) -> Selection:
        """The selection."""
        return self._selection

    def stage_event_name(self, event_type: StageEventType, /) -> str:
        """The name under which the dispatcher carries an event of this context's stage."""
        return f"omni.usd:stage_event:{StageEventType(event_type).name.lower()}"

    def new_stage(self) -> bool:
        """Closes the open stage and opens an empty one."""
        return self._open(Usd.Stage.CreateInMemory())

    async def new_stage_async(self) -> bool:
        """``new_stage`` for coroutines."""
        return self.new_stage()

    def open_stage(self, url: str, /) -> bool:
        """Closes the open stage and opens a file."""
        return self._open(Usd.Stage.Open(url))

    def close_stage(self) -> bool:
        """Closes the open stage, which stops the timeline: CLOSING while it is still there, CLOSED afterwards."""
        if self._stage is None:
            return False
        self._tell(StageEventType.CLOSING)
        if not omni.timeline.get_timeline_interface().is_stopped():
            omni.timeline.get_timeline_interface().stop()
        UsdUtils.StageCache.Get().Erase(self._stage)
        self._stage = None
        self._selection._paths = []
        self._tell(StageEventType.CLOSED)
        return True

    def _open(self, stage: Usd.Stage) -> bool:
        self.close_stage()
        UsdUtils.StageCache.Get().Insert(stage)
        self._stage = stage
        self._tell(StageEventType.OPENED)
        return True

    def _tell(self, event_type: StageEventType) -> None:
        carb.eventdispatcher.get_eventdispatcher().dispatch_event(self.stage_event_name(event_type), payload={})


_CONTEXT = UsdContext()


def get_context() -> UsdContext:
    """The default context."""
    return _CONTEXT
