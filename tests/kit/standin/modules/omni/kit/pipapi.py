"""Stand-in for ``omni.kit.pipapi``: what would have been installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_installed: list[str] = []
_failure: Callable[[str], bool] | None = None


def install(
    package: str,
    module: str | None = None,
    ignore_import_check: bool = False,
    ignore_cache: bool = False,
    version: str | None = None,
    use_online_index: bool = True,
    surpress_output: bool = False,
    extra_args: list[str] | None = None,
) -> bool:
    """Installs a package; whether that worked."""
    if _failure is not None and _failure(package):
        return False
    _installed.append(package)
    return True


def _fail(when: Any) -> None:
    global _failure
    _failure = when
