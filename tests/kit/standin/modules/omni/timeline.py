"""Stand-in for ``omni.timeline``: a change of state acts, and its event comes, in the next update."""

from __future__ import annotations

import carb.eventdispatcher
import omni.kit.app

GLOBAL_EVENT_PLAY = "omni.timeline:play"
GLOBAL_EVENT_PAUSE = "omni.timeline:pause"
GLOBAL_EVENT_STOP = "omni.timeline:stop"


class Timeline:
    """Playing, paused or stopped."""

    def __init__(self) -> None:
        self._state = GLOBAL_EVENT_STOP
        self._pending: list[str] = []

    def play(self) -> None:
        """Plays from the next update on."""
        self._pending.append(GLOBAL_EVENT_PLAY)

    def pause(self) -> None:
        """Pauses from the next update on."""
        self._pending.append(GLOBAL_EVENT_PAUSE)

    def stop(self) -> None:
        """Stops at the next update."""
        self._pending.append(GLOBAL_EVENT_STOP)

    def is_playing(self) -> bool:
        """Whether time passes."""
        return self._state == GLOBAL_EVENT_PLAY

    def is_stopped(self) -> bool:
        """Whether it neither plays nor is paused."""
        return self._state == GLOBAL_EVENT_STOP

    def commit(self) -> None:
        """Lets pending changes act now.

        Raises:
            RuntimeError: inside an update.
        """
        if omni.kit.app.get_app()._is_updating():
            raise RuntimeError("timeline.commit() was called inside app.update()")
        self._apply()

    def _apply(self, elapsed: float = 0.0) -> None:
        pending, self._pending = self._pending, []
        for state in pending:
            if state != self._state and not (state == GLOBAL_EVENT_PAUSE and self.is_stopped()):
                self._state = state
                carb.eventdispatcher.get_eventdispatcher().dispatch_event(state, payload={})


_TIMELINE = Timeline()
omni.kit.app.get_app()._stage_updates.insert(0, _TIMELINE._apply)


def get_timeline_interface() -> Timeline:
    """The timeline of the default context."""
    return _TIMELINE
