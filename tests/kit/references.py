"""Where the signatures of Kit's modules are read from, and what is known of those that no public source defines."""

from __future__ import annotations

_ISAAC = "isaac-sim/IsaacSim"
_PHYSX = "NVIDIA-Omniverse/PhysX"

SOURCES = {
    "isaacsim.core.cloner": [(_ISAAC, "source/extensions/isaacsim.core.cloner/python/impl/cloner.py")],
    "isaacsim.core.rendering_manager": [
        (_ISAAC, "source/extensions/isaacsim.core.rendering_manager/python/impl/viewport_manager.py")
    ],
    "isaacsim.core.simulation_manager": [
        (_ISAAC, f"source/extensions/isaacsim.core.simulation_manager/python/impl/{name}.py")
        for name in ("simulation_manager", "simulation_event")
    ],
    "isaacsim.physics.newton": [
        (_ISAAC, f"source/extensions/isaacsim.physics.newton/python/impl/{name}.py")
        for name in ("extension", "newton_stage")
    ],
    "isaacsim.storage.native": [
        (_ISAAC, "source/extensions/isaacsim.storage.native/isaacsim/storage/native/nucleus.py")
    ],
    "omni.physx": [(_PHYSX, "omni/extensions/runtime/source/omni.physx/python/__init__.py")],
    "omni.physics.tensors": [(_PHYSX, "omni/extensions/runtime/source/omni.physics.tensors/python/api.py")],
}
"""Module to the files that define what it offers, as (repository, path)."""

EXTRA = {"omni.physics.tensors.create_simulation_view": ["backend"]}
"""Keywords that the source at hand lacks because it is older, known from calls in Isaac Sim."""

CALLED_IN = {
    "carb.eventdispatcher": "carb",
    "carb.settings": "carb",
    "omni.kit.viewport.utility": "viewport",
    "omni.physxfabric": "fabric",
}
"""What a file must speak of for its calls to count as calls of a module; without an entry, the module's name."""

_CALLS = "calls in Isaac Sim's public source"
_DOCUMENTED = "Kit's published documentation"
_NAMED = "Kit's documented interface; no call in Isaac Sim's public source"
_FABRIC = "PhysX 107.3, omni.physx.fabric/bindings/BindingsPhysXFabricPython.cpp and IPhysxFabric.h"
_METATYPE = "PhysX 107.3, omni.physics.tensors/bindings/python/PhysicsTensorsBindingsPython.cpp"
_HANDED_OUT = "only handed out by a getter"

Known = tuple[str | list[str] | None, str]

KNOWN: dict[str, dict[str, Known]] = {
    "carb": {name: ("(message, /)", _CALLS) for name in ("log_info", "log_warn", "log_error")},
    "carb.eventdispatcher": {
        "Event": (None, _HANDED_OUT),
        "Event.event_name": ("property", _CALLS),
        "ObserverGuard": (None, _HANDED_OUT),
        "ObserverGuard.reset": ("()", _NAMED),
        "EventDispatcher": (None, _HANDED_OUT),
        "EventDispatcher.observe_event": ("(*, order=0, event_name, on_event, observer_name='')", _CALLS),
        "EventDispatcher.dispatch_event": ("(event_name, *, payload=None)", _CALLS),
        "get_eventdispatcher": ("()", _CALLS),
    },
    "carb.settings": {
        "ChangeEventType": (["CREATED", "CHANGED", "DESTROYED"], _NAMED),
        "ISettings": (None, _HANDED_OUT),
        **{f"ISettings.get{kind}": ("(path, /)", _CALLS) for kind in ("", "_as_bool", "_as_int", "_as_float")},
        "ISettings.get_as_string": ("(path, /)", _CALLS),
        **{f"ISettings.set{kind}": ("(path, value, /)", _CALLS) for kind in ("", "_bool", "_int", "_float", "_string")},
        "ISettings.destroy_item": ("(path, /)", _CALLS),
        "ISettings.subscribe_to_node_change_events": ("(path, on_change, /)", _CALLS),
        "ISettings.unsubscribe_to_change_events": ("(subscription, /)", _NAMED),
        "get_settings": ("()", _CALLS),
    },
    "omni.ext": {
        "IExt": (None, _CALLS),
        "IExt.on_startup": ("(ext_id)", "Isaac Sim's extension template"),
        "IExt.on_shutdown": ("()", "Isaac Sim's extension template"),
        "get_extension_name": ("(ext_id, /)", _CALLS),
    },
    "omni.kit.actions.core": {
        "ActionRegistry": (None, _HANDED_OUT),
        "ActionRegistry.register_action": (
            "(extension_id, action_id, python_object, /, display_name='', description='', tag='')",
            _CALLS,
        ),
        "ActionRegistry.deregister_action": ("(extension_id, action_id, /)", _CALLS),
        "ActionRegistry.deregister_all_actions_for_extension": ("(extension_id, /)", _CALLS),
        "ActionRegistry.execute_action": ("(extension_id, action_id, /, *arguments, **named)", _CALLS),
        "get_action_registry": ("()", _CALLS),
    },
    "omni.kit.app": {
        "GLOBAL_EVENT_UPDATE": ("constant", _CALLS),
        "ExtensionManager": (None, _HANDED_OUT),
        "ExtensionManager.get_extension_path": ("(ext_id, /)", _CALLS),
        "ExtensionManager.is_extension_enabled": ("(name, /)", _CALLS),
        "ExtensionManager.set_extension_enabled_immediate": ("(name, enabled, /)", _CALLS),
        "IApp": (None, _HANDED_OUT),
        "IApp.update": ("()", _CALLS),
        "IApp.next_update_async": ("()", _CALLS),
        "IApp.get_extension_manager": ("()", _CALLS),
        "get_app": ("()", _CALLS),
    },
    "omni.kit.menu.utils": {
        "MenuItemDescription": (
            "(name='', glyph='', sub_menu=None, ticked=False, ticked_fn=None, enabled=True, onclick_action=None, "
            "onclick_fn=None)",
            _CALLS,
        ),
        "add_menu_items": ("(menu, name, menu_index=0, /)", _CALLS),
        "remove_menu_items": ("(menu, /, name)", _CALLS),
    },
    "omni.kit.notification_manager": {
        "NotificationStatus": (["INFO", "WARNING"], _CALLS),
        "NotificationButtonInfo": ("(text, /, on_complete=None)", _CALLS),
        "Notification": (None, _HANDED_OUT),
        "Notification.dismiss": ("()", _NAMED),
        "post_notification": (
            "(text, /, *, hide_after_timeout=True, duration=3, status=0, button_infos=())",
            _CALLS,
        ),
    },
    "omni.kit.pipapi": {
        "install": (
            "(package, module=None, ignore_import_check=False, ignore_cache=False, version=None, "
            "use_online_index=True, surpress_output=False, extra_args=None)",
            f"{_DOCUMENTED}, omni.kit.pipapi 109.0.3",
        ),
    },
    "omni.kit.test": {"AsyncTestCase": (None, _CALLS)},
    "omni.kit.viewport.utility": {
        "ViewportAPI": (None, _HANDED_OUT),
        **{
            f"ViewportAPI.{name}": ("property", _CALLS)
            for name in ("camera_path", "updates_enabled", "view", "projection")
        },
        "ViewportAPI.add_scene_view": ("(scene_view, /)", _CALLS),
        "ViewportAPI.remove_scene_view": ("(scene_view, /)", _CALLS),
        "ViewportWindow": (None, _HANDED_OUT),
        "ViewportWindow.viewport_api": ("property", _CALLS),
        "ViewportWindow.get_frame": ("(frame_id, /)", _CALLS),
        "get_active_viewport_window": ("()", _CALLS),
        "get_active_viewport": ("()", _CALLS),
    },
    "omni.kit.window.filepicker": {
        "FilePickerDialog": ("(title, /, **kwargs)", _CALLS),
        "FilePickerDialog.show": ("(path=None, /)", _CALLS),
        "FilePickerDialog.hide": ("()", _CALLS),
        "FilePickerDialog.destroy": ("()", _CALLS),
    },
    "omni.physics.core": {
        "PhysicsStepContext": (None, "given to step callbacks"),
        "PhysicsStepContext.scene_path": ("property", "the step context of Isaac Sim's own callbacks"),
        "PhysicsStepContext.simulation_id": ("property", "the step context of Isaac Sim's own callbacks"),
        "StepSubscription": (None, _HANDED_OUT),
        "IPhysicsSimulation": (None, _HANDED_OUT),
        "IPhysicsSimulation.get_attached_stage": ("()", _CALLS),
        "IPhysicsSimulation.simulate": ("(elapsed_step, current_time, /)", _CALLS),
        "IPhysicsSimulation.subscribe_physics_on_step_events": ("(*, pre_step, order, on_update)", _CALLS),
        "IPhysicsStageUpdate": (None, _HANDED_OUT),
        "IPhysicsStageUpdate.force_load_physics_from_usd": ("()", _CALLS),
        "IPhysicsStageUpdate.reset_simulation": ("()", _CALLS),
        "get_physics_simulation_interface": ("()", _CALLS),
        "get_physics_stage_update_interface": ("()", _CALLS),
    },
    "omni.physics.tensors": {
        "ArticulationMetatype": (None, _METATYPE),
        **{
            f"ArticulationMetatype.{name}": ("property", _METATYPE)
            for name in (
                *("link_count", "joint_count", "dof_count", "link_names", "joint_names", "dof_names"),
                *("link_indices", "joint_indices", "dof_indices", "fixed_base"),
            )
        },
    },
    "omni.physx": {
        "IPhysxReplicator": (None, _HANDED_OUT),
        "IPhysxReplicator.unregister_replicator": (
            "(stage_id)",
            "PhysX 107.3, omni.physx/bindings/BindingsPhysXReplicator.cpp",
        ),
    },
    "omni.physxfabric": {
        "IPhysXFabric": (None, _HANDED_OUT),
        "IPhysXFabric.update": ("(current_time, elapsed_time, /)", _FABRIC),
        "IPhysXFabric.force_update": ("(current_time, elapsed_time, /)", _FABRIC),
        "IPhysXFabric.attach_stage": ("(stage_id, /)", _FABRIC),
        "IPhysXFabric.detach_stage": ("()", _FABRIC),
        "get_physx_fabric_interface": ("()", _CALLS),
    },
    "omni.timeline": {
        **{f"GLOBAL_EVENT_{name}": ("constant", _CALLS) for name in ("PLAY", "PAUSE", "STOP")},
        "Timeline": (None, _HANDED_OUT),
        **{f"Timeline.{name}": ("()", _CALLS) for name in ("play", "pause", "stop", "is_playing", "is_stopped")},
        "Timeline.commit": ("()", _CALLS),
        "get_timeline_interface": ("()", _CALLS),
    },
    "omni.usd": {
        "StageEventType": (
            ["ASSETS_LOADED", "CLOSED", "CLOSING", "OPENED", "OPEN_FAILED", "SELECTION_CHANGED"],
            _CALLS,
        ),
        "Selection": (None, _HANDED_OUT),
        "Selection.get_selected_prim_paths": ("()", _CALLS),
        "Selection.set_selected_prim_paths": ("(paths, expand, /)", _CALLS),
        "UsdContext": (None, _HANDED_OUT),
        **{f"UsdContext.{name}": ("()", _CALLS) for name in ("get_stage", "get_stage_id", "get_selection")},
        "UsdContext.stage_event_name": ("(event_type, /)", _CALLS),
        "UsdContext.new_stage_async": ("()", _CALLS),
        "UsdContext.new_stage": ("()", _CALLS),
        "UsdContext.open_stage": ("(url, /)", _CALLS),
        "UsdContext.close_stage": ("()", _CALLS),
        "get_context": ("()", _CALLS),
    },
}
"""Module to name to its signature and how that is known.

A list names an enum's members; None stands for a class that is not constructed by hand. A parameter whose name no
source tells is positional only, so that a call which guesses it fails.
"""
