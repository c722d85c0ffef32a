"""Whether so many environments fit into memory, found out before they are built."""

from __future__ import annotations

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from humanoid_rl_ext.errors import BadInputError, EngineError
from humanoid_rl_ext.sim.memory import available_memory, free_gpu_memory
from humanoid_rl_ext.train.config import RunConfig

if TYPE_CHECKING:
    from humanoid_rl_ext.task.schema import Task
    from humanoid_rl_ext.train.rehearsal import Seen

SURELY_FIT = 4096
"""Environments on the CPU that no estimate is made for."""
BYTES_PER_BODY = 15_000
"""Of an environment on the CPU, measured on the bundled robots: 13 to 15.5 kB."""
AMPLE, AMPLE_PER_SAMPLE = 2_000_000, 100_000
"""Bytes that an environment on a GPU surely does with, and so each of its samples in a minibatch."""
REHEARSED = ((2048, 6144), (512, 1536), (128, 384))
"""Two sizes to measure, and smaller ones should those not fit. PhysX' buffers grow from 2048 environments on."""
KEPT_FREE = 0.05
"""Share of the memory that is left for what two small sizes do not show: fragments, the display."""
ROUND = 256


@dataclass(frozen=True, slots=True)
class Need:
    """Memory (bytes) that two sizes of the same run were seen to need, and how much there is for it."""

    small: tuple[int, float]
    """Environments, bytes."""
    large: tuple[int, float]
    available: float
    what: str = "memory"

    def of(self, num_envs: int) -> float:
        """Bytes that so many environments need: on the straight line through both sizes."""
        return self.large[1] + self._each * (num_envs - self.large[0])

    @property
    def usable(self) -> float:
        """Bytes that environments may take."""
        return self.available * (1.0 - KEPT_FREE)

    @property
    def fitting(self) -> int:
        """The largest number of environments that fits, a multiple of 256 where that many do."""
        if self._each <= 0.0 or math.isinf(self.available):
            return 2**62
        fitting = max(0, self.large[0] + math.floor((self.usable - self.large[1]) / self._each))
        return fitting - fitting % ROUND if fitting >= ROUND else fitting

    @property
    def _each(self) -> float:
        return (self.large[1] - self.small[1]) / (self.large[0] - self.small[0])


def check_memory(task: Task | str, num_envs: int, engine: str, device: str, config: RunConfig | None) -> None:
    """Raises BadInputError when so many environments need more memory than there is, naming the number that fits.

    Without a ``config`` nothing is to be learned: the environments are only stepped, by ``bench_env``. On a GPU a
    number that might not fit is rehearsed at two small sizes in a process of its own, which takes some 15 s; others
    cost nothing. Gymnasium's environments are not looked at.
    """
    if isinstance(task, str):
        return
    if device == "cpu":
        if num_envs * task.team_size > SURELY_FIT:
            from humanoid_rl_ext.env.make import task_robot

            check_bodies(task.team_size * len(task_robot(task).bodies), num_envs, available_memory())
    elif ample(num_envs * task.team_size, config) > free_gpu_memory(device):
        check_needs(num_envs, rehearsed(task, engine, device, config))


def check_bodies(bodies: int, num_envs: int, available: float) -> None:
    """Raises BadInputError when so many copies of a robot on the CPU need more memory than is available (bytes).

    Nothing else would stop them: the kernel hands memory out until it ends the process, without a word.
    """
    needed = num_envs * bodies * BYTES_PER_BODY
    if needed > available:
        fit = int(available / bodies / BYTES_PER_BODY)
        raise BadInputError(
            f"{num_envs:,} environments of {bodies} bodies need about {needed / 1e9:.0f} GB of memory and "
            f"{available / 1e9:.0f} GB are free; {fit:,} would fit (--envs)"
        )


def check_needs(num_envs: int, needs: tuple[Need, ...]) -> None:
    """Raises BadInputError when a need of so many environments is not met; the scarcest of them decides."""
    scarcest = min(needs, key=lambda need: need.fitting)
    if num_envs > scarcest.fitting:
        raise BadInputError(
            f"{num_envs:,} environments need about {scarcest.of(num_envs) / 1e9:,.1f} GB of {scarcest.what}, where "
            f"{scarcest.usable / 1e9:,.1f} of {scarcest.available / 1e9:,.1f} GB free may be used; "
            f"{scarcest.fitting:,} would fit (--envs {scarcest.fitting})"
        )


def ample(num_envs: int, config: RunConfig | None) -> float:
    """Bytes on a GPU that so many environments surely do with, several times what those of the presets need."""
    settings = None if config is None else config.settings
    samples = getattr(settings, "num_steps", 0) / getattr(settings, "num_minibatches", 1)
    return num_envs * (AMPLE + AMPLE_PER_SAMPLE * samples)


def rehearsed(task: Task, engine: str, device: str, config: RunConfig | None) -> tuple[Need, ...]:
    """What a run needs of the GPU's and of the machine's memory, measured at two small sizes on the device itself.

    Raises:
        BadInputError: when not even the smallest sizes can be tried.
        HumanoidRLError: for what is wrong with the run at any size.
    """
    for sizes in REHEARSED:
        try:
            seen = rehearse_apart(task, engine, device, config, sizes)
        except (RuntimeError, EngineError, MemoryError) as error:
            problem = (str(error).strip() or type(error).__name__).splitlines()[0]
            continue
        small, large = zip(sizes, seen.gpu, strict=True)
        small_host, large_host = zip(sizes, seen.host, strict=True)
        return (
            Need(small, large, seen.free_gpu, f"memory on {device}"),
            Need(small_host, large_host, available_memory()),
        )
    raise BadInputError(f"not even {sizes[1]} environments could be tried on {device}: {problem}")


def rehearse_apart(task: Task, engine: str, device: str, config: RunConfig | None, sizes: tuple[int, ...]) -> Seen:
    """``rehearse`` in a process of its own: what it leaves behind, or a crash for want of memory, ends with it."""
    from humanoid_rl_ext.train.rehearsal import rehearse

    if config is not None:  # pickle cannot find a model that was given its settings' type
        config = RunConfig(algorithm=config.algorithm, run=config.run, settings=config.settings)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        try:
            return process.submit(rehearse, task, engine, device, config, sizes).result()
        except BrokenProcessPool:
            raise EngineError(f"{engine} ended without a word, {max(sizes):,} environments were tried") from None


def most_memory_mb() -> float | None:
    """Most memory that the process has used (MB); None on Windows, where the standard library does not tell."""
    own = Path("/proc/self/status")  # what getrusage tells begins with the most of the process that started this one
    if own.exists():
        peak = next(line for line in own.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return float(peak.split()[1]) / 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
