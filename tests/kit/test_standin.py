"""The miniature Kit's application behaves as the reference says that Kit's does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stages import Listener, cartpoles, observe, simulation_view
from standin import Kit
from standin.kit import REPOSITORY


def test_events_of_the_timeline_come_in_the_next_update(kit: Kit):
    listener = Listener()
    subscription = observe(kit, kit["omni.timeline"].GLOBAL_EVENT_PLAY, listener.hear)
    kit.new_stage()
    kit.timeline.play()
    assert not kit.timeline.is_playing() and not listener.heard
    kit.update()
    assert kit.timeline.is_playing() and len(listener.heard) == 1
    assert listener.heard[0][0].event_name == kit["omni.timeline"].GLOBAL_EVENT_PLAY
    subscription.reset()


def test_observers_are_called_in_order_until_their_handle_is_dropped(kit: Kit):
    said: list[str] = []
    late = observe(kit, "x", lambda _: said.append("late"), order=5)
    early = observe(kit, "x", lambda _: said.append("early"), order=-5)
    dispatcher = kit["carb.eventdispatcher"].get_eventdispatcher()
    assert dispatcher.dispatch_event("x", payload={}) == 2
    del early
    dispatcher.dispatch_event("x", payload={})
    late.reset()
    assert dispatcher.dispatch_event("x", payload={}) == 0
    assert said == ["early", "late", "late"]


def test_what_an_observer_raises_is_logged_and_the_others_still_hear(kit: Kit):
    listener = Listener()
    subscriptions = [observe(kit, "x", lambda _: 1 / 0), observe(kit, "x", listener.hear)]
    kit["carb.eventdispatcher"].get_eventdispatcher().dispatch_event("x", payload={})
    assert len(listener.heard) == 1 and "ZeroDivisionError" in kit.logs.errors[0]
    kit.logs.clear()
    subscriptions.clear()


def test_an_update_inside_an_update_is_refused(kit: Kit):
    subscription = observe(kit, kit["omni.kit.app"].GLOBAL_EVENT_UPDATE, lambda _: kit.app.update())
    kit.update()
    assert "app.update() was called inside" in kit.logs.errors[0]
    kit.logs.clear()
    subscription.reset()


def test_a_coroutine_goes_on_once_per_update(kit: Kit):
    seen: list[int] = []

    async def count() -> None:
        for number in range(3):
            seen.append(number)
            await kit.app.next_update_async()

    task = kit.app._loop.create_task(count())
    kit.update(2)
    assert seen == [0, 1]
    kit.update(2)
    assert task.done()


def test_opening_and_closing_a_stage_clears_callbacks_and_frees_physics(kit: Kit):
    from isaacsim.core.simulation_manager import SimulationEvent, SimulationManager

    listener = Listener()
    cartpoles(kit, 1)
    kit.play()
    view = simulation_view(kit)
    SimulationManager.register_callback(listener.hear, SimulationEvent.PHYSICS_POST_STEP)
    closing = observe(
        kit,
        kit.context.stage_event_name(kit["omni.usd"].StageEventType.CLOSING),
        lambda _: listener.heard.append((view.is_valid, kit.stage is not None)),
    )
    kit.new_stage()
    assert listener.heard == [(True, True)] and not view.is_valid
    assert SimulationManager._callbacks == {}
    kit.update()
    assert kit.timeline.is_stopped()
    closing.reset()


def test_a_method_that_is_registered_does_not_keep_its_owner_alive(kit: Kit):
    import weakref

    from isaacsim.core.simulation_manager import SimulationEvent, SimulationManager

    listener = Listener()
    watched = weakref.ref(listener)
    uid = SimulationManager.register_callback(listener.hear, SimulationEvent.SIMULATION_STOPPED)
    del listener
    assert watched() is None
    assert SimulationManager.deregister_callback(uid)
    assert not SimulationManager.deregister_callback(uid) and kit.logs.warnings


def test_settings_are_typed_watched_and_removed(kit: Kit):
    listener, settings = Listener(), kit.settings
    watch = settings.subscribe_to_node_change_events("/exts/humanoid_rl_ext/budget_ms", listener.hear)
    settings.set("/exts/humanoid_rl_ext", {"budget_ms": 12})
    assert settings.get_as_float("exts/humanoid_rl_ext/budget_ms") == 12.0 and len(listener.heard) == 1
    assert settings.get("/exts/humanoid_rl_ext") == {"budget_ms": 12}
    with pytest.raises(TypeError):
        settings.set_int("/exts/humanoid_rl_ext/budget_ms", "12")
    assert kit.leftovers() == {
        "settings": ["/exts/humanoid_rl_ext/budget_ms"],
        "settings subscriptions": ["/exts/humanoid_rl_ext/budget_ms"],
    }
    settings.destroy_item("/exts/humanoid_rl_ext")
    settings.unsubscribe_to_change_events(watch)
    assert settings.get("/exts/humanoid_rl_ext/budget_ms") is None and kit.leftovers() == {}


def test_everything_an_extension_adds_is_found_until_it_is_taken_away(kit: Kit):
    from omni.kit.actions.core import get_action_registry
    from omni.kit.menu.utils import MenuItemDescription, add_menu_items, remove_menu_items
    from omni.kit.window.filepicker import FilePickerDialog

    listener = Listener()
    get_action_registry().register_action("humanoid_rl_ext", "show", listener.hear)
    item = MenuItemDescription(name="Humanoid RL", onclick_action=("humanoid_rl_ext", "show"))
    menu = [MenuItemDescription(name="Robotics", sub_menu=[item])]
    add_menu_items(menu, "Tools")
    dialog = FilePickerDialog("Robot", apply_button_label="Open", click_apply_handler=listener.hear)
    subscription = observe(kit, "x", listener.hear)
    kit.click_menu("Tools/Robotics/Humanoid RL")
    kit.dialogs[0]._apply("h1.usd", "/robots")
    assert listener.heard == [(), ("h1.usd", "/robots")]
    assert kit.leftovers() == {
        "actions": ["humanoid_rl_ext.show"],
        "dialogs": ["Robot"],
        "menus": ["Tools/Robotics"],
        "subscriptions": ["x test"],
    }
    get_action_registry().deregister_action("humanoid_rl_ext", "show")
    remove_menu_items(menu, "Tools")
    dialog.destroy()
    subscription.reset()
    assert kit.leftovers() == {}


def test_packages_notifications_and_assets_answer_as_they_are_told(kit: Kit):
    from isaacsim.storage.native import get_assets_root_path
    from omni.kit.notification_manager import NotificationButtonInfo, NotificationStatus, post_notification

    listener = Listener()
    assert kit["omni.kit.pipapi"].install("safetensors", version="0.8.0")
    kit.refuse_installs()
    assert not kit["omni.kit.pipapi"].install("onnx")
    assert kit.installed_packages == ["safetensors"]
    button = NotificationButtonInfo("Install", on_complete=listener.hear)
    post_notification("It is missing", status=NotificationStatus.WARNING, button_infos=[button])
    kit.notifications[0]._click("Install")
    assert listener.heard == [()] and kit.notifications[0]._dismissed
    with pytest.raises(RuntimeError):
        get_assets_root_path()
    assert get_assets_root_path(skip_check=True).startswith("https://")
    kit.answer_assets_at("/assets")
    assert get_assets_root_path() == "/assets"


def test_each_kit_is_new_loads_nothing_heavy_and_leaves_omni_ui():
    script = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from standin import installed\n"
        "with installed() as kit:\n"
        "    import omni.usd; first = omni.usd.get_context(); kit.new_stage()\n"
        "with installed() as kit:\n"
        "    import omni.usd; assert omni.usd.get_context() is not first; assert kit.stage is None\n"
        "    assert not {'torch', 'warp', 'ovphysx'} & sys.modules.keys()\n"
        "import omni; assert not hasattr(omni, 'usd'); assert 'carb' not in sys.modules\n"
        "from importlib.util import find_spec; assert find_spec('omni.ui') and not find_spec('omni.usd')\n"
    )
    folders = [str(REPOSITORY), str(Path(__file__).parent)]
    done = subprocess.run([sys.executable, "-c", script, *folders], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
