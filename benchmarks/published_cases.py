"""What each algorithm has to reach, where, and who says so: the table of published.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One algorithm on one task: how long, with which seeds, and the figure that its mean over the seeds has to reach.

    The figure is the mean return of the episodes that ended in the last tenth of training, exploration included, or of
    ``episodes`` played without exploration afterwards.
    """

    algorithm: str
    task: str
    steps: int
    target: float | None = None
    beside: str = ""
    """The peer that is run beside ours, whose mean less one deviation is to be reached too."""
    source: str = ""
    """Where the target is from."""
    seeds: tuple[int, ...] = (1, 2, 3)
    episodes: int = 0

    @property
    def name(self) -> str:
        """The case in a few words, which is what is asked for on the command line."""
        return f"{self.algorithm} {self.task.partition(':')[2]} {self.steps // 1000}k"

    @property
    def figure(self) -> str:
        """What is measured, in words."""
        return (
            f"return of {self.episodes} episodes, no exploration" if self.episodes else "return at the end of training"
        )


SB3, CONTRIB = "stable-baselines3", "sb3-contrib"
ZOO = "rl-baselines3-zoo's benchmark.md"
TEAMS = "BenchMARL"
CHEETAH, HOPPER = "gym:HalfCheetah-v4", "gym:Hopper-v4"
SPREAD = "pz:mpe2.simple_spread_v3"

CASES = [
    Case(
        "sac",
        CHEETAH,
        1_000_000,
        8200,
        source="CleanRL's `sac_continuous_action`: 9634.89 ± 1423.73 on HalfCheetah-v2, less one deviation",
        seeds=(1,),
    ),
    Case(
        "td3",
        CHEETAH,
        1_000_000,
        9400,
        source="asked for; Fujimoto et al. 2018, table 1: 9636.95 ± 859.07, CleanRL's `td3_continuous_action`: "
        "9018.31 ± 1078.31, both on HalfCheetah-v2 or its like",
        seeds=(1, 2, 3),
    ),
    *(Case(algorithm, task, 300_000, beside=SB3) for algorithm in ("sac", "td3", "ddpg") for task in (CHEETAH, HOPPER)),
    Case(
        "dqn",
        "gym:CartPole-v1",
        500_000,
        475,
        source=f"Gymnasium's threshold; CleanRL's `dqn`: 488.69 ± 16.11 while training; {ZOO}: 500",
        episodes=100,
    ),
    Case(
        "dqn",
        "gym:LunarLander-v3",
        400_000,
        200,
        source=f"Gymnasium's threshold; {ZOO}: 154.38 ± 79.24 (LunarLander-v2, 100 k steps)",
        episodes=100,
    ),
    Case("a2c", "gym:CartPole-v1", 500_000, 475, SB3, f"Gymnasium's threshold; {ZOO}: 500 ± 0", episodes=100),
    Case("a2c", CHEETAH, 1_000_000, beside=SB3, seeds=tuple(range(1, 8))),
    Case("trpo", "gym:CartPole-v1", 100_000, 475, CONTRIB, f"Gymnasium's threshold; {ZOO}: 500 ± 0", episodes=100),
    Case(
        "trpo",
        CHEETAH,
        1_000_000,
        1717,
        CONTRIB,
        f"{ZOO}: 1785.48 ± 68.67 (HalfCheetah-v3), less one deviation",
        episodes=20,
    ),
    Case(
        "trpo",
        HOPPER,
        1_000_000,
        3262,
        CONTRIB,
        f"{ZOO}: 3618.39 ± 356.77 (Hopper-v3), less one deviation",
        episodes=20,
    ),
    *(
        Case(algorithm, task, 300_000, beside=TEAMS, episodes=400)
        for algorithm, task in (("mappo", SPREAD), ("maddpg", f"{SPREAD}:continuous_actions=true"), ("qmix", SPREAD))
    ),
]
