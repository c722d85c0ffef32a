"""A training run within a benchmark's own process, and the files that results go to."""

from __future__ import annotations

import datetime
import gc
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from humanoid_rl_ext.train.metrics import Metrics
from humanoid_rl_ext.train.session import Session
from humanoid_rl_ext.train.start import RunPlan, open_session

SAY_EVERY_S = 10.0


@contextmanager
def trained(
    plan: RunPlan,
    shown: tuple[str, ...],
    *,
    seconds: float = math.inf,
    watch: Callable[[Session, Metrics], None] = lambda session, metrics: None,
) -> Iterator[Session]:
    """The session of a run that has come to its end, or to ``seconds`` of training; closed afterwards.

    Prints the metrics named ``shown`` every ten seconds; ``watch`` gets those of each iteration.
    """
    gc.collect()  # what the last run left behind; in the middle of a recording it could not be freed
    session = open_session(plan)
    try:
        due = 0.0

        def take_in(metrics: Metrics) -> None:
            nonlocal due
            watch(session, metrics)
            spent = metrics["time/seconds"]
            if spent >= due:
                due = spent + SAY_EVERY_S
                figures = [f"{name.rpartition('/')[2]} {metrics[name]:.3g}" for name in shown if name in metrics]
                print(
                    f"  {spent:.0f} s: {session.env_steps / 1e6:.1f} M steps at "
                    f"{metrics['time/steps_per_second'] / 1e3:.0f} k/s; {', '.join(figures)}",
                    flush=True,
                )
            if spent > seconds:
                session.stop()

        session.on_metrics.append(take_in)
        session.run()
        yield session
    finally:
        session.close()


def today() -> dict[str, Any]:
    """Date and versions, for a file of results."""
    names = ("torch", "warp-lang", "newton", "mujoco-warp", "ovphysx")
    return {"date": datetime.date.today().isoformat(), "versions": {name: version(name) for name in names}}


def write(data: dict[str, Any], path: Path) -> None:
    """Replaces a file of results at once, so that a process that is ended leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(data) + "\n", encoding="utf-8")
    draft.replace(path)
