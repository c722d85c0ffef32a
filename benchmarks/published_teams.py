"""One run of BenchMARL with several agents, by its own defaults; prints one JSON object at the end.

    python benchmarks/published_teams.py ALGORITHM MODULE[:OPTION=VALUE,...] STEPS SEED [EPISODES]

Needs requirements-bench.lock. The module is one of mpe2 that BenchMARL has a task of PettingZoo's for, such as
mpe2.simple_spread_v3. Its authors publish no settings for these: everything is by the package's conf/experiment/
base_experiment.yaml, conf/algorithm and conf/model/layers/mlp.yaml (two layers of 256 with tanh, one policy for all
agents, Adam at 5e-5, 6000 steps of 10 environments between updates, exploration that ends after a third of the run).
Three things are not: the discount is ours; every copy of the environment has a seed of its own, where BenchMARL's would
all play the same episodes; and episodes are as long as mpe2 has them. Returns are means over the agents, as ours are.
"""

from __future__ import annotations

import importlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from benchmarl.algorithms import MaddpgConfig, MappoConfig, QmixConfig
from benchmarl.environments.pettingzoo.common import PettingZooClass
from benchmarl.experiment import Callback, Experiment, ExperimentConfig
from benchmarl.models.mlp import MlpConfig
from torchrl.envs import EnvBase, PettingZooWrapper
from torchrl.envs.utils import ExplorationType, set_exploration_type

from humanoid_rl_ext.task.yaml_source import parse_scalar

ALGORITHMS = {"maddpg": MaddpgConfig, "mappo": MappoConfig, "qmix": QmixConfig}
DISCOUNT = {"maddpg": 0.95, "mappo": 0.99, "qmix": 0.95}
"""As in config/learners; BenchMARL has 0.99 for all."""
LENGTH = 25
"""Steps of an episode where the options name no ``max_cycles``: mpe2's own."""


class Particles(PettingZooClass):
    """A task of mpe2's, which BenchMARL looks for in PettingZoo, where it was before version 1.25."""

    def get_env_fun(
        self, num_envs: int, continuous_actions: bool, seed: int | None, device: Any
    ) -> Callable[[], EnvBase]:
        """What makes one environment after another, each with the next seed."""
        make = importlib.import_module(self.config["module"]).parallel_env
        options = {**self.config["options"], "continuous_actions": continuous_actions}
        seeds = itertools.count(1000 * (seed or 0))
        return lambda: PettingZooWrapper(
            make(**options), return_state=True, categorical_actions=True, seed=next(seeds), device=device
        )

    def max_steps(self, env: EnvBase) -> int:
        """The length of an episode."""
        return int(self.config["options"].get("max_cycles", LENGTH))


class Episodes(Callback):
    """Notes of every batch: steps so far, seconds so far, the mean return of its episodes and how many they are."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int, float, float, int]] = []
        self.started = time.perf_counter()

    def on_batch_collected(self, batch: Any) -> None:
        """Called when a batch is there, before anything is learned from it."""
        ended = batch["next", "done"].squeeze(-1)
        sums = [batch["next", group, "episode_reward"] for group in self.experiment.group_map]
        returns = torch.cat(sums, dim=-2).mean((-2, -1))[ended]
        if len(returns):
            seconds = time.perf_counter() - self.started
            self.rows.append((self.experiment.total_frames, seconds, float(returns.mean()), len(returns)))


def evaluated(experiment: Experiment, episodes: int) -> float | None:
    """The mean return of so many new episodes, without exploration."""
    env = experiment.task.get_env_fun(1, experiment.continuous_actions, 1_000_000 + experiment.seed, "cpu")()
    returns = []
    with torch.no_grad(), set_exploration_type(ExplorationType.DETERMINISTIC):
        for _ in range(episodes):
            played = env.rollout(experiment.max_steps, experiment.policy, break_when_any_done=True)
            rewards = [played["next", group, "reward"] for group in experiment.group_map]  # (steps, agents, 1)
            returns.append(float(torch.cat(rewards, dim=-2).mean((-2, -1)).sum()))
    return sum(returns) / episodes if episodes else None


def main() -> None:
    """Trains, evaluates and prints."""
    algorithm, task, steps, seed, episodes = (*sys.argv[1:], "0")[:5]
    module, _, words = task.partition(":")
    options = dict(word.split("=") for word in words.split(",") if word)
    options = {name: parse_scalar(value) for name, value in options.items()}
    config = ExperimentConfig.get_from_yaml()
    config.max_n_frames, config.gamma = int(steps), DISCOUNT[algorithm]
    config.prefer_continuous_actions = options.pop("continuous_actions", False)
    config.evaluation, config.render, config.loggers, config.create_json = False, False, [], False
    name = module.rpartition(".")[2].rpartition("_v")[0].upper()
    noted = Episodes()
    with tempfile.TemporaryDirectory() as config.save_folder:
        experiment = Experiment(
            Particles(name, {"module": module, "options": options}),
            ALGORITHMS[algorithm].get_from_yaml(),
            MlpConfig.get_from_yaml(),
            int(seed),
            config,
            callbacks=[noted],
        )
        noted.started = time.perf_counter()
        experiment.run()
        seconds = time.perf_counter() - noted.started
    result = {
        "curve": noted.rows,
        "evaluated": evaluated(experiment, int(episodes)),
        "seconds": seconds,
        "env_steps": experiment.total_frames,
        "versions": {name: version(name) for name in ("torch", "benchmarl", "torchrl", "mpe2")},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
