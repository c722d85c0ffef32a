"""How good a policy is: whole episodes of its best actions."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from humanoid_rl_ext.env.make import Env
    from humanoid_rl_ext.learn.learner import Learner


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Means over a number of whole episodes."""

    episodes: int
    mean_return: float
    std_return: float
    mean_episode_length: float
    success_rate: float
    metrics: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The figures as plain data."""
        return asdict(self)


def evaluate_policy(env: Env, learner: Learner, episodes: int) -> Evaluation:
    """Plays ``episodes`` episodes without exploration, from fresh resets; the environment's training state is lost.

    Each environment plays the same number of episodes (to within one), settled beforehand. Counting the first that
    finish instead would count short episodes more often than long ones. (Where an extra episode ends in the same step
    as a counted one, ``metrics`` takes the mean of both for the counted one: environments report them together.)
    """
    num_envs = env.spec.num_envs
    left = [episodes // num_envs + (index < episodes % num_envs) for index in range(num_envs)]
    returns: list[float] = []
    lengths: list[int] = []
    successes = 0
    sums: dict[str, float] = {}
    obs = env.reset()
    env.episode_metrics()  # forget what was under way
    with torch.inference_mode():
        while any(left):
            transition = env.step(learner.act_deterministic(obs))
            obs = transition.obs
            ended = env.finished()
            counted = 0
            for index, total, length, success in ended:
                if left[index]:
                    left[index] -= 1
                    counted += 1
                    returns.append(total)
                    lengths.append(length)
                    successes += success
            if ended:
                for name, value in env.episode_metrics().items():
                    if counted and name not in ("episodes", "return", "length", "success_rate"):
                        sums[name] = sums.get(name, 0.0) + value * counted
    mean = sum(returns) / episodes
    return Evaluation(
        episodes=episodes,
        mean_return=mean,
        std_return=math.sqrt(sum((value - mean) ** 2 for value in returns) / episodes),
        mean_episode_length=sum(lengths) / episodes,
        success_rate=successes / episodes,
        metrics={name: total / episodes for name, total in sums.items()},
    )
