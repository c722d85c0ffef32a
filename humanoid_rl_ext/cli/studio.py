"""``studio``: the panel in a window."""

from __future__ import annotations

import argparse
from pathlib import Path

from humanoid_rl_ext.cli.output import Output
from humanoid_rl_ext.errors import BadInputError


def studio(arguments: argparse.Namespace, out: Output) -> int:
    """Opens the Studio on a task, or on a run, whose newest checkpoint it plays."""
    from humanoid_rl_ext.train.checkpoint import latest_checkpoint
    from humanoid_rl_ext.train.config import read_run_config
    from humanoid_rl_ext.train.run_folder import RunFolder
    from humanoid_rl_ext.train.start import load_any_task
    from humanoid_rl_ext.ui.draft import Draft

    run = Path(arguments.what).absolute()
    checkpoint = None
    if run.is_dir():
        folder = RunFolder.existing(run)
        task, config = folder.read_task(), read_run_config(folder.learner)
        checkpoint = latest_checkpoint(run)
    else:
        task, config = load_any_task(arguments.what), None
    if isinstance(task, str):
        raise BadInputError(f"{task}: the Studio shows robots of './hrl tasks' or task files; use ./hrl train {task}")
    from humanoid_rl_ext.hosts.studio import Studio

    window = Studio(Draft(task, config), size=arguments.size)
    if checkpoint is not None:
        window.workbench.play(checkpoint)
    window.run()
    return 0
