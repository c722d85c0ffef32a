"""An engine that has nothing to do leaves the CPU alone."""

from __future__ import annotations

import sys
import time

import pytest

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a slack for each thread")
def test_an_idle_engine_takes_no_processor_time():
    engine = OvPhysxEngine(load_robot("cartpole"), SceneSettings(4))
    try:
        engine.step(10)
        started, worked = time.perf_counter(), time.process_time()
        time.sleep(1.0)
        share = (time.process_time() - worked) / (time.perf_counter() - started)
        assert share < 0.08, f"{share:.0%} of a core while nothing is stepped"
    finally:
        engine.close()
