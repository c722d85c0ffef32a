from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from humanoid_rl_ext.cli import main
from humanoid_rl_ext.errors import BadInputError, EngineError, TaskError
from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.train import memory, start
from humanoid_rl_ext.train.config import load_run_config
from humanoid_rl_ext.train.memory import (
    BYTES_PER_BODY,
    Need,
    ample,
    available_memory,
    check_bodies,
    check_memory,
    check_needs,
    rehearsed,
)
from humanoid_rl_ext.train.rehearsal import Seen

GB = 1e9
# 300 kB an environment and 1 GB once: 19 of 20 GB may be used, so (19 - 1) GB / 300 kB = 60,000 fit.
ON_GPU = Need((1000, 1.3 * GB), (3000, 1.9 * GB), 20 * GB, "memory on cuda:0")


def test_more_environments_than_memory_holds_are_refused_with_the_number_that_fits() -> None:
    with pytest.raises(BadInputError, match=r"200 environments of 10 bodies .*; 100 would fit"):
        check_bodies(10, 200, 100 * 10 * BYTES_PER_BODY)


def test_as_many_environments_as_memory_holds_are_let_through() -> None:
    check_bodies(10, 100, 100 * 10 * BYTES_PER_BODY)
    assert available_memory() > 1e8


def test_a_need_goes_on_in_a_straight_line_through_both_sizes() -> None:
    assert ON_GPU.of(1000) == pytest.approx(1.3 * GB)
    assert ON_GPU.of(60_000) == pytest.approx(19 * GB)


def test_what_fits_is_a_multiple_of_256_and_leaves_a_twentieth_free() -> None:
    assert ON_GPU.fitting == 234 * 256 == 59_904
    assert ON_GPU.of(ON_GPU.fitting) <= 0.95 * 20 * GB < ON_GPU.of(ON_GPU.fitting + 256)


def test_few_that_fit_are_not_rounded_down_to_none_and_no_room_at_all_fits_none() -> None:
    assert Need((10, 1.0 * GB), (20, 2.0 * GB), 2 * GB).fitting == 19
    assert Need((10, 3.0 * GB), (20, 3.1 * GB), 2 * GB).fitting == 0


def test_memory_that_does_not_grow_with_the_environments_or_is_not_known_stops_nobody() -> None:
    check_needs(10**6, (Need((1000, GB), (3000, GB), 2 * GB), Need((1000, GB), (3000, 2 * GB), float("inf"))))


def test_the_scarcest_memory_decides() -> None:
    on_host = Need((1000, 1.0 * GB), (3000, 3.0 * GB), 10 * GB)  # 1 MB an environment: 9,500 fit
    with pytest.raises(BadInputError, match=r"59,904 environments need about 59.9 GB of memory, .*; 9,472 would fit"):
        check_needs(59_904, (ON_GPU, on_host))
    check_needs(9_472, (ON_GPU, on_host))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A GPU with 20 GB free; what was rehearsed on it."""
    rehearsals: list[str] = []

    def rehearsed(task: Any, engine: str, device: str, config: Any) -> tuple[Need, ...]:
        rehearsals.append(f"{task.name} {engine} {device} {'train' if config else 'bench'}")
        return (ON_GPU,)

    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    monkeypatch.setattr(memory, "rehearsed", rehearsed)
    monkeypatch.setattr(memory, "free_gpu_memory", lambda device: 20 * GB)
    monkeypatch.setattr(start, "resolve_device", lambda name: "cuda:0")
    return rehearsals


@pytest.mark.parametrize(
    ("command", "rehearsal"),
    [
        (["train", "cartpole_balance", "--engine", "newton"], "cartpole_balance newton cuda:0 train"),
        (["train", "walker_run"], "walker_run ovphysx cuda:0 train"),
        (["bench", "env", "--task", "cartpole_balance"], "cartpole_balance ovphysx cuda:0 bench"),
    ],
)
def test_a_command_that_asks_for_too_much_of_a_gpu_ends_with_one_line_and_leaves_nothing(
    command: list[str], rehearsal: str, gpu: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--device", "cuda", "--envs", "1M"]) == 2
    said = capfd.readouterr().err
    assert said == (
        "hrl: 1,000,000 environments need about 301.0 GB of memory on cuda:0, where 19.0 of 20.0 GB free may be used; "
        "59,904 would fit (--envs 59904)\n"
    )
    assert gpu == [rehearsal] and list(tmp_path.iterdir()) == []


def test_a_number_that_might_not_fit_but_does_is_let_through(gpu: list[str]) -> None:
    config = load_run_config("ppo", "walker_run")
    check_memory(load_task("walker_run"), 59_904, "newton", "cuda:0", config)
    assert len(gpu) == 1


def test_ordinary_numbers_are_not_rehearsed(gpu: list[str]) -> None:
    config = load_run_config("ppo", "walker_run")
    check_memory(load_task("walker_run"), 4096, "newton", "cuda:0", config)
    check_memory("gym:CartPole-v1", 10**6, "gymnasium", "cuda:0", config)
    assert gpu == []


def test_large_minibatches_are_rehearsed_sooner() -> None:
    usual = load_run_config("ppo", "walker_run")
    large = load_run_config("ppo", "walker_run", ["learner.num_minibatches=1", "learner.num_steps=128"])
    assert ample(4096, None) < ample(4096, usual) < ample(4096, large) / 4


def rehearsing(monkeypatch: pytest.MonkeyPatch, rehearse: Callable[..., Seen]) -> None:
    monkeypatch.setattr(memory, "rehearse_apart", rehearse)


def test_sizes_that_do_not_fit_are_followed_by_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def rehearse(task: Any, engine: str, device: str, config: Any, sizes: tuple[int, ...]) -> Seen:
        tried.append(sizes)
        if sizes[1] > 1000:
            raise [RuntimeError("CUDA out of memory"), EngineError("PhysX could not start")][len(tried) - 1]
        return Seen(tuple(5e5 * size for size in sizes), (0.0, 0.0), GB)

    rehearsing(monkeypatch, rehearse)
    on_gpu, on_host = rehearsed(load_task("walker_run"), "newton", "cuda:0", None)
    assert tried == [(2048, 6144), (512, 1536), (128, 384)]
    assert on_gpu.fitting == 1792  # 0.95 GB / 500 kB = 1,900
    assert on_host.fitting > 10**6


def test_a_gpu_too_small_for_any_size_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def rehearse(*arguments: Any) -> Seen:
        raise RuntimeError("CUDA out of memory.\nTried to allocate much")

    rehearsing(monkeypatch, rehearse)
    said = r"^not even 384 environments could be tried on cuda:0: CUDA out of memory\.$"
    with pytest.raises(BadInputError, match=said):
        rehearsed(load_task("walker_run"), "newton", "cuda:0", None)


def test_an_error_that_fewer_environments_do_not_mend_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def rehearse(*arguments: Any) -> Seen:
        tried.append(arguments)
        raise TaskError("no body is called 'hand'")

    rehearsing(monkeypatch, rehearse)
    with pytest.raises(TaskError, match="hand"):
        rehearsed(load_task("walker_run"), "newton", "cuda:0", None)
    assert len(tried) == 1


def test_a_rehearsal_learns_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ["learner.num_steps=8", "learner.num_minibatches=2"]
    config = load_run_config("ppo", "cartpole_balance", settings, device="cuda:7", engine="newton", num_envs=10**6)
    monkeypatch.setattr(memory, "REHEARSED", ((2, 64),))
    on_gpu, on_host = rehearsed(load_task("cartpole_balance"), "ovphysx", "cpu", config)
    assert (on_gpu.small, on_gpu.large) == ((2, 0.0), (64, 0.0))
    assert 0 < on_host.small[1] <= on_host.large[1] < 4 * GB
