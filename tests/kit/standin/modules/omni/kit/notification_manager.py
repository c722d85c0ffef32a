"""Stand-in for ``omni.kit.notification_manager``: messages in the corner of the window."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence


class NotificationStatus(enum.Enum):
    """How grave a message is."""

    INFO = 1
    WARNING = 2


class NotificationButtonInfo:
    """A button below a message."""

    def __init__(self, text: str, /, on_complete: Callable[[], None] | None = None) -> None:
        self.text = text
        self.on_complete = on_complete


class Notification:
    """A message that is shown."""

    def __init__(self, text: str, status: NotificationStatus, buttons: Sequence[NotificationButtonInfo]) -> None:
        self._text = text
        self._status = status
        self._buttons = {button.text: button for button in buttons}
        self._dismissed = False

    def dismiss(self) -> None:
        """Takes the message away."""
        self._dismissed = True

    def _click(self, text: str) -> None:
        on_complete = self._buttons[text].on_complete
        self._dismissed = True
        if on_complete is not None:
            on_complete()


_shown: list[Notification] = []


def post_notification(
    text: str,
    /,
    *,
    hide_after_timeout: bool = True,
    duration: float = 3,
    status: NotificationStatus = NotificationStatus.INFO,
    button_infos: Sequence[NotificationButtonInfo] = (),
) -> Notification:
    """Shows a message."""
    _shown.append(Notification(text, status, button_infos))
    return _shown[-1]
