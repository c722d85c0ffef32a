"""What the open Studio costs training, how fast it answers and how often it draws: all in one run."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.hosts.glfw import Waiting
from humanoid_rl_ext.hosts.studio import Studio
from humanoid_rl_ext.ui.draft import Draft

if TYPE_CHECKING:
    from humanoid_rl_ext.train.metrics import Metrics
    from humanoid_rl_ext.train.session import Session

SIZE = (1280, 720)
HELD_S = 0.08
"""How long a mouse button stays down in a click."""
PAUSE_S = (1.0, 1.6)
"""Time between two inputs, longer than the Studio takes a user to be at work: each one finds it at its slow pace."""


class ScriptedInput:
    """A mouse and keyboard whose events arrive at set times, noticed when the Studio polls, as a window's are."""

    def __init__(self) -> None:
        self.events: list[tuple[float, Callable[[], None]]] = []

    def input_waits(self) -> Waiting:
        """Hands the events over that have arrived by now."""
        came: Waiting = ""
        while self.events and self.events[0][0] <= time.perf_counter():
            self.events.pop(0)[1]()
            came = "press"
        return came

    def close_asked(self) -> bool:
        return False

    def stay_open(self) -> None:
        """There is no close button."""

    def close(self) -> None:
        """There is nothing to put back."""


def bench_ui(task: str, *, num_envs: int, device: str, seconds: float = 6.0, rounds: int = 4, clicks: int = 40) -> Any:
    """Rates (environment steps per second), answer times and frame times of one Studio that trains ``task``.

    ``rounds`` times, interleaved: training without frames, with everything in view, and with viewport and plots
    closed. The costs are medians over the rounds of one minus the ratio to that round's rate without frames. Then
    ``clicks`` clicks and keys, at random times; each is answered when the frame that shows its effect is complete.
    """
    os.environ.setdefault("OMNIUI_HEADLESS", "1")
    os.environ.setdefault("OMNIUI_BACKEND", "vulkan")
    draft = Draft.load(task)
    for path, value in (("run.num_envs", num_envs), ("run.device", device), ("run.env_steps", 10**12)):
        draft.edit(path, value)
    studio = Studio(draft, size=SIZE)
    studio.glfw = scripted = ScriptedInput()  # type: ignore[assignment]
    try:
        _train(studio)
        rates: dict[str, list[float]] = {"headless": [], "visible": [], "collapsed": []}
        frames: list[float] = []
        redraws: list[float] = []
        for _ in range(rounds):
            rates["headless"].append(_rate(studio, seconds, draw=False)[0])
            _show(studio, True)
            rate, times = _rate(studio, seconds, draw=True)
            rates["visible"].append(rate)
            frames += times
            redraws.append(len(times) / seconds)
            _show(studio, False)
            rates["collapsed"].append(_rate(studio, seconds, draw=True)[0])
        _show(studio, True)
        answers = _answers(studio, scripted, clicks)
        return {
            "task": task,
            "device": studio.workbench.session.device if studio.workbench.session else device,
            "num_envs": num_envs,
            "software_rendering": studio.pacing.software,
            "steps_per_second": {name: statistics.median(values) for name, values in rates.items()},
            "cost_visible": _cost(rates, "visible"),
            "cost_collapsed": _cost(rates, "collapsed"),
            "redraws_per_second": min(redraws),
            "frame_ms_p99": 1e3 * _quantile(frames, 0.99),
            "answer_ms_median": 1e3 * statistics.median(answers),
            "answer_ms_p95": 1e3 * _quantile(answers, 0.95),
        }
    finally:
        studio.close()


def _train(studio: Studio) -> None:
    """Starts the run and waits until the first iterations, which warm everything up, are behind it."""
    bench = studio.workbench
    bench.start()
    while bench.session is None or len(bench.history) < 3:
        studio.work()
        studio.draw()
        if bench.state == "idle":
            raise EngineError(f"bench ui: the run did not start: {bench.message.text}")


def _show(studio: Studio, visible: bool) -> None:
    studio.window.show_views(visible)
    for _ in range(5):
        studio.draw()


def _rate(studio: Studio, seconds: float, draw: bool) -> tuple[float, list[float]]:
    """Environment steps per second over some seconds, and how long each frame took, its share of work included."""
    session = studio.workbench.session
    assert session is not None
    frames: list[float] = []
    start, steps = time.perf_counter(), session.env_steps
    if draw:
        while (now := time.perf_counter()) < start + seconds:
            studio.work()
            studio.draw()
            frames.append(time.perf_counter() - now)
    else:
        _run_without_window(session, start + seconds)
    return (session.env_steps - steps) / (time.perf_counter() - start), frames


def _run_without_window(session: Session, end: float) -> None:
    """Trains as ``./hrl train`` does, until the first iteration that ends after ``end``."""

    def stop_in_time(metrics: Metrics) -> None:
        if time.perf_counter() >= end:
            session.pause()

    session.on_metrics.append(stop_in_time)
    session.run()
    session.on_metrics.remove(stop_in_time)
    session.resume()


def _answers(studio: Studio, scripted: ScriptedInput, clicks: int) -> list[float]:
    """Seconds from the arrival of each click to the completion of the frame that shows its effect."""
    chance = random.Random(0)
    return [
        _answer(studio, scripted, ("Rewards", "Training")[click % 2], time.perf_counter() + chance.uniform(*PAUSE_S))
        for click in range(clicks)
    ]


def _answer(studio: Studio, scripted: ScriptedInput, title: str, at: float) -> float:
    """Clicks on the tab of a closed section, letting the button go ``at`` that time; seconds to the answer."""
    from omni.ui import _ui

    panel = studio.window.panel
    tab = panel.tab(title)
    x = tab.screen_position_x + tab.computed_width / 2
    y = tab.screen_position_y + tab.computed_height / 2
    scripted.events = [
        (at - 0.5, lambda: _ui._inject_mouse_move(x, y)),
        (at - HELD_S, lambda: _ui._inject_mouse_button(0, True)),
        (at, lambda: _ui._inject_mouse_button(0, False)),
    ]
    while panel.section.title != title:
        studio.work()
        studio.draw()
        if time.perf_counter() > at + 5.0:
            raise EngineError("bench ui: a click was not answered within 5 s")
    studio.draw()  # the frame that shows the new section
    studio.draw()  # can begin only when that one is complete
    return time.perf_counter() - at


def _cost(rates: dict[str, list[float]], name: str) -> float:
    return 1.0 - statistics.median(a / b for a, b in zip(rates[name], rates["headless"], strict=True))


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
