"""From what a user asked for to a session that is ready to train. Everything wrong is found before a folder is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.env.outline import outline
from humanoid_rl_ext.errors import BadInputError, DeviceError
from humanoid_rl_ext.home import home
from humanoid_rl_ext.learn import learner_entry, refusal
from humanoid_rl_ext.task.foreign import is_foreign
from humanoid_rl_ext.train.checkpoint import latest_checkpoint
from humanoid_rl_ext.train.config import RunConfig, is_run_override, load_run_config, read_run_config
from humanoid_rl_ext.train.memory import check_memory
from humanoid_rl_ext.train.run_folder import RunFolder, new_run_path, task_name

if TYPE_CHECKING:
    from humanoid_rl_ext.env.make import Env
    from humanoid_rl_ext.learn.learner import Learner
    from humanoid_rl_ext.sim.engine import Engine
    from humanoid_rl_ext.task.schema import Task
    from humanoid_rl_ext.train.session import Session


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run whose task and settings are checked; nothing heavy is loaded and nothing written yet."""

    task: Task | str
    config: RunConfig
    path: Path
    checkpoint: Path | None = None
    """What a resumed run goes on from."""
    edits: tuple[tuple[str, Any], ...] = ()
    """Changes that a resumed run starts with."""


def load_any_task(name: str, overrides: Sequence[str] = (), robot: str | None = None) -> Task | str:
    """The validated Task, or ``gym:ID`` or ``pz:ID`` as it is; raises TaskError or BadInputError."""
    if is_foreign(name):
        if overrides:
            raise BadInputError(
                f"'{overrides[0]}': {name} has no settings of its own, only learner.<setting> and run.<setting>"
            )
        if robot:
            raise BadInputError(f"--robot: {name} brings its own robot")
        return name
    from humanoid_rl_ext.task.loading import load_task

    if robot is None:
        return load_task(name, overrides)
    path = Path(robot).expanduser()
    source = str(path.absolute()) if path.suffix else robot  # without a suffix it is a bundled robot's name
    return load_task(name, [*overrides, f"robot.source={source}"])


def plan_run(
    task: str,
    overrides: Sequence[str] = (),
    *,
    algorithm: str = "ppo",
    robot: str | None = None,
    run: Path | None = None,
    **settings: Any,
) -> RunPlan:
    """A new run; ``settings`` are RunSettings' num_envs, env_steps, device, engine and seed, None for the preset's.

    Raises:
        BadInputError: when the task, an override, the algorithm or the folder cannot be used.
    """
    if run is not None and run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise BadInputError(f"{run}: exists already; go on with it by --resume {run}, or name another folder")
    for_run = [override for override in overrides if is_run_override(override)]
    for_task = [override for override in overrides if not is_run_override(override)]
    if settings.get("seed") is not None and not is_foreign(task):
        for_task.append(f"seed={settings['seed']}")
    loaded = load_any_task(task, for_task, robot)
    if not isinstance(loaded, str):
        settings["seed"] = loaded.seed
    elif settings.get("engine") is not None:
        raise BadInputError(f"--engine: {task} brings its own physics")
    config = load_run_config(algorithm, task_name(loaded), for_run, **settings)
    check_algorithm(loaded, config.algorithm)
    return RunPlan(loaded, config, (run or new_run_path(home(), loaded)).absolute())


def check_algorithm(task: Task | str, algorithm: str) -> None:
    """Raises BadInputError for an algorithm that cannot learn a task, naming those that can; builds nothing heavy."""
    entry = learner_entry(algorithm)
    if isinstance(task, str) and task.startswith("gym:") and len(entry.action_kinds) > 1 and not entry.multi_agent:
        return  # one agent with either kind of action: nothing to ask Gymnasium for
    if reason := refusal(algorithm, outline(task)):
        raise BadInputError(f"{task_name(task)}: {reason}")


def plan_draft(task: Task, config: RunConfig) -> RunPlan:
    """A new run of a Task and settings that are checked already; the Task's seed is the run's.

    Raises:
        BadInputError: for an algorithm that cannot learn the Task.
    """
    check_algorithm(task, config.algorithm)
    run = config.run.model_copy(update={"seed": task.seed})
    return RunPlan(task, config.model_copy(update={"run": run}), new_run_path(home(), task).absolute())


def plan_resume(run: Path, overrides: Sequence[str] = (), **settings: Any) -> RunPlan:
    """A run that goes on in its own folder, from its newest checkpoint; overrides become edits at its start.

    Raises:
        BadInputError: when the folder is no run, holds no checkpoint, or its files were spoilt.
    """
    from humanoid_rl_ext.task.yaml_source import parse_scalar

    folder = RunFolder.existing(run.absolute())
    edits = []
    for override in overrides:
        path, equals, text = override.partition("=")
        if not equals or path.startswith("run."):
            raise BadInputError(f"'{override}': a resumed run takes path.to.value=number or learner.<setting>=number")
        edits.append((path, parse_scalar(text)))
    config = read_run_config(folder.learner, **settings)
    return RunPlan(folder.read_task(), config, folder.path, latest_checkpoint(folder.path), tuple(edits))


def open_session(
    plan: RunPlan,
    before_writing: Callable[[], None] = lambda: None,
    reserved: int = 0,
    engine: Engine | None = None,
) -> Session:
    """A session ready to run: environment and learner built, checkpoint loaded, folder written, in this order.

    ``before_writing`` is called when nothing can be wrong any more; what it raises leaves no trace on the disk.
    ``reserved`` environments more are kept out of learning, for ``Session.watched``. ``engine`` is used in place of
    a new one. May be called on another thread than the one that works the session afterwards.

    Raises:
        HumanoidRLError: when something cannot be had; no folder has been made then.
    """
    from humanoid_rl_ext.env.vec_env import VecEnv
    from humanoid_rl_ext.train.curriculum import at_start, check_live
    from humanoid_rl_ext.train.session import Session

    config, task = plan.config, plan.task
    if not isinstance(task, str) and plan.checkpoint is None:
        task = at_start(task)
    if reserved:  # somebody watches: what is first needed in the middle of training must not hold the window up then
        load_libraries()
    env, learner, device = build(task, config, None, reserved, engine)
    try:
        if isinstance(env, VecEnv):
            check_live(env.task, env.can_edit)
        if plan.checkpoint is None:
            before_writing()
            folder = RunFolder.create(plan.path, task, config, describe_device(device))
            return Session(env, learner, task, config, folder)
        from humanoid_rl_ext.train.checkpoint import check_fit, read_checkpoint

        check_fit(read_checkpoint(plan.checkpoint), env.spec)
        before_writing()
        folder = RunFolder.existing(plan.path)
        session = Session(env, learner, plan.task, config, folder)
        session.load(plan.checkpoint)
        folder.write_config(config)
        for path, value in plan.edits:
            session.edit(path, value, source="command line")
        return session
    except BaseException:
        env.close()
        raise


def load_libraries() -> None:
    """Imports now what is first needed in the middle of training, which takes seconds."""
    import safetensors.torch  # noqa: F401

    import humanoid_rl_ext.train.session  # noqa: F401
    from humanoid_rl_ext.train.metrics import has_tensorboard

    if has_tensorboard():
        import torch.utils.tensorboard  # noqa: F401


def build(
    task: Task | str,
    config: RunConfig,
    num_envs: int | None = None,
    reserved: int = 0,
    engine: Engine | None = None,
) -> tuple[Env, Learner, str]:
    """Environment, learner and device of a run; ``num_envs`` replaces the configured number.

    Raises:
        BadInputError: for more environments than memory holds, before any is built.
    """
    import torch

    device = resolve_device(config.run.device)
    num_envs = num_envs or config.run.num_envs
    if engine is None:
        check_memory(task, num_envs + reserved, config.run.engine, device, config)
    try:
        return *assemble(task, config, device, num_envs, reserved, engine), device
    except torch.OutOfMemoryError as error:
        raise BadInputError(f"{device} has no memory for {num_envs:,} environments: use fewer (--envs)") from error


def assemble(
    task: Task | str,
    config: RunConfig,
    device: str,
    num_envs: int,
    reserved: int = 0,
    engine: Engine | None = None,
) -> tuple[Env, Learner]:
    """Environment and learner of a run, whether or not there is memory for them; see ``build``."""
    import torch

    from humanoid_rl_ext.env.make import make_env
    from humanoid_rl_ext.learn import make_learner
    from humanoid_rl_ext.sim.memory import keep_freed_memory

    run = config.run
    if device == "cpu":
        keep_freed_memory()
    torch.manual_seed(run.seed)
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU; the CPU has no such thing
    env = make_env(
        task,
        num_envs=num_envs,
        device=device,
        engine=engine or run.engine,
        seed=run.seed,
        reserved=reserved,
    )
    try:
        return env, make_learner(config.algorithm, env.spec, config.settings, device, run.seed, run.env_steps)
    except BaseException:
        env.close()
        raise


def resolve_device(name: str) -> str:
    """``cpu`` or ``cuda:index`` for what was asked; raises DeviceError for a GPU that is not there."""
    if name == "cpu":
        return name
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda:0" if count else "cpu"
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        there = f"GPUs here: {count}" if count else "no CUDA GPU can be used here"
        raise DeviceError(f"device '{name}': {there}; use --device cpu, or see './hrl doctor'")
    return f"cuda:{index}"


def describe_device(device: str) -> str:
    """A device with its product name."""
    if device == "cpu":
        return "cpu"
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})"
