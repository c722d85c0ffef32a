"""Enables the extension in a fresh process and prints, as JSON, how long that took and what was imported.

``enabled``: seconds in ``on_startup``; ``shown``: until the panel stands; ``longest``: the longest update of the
application meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from humanoid_rl_ext.hosts.libcuda import ensure_libcuda

os.environ.update(OMNIUI_HEADLESS="1", OMNIUI_BACKEND="vulkan")
ensure_libcuda()
from omni import ui
from omni.ui.standalone import _tick_one_frame
from standin import installed

from humanoid_rl_ext.hosts.studio import load_usd

load_usd()  # Kit has it in memory
ui.init("Kit", 1280, 720)
with installed() as kit:
    kit.new_stage()
    before = set(sys.modules)
    began = time.perf_counter()
    from humanoid_rl_ext.extension import HumanoidRLExtension

    extension = HumanoidRLExtension()
    extension.on_startup("humanoid_rl_ext-0.1.0")
    enabled = time.perf_counter() - began
    longest = 0.0
    while extension.app is None:
        frame = time.perf_counter()
        kit.update()
        _tick_one_frame()
        longest = max(longest, time.perf_counter() - frame)
        time.sleep(0.005)
    shown = time.perf_counter() - began
    imported = {name.partition(".")[0] for name in set(sys.modules) - before}
    extension.on_shutdown()
    print(json.dumps({"enabled": enabled, "shown": shown, "longest": longest, "imported": sorted(imported)}))
ui.shutdown()
