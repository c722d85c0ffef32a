"""One run of Stable-Baselines3 or its contrib, as rl-baselines3-zoo sets it up; prints one JSON object at the end.

    python benchmarks/published_peers.py ALGORITHM TASK STEPS SEED [EPISODES [DEVICE [FOLDER]]]

Needs requirements-bench.lock. Where the zoo names no setting the library's default stands. State-dependent exploration
is left out: ours has none. With a folder, off-policy runs are kept in it every 20,000 steps and go on from there.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sb3_contrib import TRPO
from stable_baselines3 import A2C, DDPG, SAC, TD3
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecNormalize

CLASSES = {"a2c": A2C, "ddpg": DDPG, "sac": SAC, "td3": TD3, "trpo": TRPO}
A2C_MUJOCO: dict[str, Any] = {"n_steps": 8, "gae_lambda": 0.9, "vf_coef": 0.4}
TRPO_MUJOCO: dict[str, Any] = {
    "n_steps": 1024,
    "batch_size": 128,
    "cg_max_steps": 25,
    "cg_damping": 0.1,
    "n_critic_updates": 20,
    "learning_rate": 1e-3,
}
OFF_POLICY = {"learning_starts": 10_000, "buffer_size": 300_000}  # holds all 300,000 steps, as the default would
ZOO: dict[tuple[str, str], dict[str, Any]] = {
    ("a2c", "HalfCheetah-v4"): A2C_MUJOCO,
    ("trpo", "CartPole-v1"): {
        "n_steps": 512,
        "batch_size": 512,
        "cg_damping": 1e-3,
        "gae_lambda": 0.98,
        "learning_rate": 1e-3,
        "n_critic_updates": 20,
    },
    ("trpo", "HalfCheetah-v4"): {**TRPO_MUJOCO, "target_kl": 0.04},
    ("trpo", "Hopper-v4"): TRPO_MUJOCO,
    **{(name, task): OFF_POLICY for name in ("sac", "td3", "ddpg") for task in ("HalfCheetah-v4", "Hopper-v4")},
}
ENVIRONMENTS = {"a2c": 8, "trpo": 2}


KEEP_EVERY = 20_000


class Episodes(BaseCallback):
    """Notes every episode that ends: steps so far, seconds so far, and its return. Keeps runs that may be cut short."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self.folder = folder
        self.rows: list[tuple[int, float, float, int]] = []
        self.earlier = 0.0
        self.started = time.perf_counter()
        if folder is not None and (folder / "notes.json").exists():
            self.rows, self.earlier = json.loads((folder / "notes.json").read_text())

    @property
    def seconds(self) -> float:
        """Wall clock of the training so far, earlier parts included."""
        return self.earlier + time.perf_counter() - self.started

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                self.rows.append((self.num_timesteps, self.seconds, float(info["episode"]["r"]), 1))
        if self.folder is not None and self.num_timesteps % KEEP_EVERY == 0:
            keep(self.model, self.folder)
            (self.folder / "notes.json").write_text(json.dumps([self.rows, self.seconds]))
        return True


def keep(learner: Any, folder: Path) -> None:
    """Writes what ``resumed`` needs."""
    folder.mkdir(parents=True, exist_ok=True)
    learner.save(folder / "learner.zip")
    learner.save_replay_buffer(folder / "replay.pkl")


def resumed(learner: Any, folder: Path) -> Any:
    """The learner as it was kept; episodes begin anew."""
    kept = type(learner).load(folder / "learner.zip", env=learner.get_env(), device=learner.device)
    kept.load_replay_buffer(folder / "replay.pkl")
    kept.set_random_seed(kept.seed + kept.num_timesteps)
    return kept


def main() -> None:
    """Trains, evaluates and prints."""
    parser = argparse.ArgumentParser()
    for name in ("algorithm", "task"):
        parser.add_argument(name)
    for name in ("steps", "seed"):
        parser.add_argument(name, type=int)
    parser.add_argument("episodes", type=int, nargs="?", default=0)
    parser.add_argument("device", nargs="?", default="cpu")
    parser.add_argument("folder", type=Path, nargs="?")
    asked = parser.parse_args()
    algorithm, task, seed, folder = asked.algorithm, asked.task, asked.seed, asked.folder
    environments: Any = make_vec_env(task, ENVIRONMENTS.get(algorithm, 1), seed=seed)
    settings = dict(ZOO.get((algorithm, task), {}))
    normalised = algorithm in ENVIRONMENTS and task != "CartPole-v1"
    if normalised:
        environments = VecNormalize(environments)
    if algorithm in ("td3", "ddpg"):
        size = environments.action_space.shape[0]
        settings["action_noise"] = NormalActionNoise(np.zeros(size), 0.1 * np.ones(size))
    if asked.device != "cpu" and issubclass(CLASSES[algorithm], OffPolicyAlgorithm):
        settings["policy_kwargs"] = {"optimizer_kwargs": {"fused": True}}  # a step of Adam in one launch
    if algorithm == "a2c" and normalised:
        settings["learning_rate"] = LinearSchedule(7e-4, 0.0, 1.0)
    learner = CLASSES[algorithm]("MlpPolicy", environments, seed=seed, device=asked.device, **settings)
    noted = Episodes(folder if isinstance(learner, OffPolicyAlgorithm) else None)
    if noted.rows:
        learner = resumed(learner, noted.folder)
    learner.learn(asked.steps - learner.num_timesteps, callback=noted, reset_num_timesteps=not noted.rows)
    seconds = noted.seconds
    evaluated = None
    if asked.episodes:
        if normalised:
            environments.training, environments.norm_reward = False, False
        returns, _ = evaluate_policy(learner, environments, asked.episodes, return_episode_rewards=True)
        evaluated = float(np.mean(returns))
    result = {
        "curve": noted.rows,
        "evaluated": evaluated,
        "seconds": seconds,
        "env_steps": int(learner.num_timesteps),
        "versions": {name: version(name) for name in ("torch", "gymnasium", "stable-baselines3", "sb3-contrib")},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
