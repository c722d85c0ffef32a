"""Which charts there are: from the names of a run's metrics to groups of charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from humanoid_rl_ext.ui.plots.axis import Limits

GROUPS = {
    "Learning": "How well the policy does: return, episode length, success",
    "Policy": "How the algorithm gets on: losses, entropy, KL divergence, learning rate",
    "Rewards": "What each reward term adds to the return of an episode",
    "More": "The task's own metrics, and any other metric that you add",
}
"""Name and help of each group of charts."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One pair of axes: a metric of several runs, or several metrics (``many``)."""

    title: str
    columns: tuple[str, ...]
    help: str
    many: bool = False
    bounds: Limits | None = None
    """What the y axis always shows; None: as the data has it."""

    @property
    def id(self) -> str:
        """The title as a name: ``episode_length``."""
        return self.title.lower().replace(" ", "_")


LEARNING = (
    Chart("Return", ("episode/return",), "Mean sum of rewards of the episodes that ended in an iteration"),
    Chart("Episode length", ("episode/length",), "Mean number of control steps of the episodes that ended"),
    Chart("Success", ("episode/success_rate",), "Share of episodes that ended in success", bounds=(0.0, 1.0)),
)
POLICY = (
    Chart("Entropy", ("train/entropy",), "How much the policy explores; it falls while the policy makes up its mind"),
    Chart("KL", ("train/kl",), "How far an update moves the policy (Kullback-Leibler divergence)"),
    Chart("Learning rate", ("train/learning_rate",), "Size of the optimiser's steps"),
)
OFF_POLICY = (
    Chart("Value", ("train/value",), "Discounted return that the critics expect; far above what is reached, they err"),
    Chart("Temperature", ("train/temperature",), "What SAC pays for entropy"),
    Chart("Epsilon", ("train/epsilon",), "Share of actions that are drawn at random", bounds=(0.0, 1.0)),
    Chart(
        "Saturation",
        ("train/saturation",),
        "Share of the policy's actions at their bounds; where it stays at one the policy is stuck: "
        "lower actor_learning_rate",
        bounds=(0.0, 1.0),
    ),
)
NOT_OF_THE_TASK = {column for chart in LEARNING for column in chart.columns} | {"episode/episodes"}


def charts_of(group: str, names: Sequence[str], picked: Iterable[str] = ()) -> list[Chart]:
    """The charts of a group for a run with metrics of these names; before the first iteration, those that will be."""
    if group == "Learning":
        return list(LEARNING)
    if group == "Policy":
        losses = tuple(name for name in names if name.startswith("train/") and name.endswith("_loss"))
        known = [chart for chart in (*POLICY, *OFF_POLICY) if chart.columns[0] in names] if names else POLICY
        return [Chart("Losses", losses, "What the optimiser makes small", many=True), *known]
    if group == "Rewards":
        terms = tuple(name for name in names if name.startswith("reward/"))
        return [Chart("Rewards", terms, GROUPS["Rewards"], many=True)]
    own = [name for name in names if name.startswith("episode/") and name not in NOT_OF_THE_TASK]
    own = [name for name in own if name != "episode/non_finite"]
    return [single(name) for name in dict.fromkeys((*own, *picked))]


def single(name: str) -> Chart:
    """A chart of one metric."""
    return Chart(label(name).replace("_", " ").capitalize(), (name,), f"The metric {name}")


def label(name: str) -> str:
    """What a metric is called in a legend: ``alive`` for ``reward/alive``, ``policy`` for ``train/policy_loss``."""
    return name.partition("/")[2].removesuffix("_loss") or name
