"""The miniature Kit from the test's side: what it drives, and what is left when something should be gone."""

from __future__ import annotations

import gc
import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MODULES = Path(__file__).parent / "modules"
REPOSITORY = Path(__file__).resolve().parents[3]
NAMES = sorted(
    ".".join(path.relative_to(MODULES).with_suffix("").parts).removesuffix(".__init__")
    for path in MODULES.rglob("*.py")
)
"""Every module that has a stand-in."""
DEFAULTS = {
    "/app/player/playSimulations": True,
    "/app/viewport/grid/enabled": True,
    "/persistent/simulation/minFrameRate": 30.0,
    "/physics/cudaDevice": 0,
    "/physics/suppressReadback": False,
    "/physics/updateToUsd": True,
    "/physics/updateParticlesToUsd": True,
    "/physics/updateVelocitiesToUsd": True,
    "/physics/updateForceSensorsToUsd": True,
}
_IMPORTERS = (
    "humanoid_rl_ext.extension",
    "humanoid_rl_ext.hosts.kit",
    "humanoid_rl_ext.sim.kit",
    "humanoid_rl_ext.tests",
)


class Logs:
    """What was logged, by level."""

    def __init__(self, messages: list[tuple[str, str]]) -> None:
        self._messages = messages

    @property
    def errors(self) -> list[str]:
        """Errors, among them what callbacks raised."""
        return [text for level, text in self._messages if level == "error"]

    @property
    def warnings(self) -> list[str]:
        """Warnings."""
        return [text for level, text in self._messages if level == "warn"]

    def clear(self) -> None:
        """Forgets everything, which says that the errors so far were expected."""
        self._messages.clear()


class Kit:
    """The application as a test sees it."""

    def __init__(self) -> None:
        self._modules = {name: importlib.import_module(name) for name in NAMES}
        for path, value in DEFAULTS.items():
            self.settings.set(path, value)
        self._baseline = self.left()
        self._settings_before = dict(self.settings._values)

    def __getitem__(self, name: str) -> Any:
        """A stand-in module by its full name."""
        return self._modules[name]

    @property
    def app(self) -> Any:
        """``omni.kit.app.get_app()``."""
        return self["omni.kit.app"].get_app()

    @property
    def timeline(self) -> Any:
        """``omni.timeline.get_timeline_interface()``."""
        return self["omni.timeline"].get_timeline_interface()

    @property
    def context(self) -> Any:
        """``omni.usd.get_context()``."""
        return self["omni.usd"].get_context()

    @property
    def settings(self) -> Any:
        """``carb.settings.get_settings()``."""
        return self["carb.settings"].get_settings()

    @property
    def simulation(self) -> Any:
        """``SimulationManager``."""
        return self["isaacsim.core.simulation_manager"].SimulationManager

    @property
    def stage(self) -> Any:
        """The open stage."""
        return self.context.get_stage()

    @property
    def logs(self) -> Logs:
        """What was logged."""
        return Logs(self["carb"]._messages)

    @property
    def notifications(self) -> list[Any]:
        """Posted messages: ``_text``, ``_status``, ``_dismissed`` and ``_click(button)`` of each."""
        return self["omni.kit.notification_manager"]._shown

    @property
    def dialogs(self) -> list[Any]:
        """File dialogs that were not destroyed: ``_apply(filename, dirname)``, ``_cancel()``, ``_visible``."""
        return self["omni.kit.window.filepicker"]._dialogs

    @property
    def installed_packages(self) -> list[str]:
        """What ``pipapi.install`` was asked for and gave."""
        return self["omni.kit.pipapi"]._installed

    def refuse_installs(self, refuse: bool = True) -> None:
        """Lets ``pipapi.install`` fail."""
        self["omni.kit.pipapi"]._fail((lambda _: True) if refuse else None)

    def answer_assets_at(self, root: str | Path | None) -> None:
        """Where the asset root is, None when it does not answer."""
        self["isaacsim.storage.native"]._answering = None if root is None else str(root)

    def use_engine(self, name: str) -> None:
        """Says that the application runs 'physx' or 'newton'; the physics behind stays the same."""
        self.simulation._engine = name

    def update(self, frames: int = 1) -> None:
        """``app.update()`` so many times."""
        for _ in range(frames):
            self.app.update()

    def play(self) -> None:
        """Presses Play and waits until it acts."""
        self.timeline.play()
        self.update()

    def stop(self) -> None:
        """Presses Stop and waits until it acts."""
        self.timeline.stop()
        self.update()

    def new_stage(self, up_axis: str = "Z", meters_per_unit: float = 1.0) -> Any:
        """A new empty stage, opened."""
        from pxr import Usd, UsdGeom

        stage = Usd.Stage.CreateInMemory()
        UsdGeom.SetStageUpAxis(stage, up_axis)
        UsdGeom.SetStageMetersPerUnit(stage, meters_per_unit)
        self.context._open(stage)
        return stage

    def show_viewport(self) -> Any:
        """A viewport window of omni.ui, which must run."""
        return self["omni.kit.viewport.utility"]._show()

    def hide_viewport(self) -> None:
        """Takes the viewport away."""
        self["omni.kit.viewport.utility"]._hide()

    def click_menu(self, path: str) -> None:
        """Clicks an entry of the menu bar, 'Tools/Robotics/...'."""
        self["omni.kit.menu.utils"]._click(path)

    @property
    def rendered_poses(self) -> dict[str, list[float]]:
        """Pose of each link as the renderer last got it, by prim path."""
        return self["omni.physics.core"].get_physics_simulation_interface()._rendered

    @property
    def fabric_updates(self) -> int:
        """How often poses were handed to fabric."""
        return self["omni.physxfabric"].get_physx_fabric_interface()._updates

    def left(self) -> dict[str, list[str]]:
        """What lives now: subscriptions, actions, menu entries, callbacks, dialogs, scene views, by kind."""
        gc.collect()
        dispatcher = self["carb.eventdispatcher"].get_eventdispatcher()
        viewport = self["omni.kit.viewport.utility"]._active
        menus = self["omni.kit.menu.utils"]._menus
        return {
            "subscriptions": sorted(f"{name} {observer}" for name, _, observer, _ in dispatcher._observers.values()),
            "settings subscriptions": sorted(path for path, _ in self.settings._subscriptions.values()),
            "step subscriptions": sorted(
                str(key) for key in self["omni.physics.core"].get_physics_simulation_interface()._subscriptions
            ),
            "callbacks": sorted(str(uid) for uid in self.simulation._callbacks),
            "actions": sorted(".".join(key) for key in self["omni.kit.actions.core"].get_action_registry()._actions),
            "menus": sorted(f"{menu}/{item.name}" for menu, items in menus.items() for item in items),
            "dialogs": [dialog._title for dialog in self.dialogs],
            "scene views": [] if viewport is None else [str(view) for view in viewport.viewport_api._scene_views],
            "replicators": sorted(str(each) for each in self["omni.physx"].get_physx_replicator_interface()._checks),
            "usd notices": [] if self.simulation._known.listens else ["disabled"],
            "fabric": ["enabled"] if self.simulation.is_fabric_enabled() else [],
        }

    def leftovers(self) -> dict[str, list[str]]:
        """What lives now and did not when Kit started, and the settings that differ; empty when all was put back."""
        found = {
            kind: sorted((Counter(entries) - Counter(self._baseline[kind])).elements())
            for kind, entries in self.left().items()
        }
        now, before = self.settings._values, self._settings_before
        found["settings"] = sorted(path for path in now.keys() | before.keys() if now.get(path) != before.get(path))
        return {kind: entries for kind, entries in found.items() if entries}


@contextmanager
def installed() -> Iterator[Kit]:
    """Kit's modules can be imported while this lasts; each time they are new."""
    import omni

    sys.path.insert(0, str(MODULES))
    omni.__path__.append(str(MODULES / "omni"))
    try:
        kit = Kit()
        yield kit
        kit.context.close_stage()
        kit.timeline.stop()
        kit.update()
        kit.hide_viewport()
        kit.app._loop.close()
    finally:
        sys.path.remove(str(MODULES))
        omni.__path__.remove(str(MODULES / "omni"))
        _forget()


def _forget() -> None:
    tops = {name.split(".")[0] for name in NAMES} - {"omni"} | {
        ".".join(name.split(".")[:2]) for name in NAMES if name.startswith("omni.")
    }
    for name in list(sys.modules):
        gone = name in tops or name.startswith(tuple(f"{top}." for top in tops)) or name.startswith(_IMPORTERS)
        if gone:
            module = sys.modules.pop(name)
            parent = sys.modules.get(name.rpartition(".")[0])
            if parent is not None and getattr(parent, name.rpartition(".")[2], None) is module:
                delattr(parent, name.rpartition(".")[2])
