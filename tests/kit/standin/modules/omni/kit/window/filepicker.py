"""Stand-in for ``omni.kit.window.filepicker``: Kit's file dialog, answered by the test."""

from __future__ import annotations

from typing import Any

_KEYWORDS = frozenset(
    {
        "allow_multi_selection",
        "apply_button_label",
        "click_apply_handler",
        "click_cancel_handler",
        "enable_file_bar",
        "enable_versioning_pane",
        "error_handler",
        "file_extension_options",
        "item_filter_fn",
        "item_filter_options",
    }
)


class FilePickerDialog:
    """A dialog that asks for a file."""

    def __init__(self, title: str, /, **kwargs: Any) -> None:
        unknown = kwargs.keys() - _KEYWORDS
        if unknown:
            raise TypeError(f"the file dialog has no {', '.join(sorted(unknown))}")
        self._title = title
        self._options = kwargs
        self._visible = True
        _dialogs.append(self)

    def show(self, path: str | None = None, /) -> None:
        """Shows the dialog, at a folder."""
        self._visible = True

    def hide(self) -> None:
        """Hides the dialog."""
        self._visible = False

    def destroy(self) -> None:
        """Ends the dialog."""
        self._visible = False
        _dialogs.remove(self)

    def _apply(self, filename: str, dirname: str) -> None:
        self._options["click_apply_handler"](filename, dirname)

    def _cancel(self, filename: str = "", dirname: str = "") -> None:
        self._options["click_cancel_handler"](filename, dirname)


_dialogs: list[FilePickerDialog] = []
