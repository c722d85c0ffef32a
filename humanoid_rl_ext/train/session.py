"""A training run: environment, learner and run folder, worked by whoever pumps it. No threads."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from humanoid_rl_ext.env.make import leave_cores_to_physics
from humanoid_rl_ext.env.stagger import stagger
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.errors import BadInputError, TaskError
from humanoid_rl_ext.learn.edits import edited as edited_settings
from humanoid_rl_ext.learn.edits import is_live
from humanoid_rl_ext.sim.device import used_memory
from humanoid_rl_ext.task.loading import edited, value_at
from humanoid_rl_ext.train.checkpoint import (
    check_fit,
    describe_spec,
    latest_checkpoint,
    prune,
    read_checkpoint,
    restoring,
    write_checkpoint,
)
from humanoid_rl_ext.train.curriculum import Curriculum, check_live
from humanoid_rl_ext.train.evaluate import Evaluation, evaluation
from humanoid_rl_ext.train.memory import most_memory_mb
from humanoid_rl_ext.train.metrics import MetricHistory, Metrics, MetricsLog, finite
from humanoid_rl_ext.train.warning_signs import WarningSigns
from humanoid_rl_ext.train.watch import Watch

if TYPE_CHECKING:
    from humanoid_rl_ext.env.make import Env
    from humanoid_rl_ext.env.transition import Transition
    from humanoid_rl_ext.learn.learner import Learner
    from humanoid_rl_ext.task.schema import Task
    from humanoid_rl_ext.train.config import RunConfig
    from humanoid_rl_ext.train.run_folder import RunFolder


class Session:
    """Trains in small pieces: a host calls ``pump`` for the time it can spare, or ``run`` for all of it.

    Everything may be called between two pumps. Task edits and pauses act at once; saving, loading, evaluating, stopping
    and learner edits wait for the next safe point, which is between two iterations.
    """

    def __init__(self, env: Env, learner: Learner, task: Task | str, config: RunConfig, folder: RunFolder) -> None:
        self.env, self.learner, self.task, self.config, self.folder = env, learner, task, config, folder
        self.settings = config.settings
        self.history = MetricHistory()
        self.on_metrics: list[Callable[[Metrics], None]] = []
        """Called with the metrics of each iteration."""
        self.on_warning: list[Callable[[str], None]] = []
        """Called with a line, once for each thing that the metrics show is going wrong."""
        self.env_steps = 0
        self.paused = False
        self.finished = False
        """Whether the budget is used up or the run was stopped; everything is saved then."""
        self.seconds = 0.0
        """Time spent working in this process."""
        self.first_step_at: float | None = None
        """``time.time()`` after the first environment step."""
        self.first_env_steps = 0
        """Where this process took the run over."""
        self.non_finite = 0
        """States that were not finite, over the whole run; each was reset."""
        self.checkpoint: Path | None = None
        """The newest checkpoint."""
        self.vec_env = env if isinstance(env, VecEnv) else None
        """The environment where it is simulated by an engine of ours; None for a Gymnasium environment."""
        self.watched = Watch(self.vec_env, learner) if self.vec_env is not None and self.vec_env.reserved else None
        """The policy in the reserved environments; None where none is reserved."""
        self.watched_env = self.vec_env.num_envs if self.vec_env is not None and self.watched is not None else 0
        """Index of the first watched environment in the engine."""
        self.evaluated: tuple[int, int] | None = None
        """Episodes counted and asked for while ``evaluate`` is at work."""
        self.curriculum = Curriculum(self)
        """Which stage the run is in, and its figures."""
        self._log = MetricsLog(folder.path)
        self._signs = WarningSigns()
        self._stopping = False
        self._at_safe_point = True  # until the first piece of work, and after the last
        self._requests: list[Callable[[], Iterator[None] | None]] = []
        self._steps_made = 0
        self._best: tuple[float, int] | None = None
        self._iterations_since_save = 0
        self._in_flight: torch.cuda.Event | None = None
        self._piece_started = 0.0
        self._obs = env.reset()
        self.device = str(self._obs["policy"].device)
        self._on_cuda = self._obs["policy"].is_cuda
        self._work = self._train()

    @property
    def iteration(self) -> int:
        """Finished learning iterations, those before a resume included."""
        return self.learner.iteration

    def pump(self, seconds: float) -> bool:
        """Works for about ``seconds``; whether there is more to do (also while paused).

        On a GPU at most one piece of work is under way when this returns, and it returns at once, without waiting,
        while the last one still is.
        """
        deadline = time.perf_counter() + seconds
        while not (self.paused or self.finished):
            if self._in_flight is not None and not self._in_flight.query():
                break
            self._advance()
            if self._on_cuda:
                self._in_flight = torch.cuda.Event()
                self._in_flight.record()
            if time.perf_counter() >= deadline:
                break
        return not self.finished

    def run(self) -> None:
        """Works until the budget is used up, or until a metrics callback or a signal calls ``stop`` or ``pause``."""
        while not (self.paused or self.finished):
            self._advance()

    def step_once(self, seconds: float = math.inf) -> bool:
        """Works until one environment step has been made, paused or not, or for about ``seconds``; whether it was."""
        deadline, before = time.perf_counter() + seconds, self._steps_made
        while self._steps_made == before and not self.finished and time.perf_counter() < deadline:
            self._advance()
        return self._steps_made > before

    def pause(self) -> None:
        """Holds at once, in the middle of an iteration if need be."""
        self.paused = True
        self._log.settle()

    def resume(self) -> None:
        """Goes on after a pause."""
        self.paused = False

    def stop(self) -> None:
        """Ends the run at the next safe point, saving it; also ends a pause."""
        self._stopping = True
        self.paused = False

    def save(self) -> None:
        """Writes a checkpoint at the next safe point."""
        self._at_next_safe_point(self._save)

    def load(self, checkpoint: Path | None = None) -> None:
        """Goes back to a checkpoint (the newest when None) at the next safe point.

        Raises:
            CheckpointError: for a checkpoint that is damaged or does not fit; nothing has changed then.
        """
        loaded = read_checkpoint(checkpoint or latest_checkpoint(self.folder.path))
        check_fit(loaded, self.env.spec)
        self._at_next_safe_point(lambda: self._restore(loaded.header, loaded.state, loaded.path))

    def evaluate(self, episodes: int, done: Callable[[Evaluation], None]) -> None:
        """Plays whole episodes without exploration from the next safe point on, in place; ``done`` gets the result.

        Every pump plays some of it. The environment is put back as it was afterwards, as far as its ``state_dict``
        reaches. A run that is stopped meanwhile ends without a result.
        """
        if self.finished:
            for _ in self._evaluate(episodes, done):
                pass
        else:
            self._requests.append(lambda: self._evaluate(episodes, done))

    def watch(self, checkpoint: Path | None) -> None:
        """Lets a checkpoint act in the reserved environments, or (None) the policy that is being learned.

        Raises:
            HumanoidRLError: for a checkpoint that is damaged or does not fit, and where no environment is reserved.
        """
        if self.watched is None:
            raise BadInputError(f"{self.env.task_name}: no environment of this run is reserved for watching")
        self.watched.load(checkpoint)

    def can_edit(self, path: str) -> bool:
        """Whether ``edit`` of a path acts on this run; other fields wait for a new one."""
        table, _, name = path.partition(".")
        if table == "learner":
            return is_live(self.settings, name)
        return self.vec_env is not None and self.vec_env.can_edit(path)

    def edit(self, path: str, value: Any, source: str = "user") -> None:
        """Changes one value while training: a path in the Task, or ``learner.<setting>``; logs it in ``edits.jsonl``.

        A reward is added by a dict and removed by None, which stands for an absent entry in the log too.

        Raises:
            TaskError: for what does not exist, is not allowed there, or cannot change while training.
        """
        table, _, name = path.partition(".")
        if table == "learner":
            settings = edited_settings(self.settings, name, value)
            old, self.settings = getattr(self.settings, name), settings
            self._at_next_safe_point(lambda: self._edit_learner(path, old, getattr(settings, name), source))
            return
        if isinstance(self.task, str):
            raise TaskError(f"edit '{path}': {self.task} has nothing to edit but learner.<setting>")
        before, task = self.task, edited(self.task, path, value)
        check_live(task, self.can_edit)
        self.env.edit(path, value)
        old, new = (value_at(version.model_dump(mode="json"), path) for version in (before, task))
        self.task = task
        self.folder.log_edit(self.env_steps, path, old, new, source)
        self.curriculum.take_over(before.curriculum)

    def move_to_stage(self, stage: str) -> None:
        """Goes to a stage of the curriculum by its name, forwards or back; raises TaskError for one there is not."""
        self.curriculum.move_to(stage)

    def abandon(self) -> None:
        """Ends the run here and now, saving it, for a host whose physics has gone: the iteration under way is lost."""
        if not self.finished:
            self._work.close()
            self._in_flight = None
            self._save()
            self.finished = self._at_safe_point = True

    def close(self) -> None:
        """Frees the environment and closes the files; saves nothing."""
        self._work.close()
        self._log.close()
        self.env.close()

    def closing_figures(self) -> Metrics:
        """Means over the episodes that ended in the last part of the run (see ``MetricHistory.closing_window``)."""
        return self.history.closing_figures(self.env.spec.max_episode_length, self.env.spec.num_envs)

    def _advance(self) -> None:
        self._piece_started = time.perf_counter()
        try:
            next(self._work)
        except StopIteration:
            self.finished = True
        finally:
            self.seconds += time.perf_counter() - self._piece_started

    def _seconds_until_now(self) -> float:
        return self.seconds + time.perf_counter() - self._piece_started

    def _train(self) -> Generator[None]:
        leave_cores_to_physics()  # once more: the setting is the thread's, and another one may have built the scene
        self._at_safe_point = False
        self.curriculum.begin()
        if self.env_steps == 0 and self.vec_env is not None and self.vec_env.task.episodes.stagger:
            stagger(self.vec_env)
        while True:
            while self._requests:
                yield from self._requests.pop(0)() or ()
            if self._stopping or self.env_steps >= self.config.run.env_steps:
                break
            yield from self._iterate()
            yield
        if self._iterations_since_save or self.checkpoint is None:
            self._save()
        self._log.settle()
        self._at_safe_point = True

    def _iterate(self) -> Generator[None]:
        """One learning iteration: steps of the environment until the learner has finished an update."""
        before, started, steps = self.learner.iteration, self._seconds_until_now(), self.env_steps
        while self.learner.iteration == before:
            transition = self._step(self.learner.act(self._obs))
            self.learner.observe(transition)
            self._obs = transition.obs
            self.env_steps += self.env.spec.num_envs
            self.first_step_at = self.first_step_at or time.time()
            yield
            yield from self.learner.update()
        self._emit(self.env_steps - steps, self._seconds_until_now() - started)
        self._iterations_since_save += 1
        if self._iterations_since_save >= self.config.run.save_interval:
            self._save()

    def _step(self, actions: torch.Tensor) -> Transition:
        """One environment step, with whoever is watched."""
        transition = self.env.step(actions) if self.watched is None else self.watched.step(actions)
        self._steps_made += 1
        self._log.settle()
        return transition

    def _emit(self, steps: int, seconds: float) -> None:
        metrics: Metrics = {"iteration": self.learner.iteration, "env_steps": self.env_steps}
        metrics |= {f"train/{name}": value for name, value in self.learner.metrics.items()}
        for name, value in self.env.episode_metrics().items():
            metrics[name if name.startswith("reward/") else f"episode/{name}"] = value
        metrics["time/seconds"] = self._seconds_until_now()
        metrics["time/steps_per_second"] = steps / seconds
        if (memory := most_memory_mb()) is not None:
            metrics["time/memory_mb"] = memory
        if self._on_cuda:
            metrics["time/gpu_memory_mb"] = used_memory(self.device) / 1e6
        metrics = finite(metrics)
        metrics |= self.curriculum.take_in(metrics)
        self._take_in(metrics)
        self._log.write(metrics)
        for callback in self.on_metrics:
            callback(metrics)
        for line in self._signs.take_in(metrics):
            for warn in self.on_warning:
                warn(line)

    def _take_in(self, metrics: Metrics) -> None:
        self.history.append(metrics)
        self.non_finite += int(metrics.get("episode/non_finite", 0))

    def _at_next_safe_point(self, act: Callable[[], None]) -> None:
        """Acts between two iterations: now, before the first and after the last, else when it comes."""
        if self._at_safe_point:
            act()
        else:
            self._requests.append(act)

    def _save(self) -> None:
        spec, folder = self.env.spec, self.folder.checkpoints
        score = self.history.mean_over_episodes("episode/return", max(1, self._iterations_since_save))
        header = {
            "task": self.env.task_name,
            "algorithm": self.config.algorithm,
            "iteration": self.learner.iteration,
            "mean_return": score,
            "spec": {**describe_spec(spec), "num_envs": spec.num_envs},
        }
        if score is not None and (self._best is None or score >= self._best[0]):
            self._best = (score, self.env_steps)
        header["best"] = self._best
        state = {"learner": self.learner.state_dict(), "env": self.env.state_dict(), "torch": torch.get_rng_state()}
        state["curriculum"] = self.curriculum.state_dict()
        self.checkpoint = write_checkpoint(folder, self.env_steps, header, state)
        prune(folder, self.config.run.keep_checkpoints, self._best[1] if self._best else None)
        self._iterations_since_save = 0

    def _restore(self, header: dict[str, Any], state: dict[str, Any], path: Path) -> None:
        kept, dropped = self.folder.rewind_edits(header["env_steps"])
        for entry in reversed(dropped):
            self._edit_settings(entry["path"], entry["old"])
        for entry in kept:
            self._edit_settings(entry["path"], entry["new"])
        if self.vec_env is not None and (kept or dropped):
            task = self.folder.task_at(header["env_steps"])
            assert not isinstance(task, str)
            self.vec_env.adopt(task)
            self.task = task
        with restoring(path):
            self.learner.load_state_dict(state["learner"])
            if header["spec"]["num_envs"] == self.env.spec.num_envs:
                self.env.load_state_dict(state["env"])
                self._obs = self.env.observations()
            else:  # another number of environments: there is no state for each of them, so they start afresh
                self._obs = self.env.reset()
            torch.set_rng_state(state["torch"].cpu())
        self.env_steps, self.checkpoint = header["env_steps"], path
        self.curriculum.load_state_dict(state.get("curriculum", {}))
        self._best = tuple(header["best"]) if header.get("best") else None
        self._iterations_since_save = 0
        if self.finished:
            self.finished, self._stopping = False, False
            self._work = self._train()
        self.history.clear()
        self.non_finite, self.first_env_steps = 0, self.env_steps
        for metrics in self._log.rewind(self.env_steps):
            self._take_in(metrics)
        for entry in kept:
            if entry["env_steps"] == self.env_steps:  # made after the save; what was saved has just undone them
                self._edit_settings(entry["path"], entry["new"])

    def _edit_settings(self, path: str, value: Any) -> None:
        """An edit of the learner that the run folder remembers, made again after a load; others are passed over."""
        if path.startswith("learner."):
            name = path.removeprefix("learner.")
            self.settings = edited_settings(self.settings, name, value)
            self.learner.edit(name, value)

    def _edit_learner(self, path: str, old: Any, new: Any, source: str) -> None:
        self.learner.edit(path.removeprefix("learner."), new)
        self.folder.log_edit(self.env_steps, path, old, new, source)

    def _evaluate(self, episodes: int, done: Callable[[Evaluation], None]) -> Generator[None]:
        before = copy.deepcopy(self.env.state_dict())  # it may hand out the very tensors that are about to change
        result = yield from self._play(episodes)
        self.env.load_state_dict(before)
        self._obs = self.env.observations()
        if result is not None:
            done(result)

    def _play(self, episodes: int) -> Generator[None, None, Evaluation | None]:
        """Evaluates slice by slice; None when the run is stopped meanwhile."""
        playing = evaluation(self.env, self.learner, episodes, self._step)
        try:
            while not self._stopping:
                self.evaluated = next(playing), episodes
                yield
        except StopIteration as stop:
            return stop.value
        finally:
            self.evaluated = None
        return None
