"""Stand-in for ``isaacsim.core.simulation_manager``: physics of the open stage, started by PLAY and ended by STOP."""

from __future__ import annotations

import enum
import weakref
from collections.abc import Callable
from typing import Any

import carb
import carb.eventdispatcher
import carb.settings
import omni.kit.app
import omni.physics.core
import omni.physics.tensors
import omni.physxfabric
import omni.timeline
import omni.usd
from pxr import Sdf, UsdPhysics
from standin.scenes import KnownScenes

_FABRIC_EXTENSION = "omni.physx.fabric"
_STEPS_PER_SECOND = "physxScene:timeStepsPerSecond"
_FIRST = -1000


class SimulationEvent(enum.Enum):
    """What one may be called for."""

    PHYSICS_PRE_STEP = "isaacsim.simulation.physics_pre_step"
    PHYSICS_POST_STEP = "isaacsim.simulation.physics_post_step"
    SIMULATION_SETUP = "isaacsim.simulation.simulation_setup"
    SIMULATION_STARTED = "isaacsim.simulation.started"
    SIMULATION_PAUSED = "isaacsim.simulation.paused"
    SIMULATION_RESUMED = "isaacsim.simulation.resumed"
    SIMULATION_STOPPED = "isaacsim.simulation.stopped"


class SimulationManager:
    """The physics of the open stage; all of it is class methods."""

    _callbacks: dict[int, Any] = {}  # noqa: RUF012
    _next_uid = 0
    _engine = "physx"
    _view: Any = None
    _time = 0.0
    _known = KnownScenes()

    @classmethod
    def get_active_physics_engine(cls) -> str:
        """Name of the engine, 'physx' or 'newton'."""
        return cls._engine

    @classmethod
    def setup_simulation(cls, dt: float | None = None, device: Any = None) -> None:
        """Makes sure that there is a physics scene, and sets its step and the device."""
        cls._ensure_scene()
        if dt is not None:
            if not 0.0 <= dt <= 1.0:
                raise ValueError(f"dt is {dt}, not within 0 and 1")
            for scene in cls._known.prims.values():
                kind = Sdf.ValueTypeNames.UInt
                scene.CreateAttribute(_STEPS_PER_SECOND, kind).Set(int(1.0 / dt) if dt else 0)  # truncated, as in Kit
        if device is not None:
            cls.set_device(device)

    @classmethod
    def get_physics_dt(cls, physics_scene: str | None = None) -> float:
        """The step of a physics scene, by default the first that is known; it is made where there is none."""
        cls._ensure_scene()
        scenes = cls._known.prims
        scene = scenes.get(physics_scene or "") or next(iter(scenes.values()), None)
        if scene is None:
            return 1.0 / 60.0
        attribute = scene.GetAttribute(_STEPS_PER_SECOND)
        rate = attribute.Get() if attribute else 60
        return 1.0 / rate if rate else 0.0

    @classmethod
    def set_device(cls, device: Any) -> None:
        """Sets the device, by name; CUDA brings fabric and read-back suppression with it."""
        import warp

        device = warp.get_device(device)
        settings = carb.settings.get_settings()
        if device.is_cuda:
            settings.set_int("/physics/cudaDevice", device.ordinal)
            cls.enable_fabric(True)
        settings.set_bool("/physics/suppressReadback", device.is_cuda)

    @classmethod
    def get_device(cls) -> Any:
        """The device, as Warp's."""
        import warp

        settings = carb.settings.get_settings()
        on_gpu = settings.get_as_bool("/physics/suppressReadback")
        return warp.get_device(f"cuda:{settings.get_as_int('/physics/cudaDevice')}" if on_gpu else "cpu")

    @classmethod
    def enable_fabric(cls, enable: bool) -> None:
        """Sends poses to the renderer through fabric (True) or USD (False)."""
        if cls._engine != "physx":
            return
        omni.kit.app.get_app().get_extension_manager().set_extension_enabled_immediate(_FABRIC_EXTENSION, enable)
        for what in ("", "Particles", "Velocities", "ForceSensors"):
            carb.settings.get_settings().set_bool(f"/physics/update{what}ToUsd", not enable)

    @classmethod
    def is_fabric_enabled(cls) -> bool:
        """Whether poses go through fabric."""
        return omni.kit.app.get_app().get_extension_manager().is_extension_enabled(_FABRIC_EXTENSION)

    @classmethod
    def initialize_physics(cls) -> None:
        """Loads physics, makes two steps, and has the views created between them; nothing while it is loaded."""
        if cls._view is not None:
            return
        cls.get_physics_dt()
        simulation = omni.physics.core.get_physics_simulation_interface()
        omni.physics.core.get_physics_stage_update_interface().force_load_physics_from_usd()
        simulation.simulate(cls.get_physics_dt(), 0.0)
        stage_id = omni.usd.get_context().get_stage_id()
        view = omni.physics.tensors.create_simulation_view("warp", stage_id=stage_id, backend=cls._engine)
        view.set_subspace_roots("/")
        simulation.simulate(cls.get_physics_dt(), 0.0)
        cls._view = view
        cls._time = 2.0 * cls.get_physics_dt()
        cls._tell(SimulationEvent.SIMULATION_SETUP)

    @classmethod
    def invalidate_physics(cls) -> None:
        """Ends all views."""
        if cls._view is not None:
            cls._view.invalidate()
            cls._view = None

    @classmethod
    def get_physics_simulation_view(cls) -> Any | None:
        """The view for Warp, or None before physics is initialised."""
        return cls._view

    @classmethod
    def get_simulation_time(cls) -> float:
        """Simulated seconds."""
        return cls._time

    @classmethod
    def is_simulating(cls) -> bool:
        """Whether physics is initialised and the timeline plays."""
        return cls._view is not None and omni.timeline.get_timeline_interface().is_playing()

    @classmethod
    def step(
        cls, *, steps: int = 1, callback: Callable[[int, int], bool | None] | None = None, update_fabric: bool = False
    ) -> None:
        """Makes physics steps; ``callback(step, steps)`` ends them with False.

        Raises:
            ValueError: for ``update_fabric`` without fabric.
        """
        for step in range(steps):
            time = cls._time
            cls._simulate()
            if update_fabric and cls._engine == "physx":
                if not cls.is_fabric_enabled():
                    raise ValueError("fabric is not enabled")
                omni.physxfabric.get_physx_fabric_interface().update(time, cls.get_physics_dt())
            if callback is not None and callback(step + 1, steps) is False:
                break

    @classmethod
    def register_callback(cls, callback: Callable, event: SimulationEvent, *, order: int = 0, **kwargs: Any) -> int:
        """Calls back for an event until deregistered, or until a stage is opened or closed; its number.

        A method is held weakly. Step callbacks get (dt, context), the others (event).
        """
        call = _weakly(callback)
        if event in (SimulationEvent.PHYSICS_PRE_STEP, SimulationEvent.PHYSICS_POST_STEP):
            subscription: Any = omni.physics.core.get_physics_simulation_interface().subscribe_physics_on_step_events(
                pre_step=event == SimulationEvent.PHYSICS_PRE_STEP,
                order=order,
                on_update=lambda dt, context: call(dt, context) if cls._view is not None else None,
            )
        else:
            subscription = carb.eventdispatcher.get_eventdispatcher().observe_event(
                event_name=_TIMELINE_EVENTS.get(event, event.value),
                on_event=call,
                observer_name=f"{event.value}.{cls._next_uid}",
                order=order,
            )
        cls._next_uid += 1
        cls._callbacks[cls._next_uid] = subscription
        return cls._next_uid

    @classmethod
    def deregister_callback(cls, uid: int) -> bool:
        """Ends a callback; False, with a warning, for one that is not there."""
        omni.physics.core.get_physics_simulation_interface()._check_subscriptions_may_change()
        if cls._callbacks.pop(uid, None) is None:
            carb.log_warn(f"there is no callback {uid}: it may have been deregistered already")
            return False
        return True

    @classmethod
    def enable_usd_notice_handler(cls, enable: bool) -> None:
        """Whether changes of the stage are listened to."""
        cls._known.listens = enable

    @classmethod
    def _simulate(cls) -> None:
        dt = cls.get_physics_dt()
        omni.physics.core.get_physics_simulation_interface().simulate(dt, cls._time)
        cls._time += dt

    @classmethod
    def _ensure_scene(cls) -> None:
        if not cls._known.prims:
            UsdPhysics.Scene.Define(omni.usd.get_context().get_stage(), "/PhysicsScene")

    @classmethod
    def _tell(cls, event: SimulationEvent) -> None:
        carb.eventdispatcher.get_eventdispatcher().dispatch_event(event.value, payload={})

    @classmethod
    def _on_play(cls, _: Any) -> None:
        if not carb.settings.get_settings().get_as_bool("/app/player/playSimulations"):
            return
        if omni.usd.get_context().get_stage() is None:
            carb.log_warn("physics cannot start: no stage is open")
            return
        cls._known.forget_gone(omni.usd.get_context().get_stage())
        started = cls._view is None
        cls.initialize_physics()
        cls._tell(SimulationEvent.SIMULATION_STARTED if started else SimulationEvent.SIMULATION_RESUMED)

    @classmethod
    def _on_stop(cls, _: Any) -> None:
        cls.invalidate_physics()
        omni.physics.core.get_physics_stage_update_interface().reset_simulation()
        cls._time = 0.0

    @classmethod
    def _on_stage_changed(cls, event: Any) -> None:
        cls._callbacks.clear()
        cls._on_stop(event)
        cls._known.follow(omni.usd.get_context().get_stage())


_TIMELINE_EVENTS = {
    SimulationEvent.SIMULATION_PAUSED: omni.timeline.GLOBAL_EVENT_PAUSE,
    SimulationEvent.SIMULATION_STOPPED: omni.timeline.GLOBAL_EVENT_STOP,
}


def _weakly(callback: Callable) -> Callable:
    if not hasattr(callback, "__self__"):
        return callback
    owner, name = weakref.proxy(callback.__self__), callback.__name__
    return lambda *arguments: getattr(owner, name)(*arguments)


def _observe(event_name: str, on_event: Callable) -> Any:
    return carb.eventdispatcher.get_eventdispatcher().observe_event(
        event_name=event_name, on_event=on_event, observer_name="SimulationManager", order=_FIRST
    )


_stage_event = omni.usd.get_context().stage_event_name
_DEFAULT_CALLBACKS = [
    _observe(omni.timeline.GLOBAL_EVENT_PLAY, SimulationManager._on_play),
    _observe(omni.timeline.GLOBAL_EVENT_STOP, SimulationManager._on_stop),
    _observe(_stage_event(omni.usd.StageEventType.OPENED), SimulationManager._on_stage_changed),
    _observe(_stage_event(omni.usd.StageEventType.CLOSED), SimulationManager._on_stage_changed),
]
