"""What the Training section shows: the algorithm, sizes and device of the next run, and what they amount to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from humanoid_rl_ext.env.outline import outline
from humanoid_rl_ext.errors import HumanoidRLError
from humanoid_rl_ext.learn import LEARNERS
from humanoid_rl_ext.ui.fields.spec import FieldSpec, learner_fields, run_fields
from humanoid_rl_ext.ui.workbench import Workbench

GPUS = Path("/proc/driver/nvidia/gpus")
"""Where the NVIDIA driver on Linux lists its GPUs, one folder each."""
SIZES = ("run.num_envs", "run.env_steps", "run.device", "run.engine", "run.save_interval", "run.keep_checkpoints")


class TrainingModel:
    """All logic of the section; the settings themselves live in the workbench's draft."""

    def __init__(self, workbench: Workbench, gpus: Path = GPUS) -> None:
        self.workbench = workbench
        self._gpus = gpus

    # The algorithm

    @property
    def algorithms(self) -> list[str]:
        """Names of the algorithms that can learn the draft's task, and of the draft's own."""
        return [name for name in LEARNERS if name not in self.left_out or name == self.algorithm]

    @property
    def left_out(self) -> dict[str, str]:
        """The algorithms that cannot learn the draft's task, with the reason."""
        spec = outline(self.workbench.draft.task)
        reasons = {name: entry.misfit(spec) for name, entry in LEARNERS.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    @property
    def algorithm(self) -> str:
        """The draft's algorithm."""
        return self.workbench.draft.config.algorithm

    @property
    def help(self) -> str:
        """What the draft's algorithm is; why it cannot learn the task, where that is so."""
        reason = self.left_out.get(self.algorithm)
        return f"Not for this task: it {reason}. Choose another one." if reason else LEARNERS[self.algorithm].help

    @property
    def choosing_help(self) -> str:
        """What there is to choose from, and what is not among it, with the reason."""
        lines = ["How the policy learns; another one starts with its preset's settings, in the next run"]
        lines += [f"Not for this task: {name} {reason}" for name, reason in self.left_out.items()]
        return "\n".join(lines)

    def choose(self, algorithm: str) -> None:
        """Takes another algorithm for the next run, with its preset's settings."""
        if algorithm == self.algorithm:
            return
        try:
            self.workbench.draft.choose_algorithm(algorithm)
        except HumanoidRLError as error:
            self.workbench.say(str(error), "error")
            return
        undoable = self.workbench.undoable
        undoable[:] = [change for change in undoable if not change.path.startswith("learner.")]
        self.workbench.draft_changed.emit("")

    # Fields

    def run_specs(self) -> list[FieldSpec]:
        """Sizes, device and files of a run; the engine where there is a choice."""
        devices, engines = self.devices(), self.workbench.opener.engines
        known = {
            spec.path: replace(spec, choices=devices) if spec.path == "run.device" else spec for spec in run_fields()
        }
        return [
            known[path] for path in SIZES if path != "run.engine" or self.workbench.draft.config.run.engine in engines
        ]

    def live_specs(self) -> list[FieldSpec]:
        """Settings of the algorithm that may change while it trains."""
        return [spec for spec in learner_fields(self.algorithm) if spec.live]

    def fixed_specs(self) -> list[FieldSpec]:
        """Settings of the algorithm that a run keeps from its start to its end."""
        return [spec for spec in learner_fields(self.algorithm) if not spec.live]

    def devices(self) -> tuple[str, ...]:
        """Devices to choose from: CUDA ones only where there is an NVIDIA driver."""
        count = len(list(self._gpus.iterdir())) if self._gpus.is_dir() else 0
        each = tuple(f"cuda:{index}" for index in range(count)) if count > 1 else ()
        return ("auto", "cpu", *(("cuda",) if count else ()), *each)

    # What they amount to

    @property
    def summary(self) -> str:
        """How long the run is in iterations, and how much an iteration learns from."""
        run, settings = self.workbench.draft.config.run, self.workbench.draft.config.settings
        num_steps = getattr(settings, "num_steps", None)
        if num_steps is None:
            return ""
        batch = run.num_envs * num_steps
        iterations = -(-run.env_steps // batch)
        text = f"{_many(iterations, 'iteration')} of {_many(batch, 'step')}"
        minibatches = getattr(settings, "num_minibatches", 1)
        return f"{text}, learned in minibatches of {batch // minibatches:,}" if minibatches > 1 else text

    @property
    def changed(self) -> list[str]:
        """Paths of the settings that differ from the preset's."""
        return [
            change.path for change in self.workbench.draft.differences() if change.path.startswith(("learner.", "run."))
        ]

    def put_back(self) -> None:
        """Puts every setting back to the preset's; what a run at work cannot take waits for the next one."""
        for path in self.changed:
            try:
                self.workbench.reset(path)
            except HumanoidRLError as error:
                self.workbench.say(str(error), "error")

    @property
    def at_work(self) -> bool:
        """Whether a run is at work, so that some settings wait for the next one."""
        return self.workbench.session is not None


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
