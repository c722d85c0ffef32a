"""The stage that Isaac Sim shows, its selection and its asset library. Implements ``ui.host.StageAccess``."""

from __future__ import annotations

from typing import Any

from humanoid_rl_ext.errors import HumanoidRLError


class KitStage:
    """The stage of Kit's default context."""

    def stage(self) -> Any:
        """The open ``pxr.Usd.Stage``; None when none is open."""
        import omni.usd

        return omni.usd.get_context().get_stage()

    def selection(self) -> list[str]:
        """Paths of the selected prims, in the order of selection."""
        import omni.usd

        return list(omni.usd.get_context().get_selection().get_selected_prim_paths())

    def asset_root(self) -> str:
        """The URL of Isaac Sim's assets; it is asked whether it answers, which may block for seconds.

        Raises:
            HumanoidRLError: when it does not answer.
        """
        from isaacsim.storage.native import get_assets_root_path

        try:
            return str(get_assets_root_path())
        except RuntimeError as error:
            raise HumanoidRLError(
                f"Isaac Sim's asset library does not answer ({error}); check the network and the setting "
                "/persistent/isaac/asset_root/default, or give the path of a file"
            ) from None
