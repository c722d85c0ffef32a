"""Stand-in for ``omni.ext``."""

from __future__ import annotations

import re


class IExt:
    """What an extension's class derives from."""

    def on_startup(self, ext_id: str) -> None:
        """Called when the extension is enabled."""

    def on_shutdown(self) -> None:
        """Called when the extension is disabled."""


def get_extension_name(ext_id: str, /) -> str:
    """The name in an extension's id, ``name[-tag]-version``."""
    return re.split(r"-(?=\d)", ext_id, maxsplit=1)[0].split("-")[0]
