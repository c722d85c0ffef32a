"""Life cycle and a first training inside Isaac Sim. Outside of it the miniature Kit of tests/kit runs them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

import omni.kit.actions.core
import omni.kit.app
import omni.kit.test
import omni.timeline
import omni.usd
from omni import ui
from pxr import UsdGeom

from humanoid_rl_ext.extension import ACTION, TITLE, HumanoidRLExtension, get_extension

UPDATES = 20_000
"""After so many updates of the application something that should happen has failed."""


class TestInIsaacSim(omni.kit.test.AsyncTestCase):
    """On an empty stage, with a home of its own."""

    async def setUp(self) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._home_before = os.environ.get("HUMANOID_RL_HOME")
        os.environ["HUMANOID_RL_HOME"] = self._home.name
        await omni.usd.get_context().new_stage_async()
        stage = omni.usd.get_context().get_stage()
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)

    async def tearDown(self) -> None:
        omni.timeline.get_timeline_interface().stop()
        await self._updates(5)
        if self._home_before is None:
            del os.environ["HUMANOID_RL_HOME"]
        else:
            os.environ["HUMANOID_RL_HOME"] = self._home_before
        self._home.cleanup()

    async def test_the_panel_opens_by_its_action(self) -> None:
        extension = await self._opened()
        window = ui.Workspace.get_window(TITLE)
        self.assertIsNotNone(window)
        self.assertTrue(window.visible)
        assert extension.app is not None
        self.assertTrue(extension.app.connected)

    async def test_cartpoles_train_and_the_stage_is_as_before(self) -> None:
        extension = await self._opened()
        assert extension.app is not None
        bench = extension.app.workbench
        stage = omni.usd.get_context().get_stage()
        before = stage.GetRootLayer().ExportToString()
        bench.load_task("cartpole_balance")
        bench.edit("run.num_envs", 64)
        bench.start()
        await self._until(lambda: bench.state == "training", lambda: bench.message.text)
        session = bench.session
        assert session is not None
        await self._until(lambda: session.iteration >= 5, lambda: bench.message.text)
        bench.stop()
        app = extension.app
        await self._until(lambda: bench.state == "idle" and not app.at_work, lambda: bench.message.text)
        self.assertIsNotNone(session.checkpoint)
        self.assertFalse(stage.GetPrimAtPath("/HumanoidRL").IsValid())
        self.assertEqual(stage.GetRootLayer().ExportToString(), before)

    async def test_stopping_the_timeline_saves_the_run(self) -> None:
        extension = await self._opened()
        assert extension.app is not None
        bench = extension.app.workbench
        bench.load_task("cartpole_balance")
        bench.edit("run.num_envs", 16)
        bench.start()
        await self._until(lambda: bench.state == "training", lambda: bench.message.text)
        session = bench.session
        assert session is not None
        await self._until(lambda: session.env_steps > 0, lambda: bench.message.text)
        omni.timeline.get_timeline_interface().stop()
        app = extension.app
        await self._until(lambda: bench.state == "idle" and not app.at_work, lambda: bench.message.text)
        self.assertIsNotNone(session.checkpoint)

    async def _opened(self) -> HumanoidRLExtension:
        """The extension with its panel built."""
        extension = get_extension()
        assert extension is not None, "the extension is not enabled"
        omni.kit.actions.core.get_action_registry().execute_action(extension.name, ACTION)
        await self._until(lambda: extension.app is not None, lambda: "the panel was not built")
        return extension

    async def _updates(self, count: int) -> None:
        for _ in range(count):
            await omni.kit.app.get_app().next_update_async()

    async def _until(self, condition: Callable[[], object], said: Callable[[], str]) -> None:
        for _ in range(UPDATES):
            if condition():
                return
            await self._updates(1)
        self.fail(said())
