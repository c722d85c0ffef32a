"""Stand-in for ``isaacsim.storage.native``: an asset root that answers or does not."""

from __future__ import annotations

_DEFAULT_ROOT = "https://assets.invalid/Isaac/6.0"
_answering: str | None = None


def get_assets_root_path(*, skip_check: bool = False) -> str:
    """The address below which Isaac Sim's assets lie.

    Raises:
        RuntimeError: when it does not answer, unless the check is skipped.
    """
    if _answering is None and not skip_check:
        raise RuntimeError("Could not find assets root folder")
    return _answering or _DEFAULT_ROOT
