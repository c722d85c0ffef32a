"""Storage for the transitions that off-policy algorithms learn from, allocated once on the training device."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from humanoid_rl_ext.env.transition import Transition
from humanoid_rl_ext.errors import CheckpointError
from humanoid_rl_ext.learn.priorities import Priorities
from humanoid_rl_ext.learn.rollout import Rollout
from humanoid_rl_ext.sim.memory import check_room

Batch = dict[str, torch.Tensor]
"""Fields by name, each (batch_size,) or (batch_size, size): ``obs/<group>``, ``action``, ``reward`` (the n-step sum of
discounted rewards), ``next/<group>`` (the observations that came after), ``discount`` (of the value of those: zero
where the episode terminated) and, with priorities, ``weight``."""
OUTCOME = ("reward", "terminated", "truncated")


class ReplayBuffer:
    """A ring of the newest transitions: ``slots`` steps of ``num_envs`` environments.

    Where they end for a time limit, episodes keep the value of their last observation: what is stored as the next one
    is the transition's ``final_obs``. Everything a batch takes can be recorded into a CUDA graph: what changes is in
    tensors that stay where they are.
    """

    def __init__(
        self,
        capacity: int,
        num_envs: int,
        observations: dict[str, int],
        action: int,
        batch_size: int,
        device: torch.device,
        agents: int = 0,
        priority_alpha: float | None = None,
    ) -> None:
        """Room for ``capacity`` transitions, rounded down to whole steps of all environments.

        ``observations`` are sizes by group, ``action`` the size of an action (zero: one number per environment),
        ``agents`` how many rewards a step has (zero: one). ``priority_alpha``: draws by priorities (None: all alike).

        Raises:
            BadInputError: where the device has not so much memory; nothing has been allocated then.
        """
        self.check_memory(capacity, num_envs, observations, action, batch_size, device, agents, priority_alpha)
        self.slots, self.num_envs = max(1, capacity // num_envs), num_envs
        rows, sizes = self.slots * num_envs, fields(observations, action, agents)
        self._groups = tuple(observations)
        self._table = Rollout(self.slots, num_envs, sizes, device)
        self._row = Rollout(1, num_envs, sizes, device)
        self.indices = torch.zeros(batch_size, dtype=torch.int64, device=device)
        """Rows of the present batch: slot times num_envs plus environment."""
        self.pushed = 0
        """Steps taken in so far, those included that newer ones have replaced."""
        self._newest = torch.zeros((), dtype=torch.int64, device=device)
        self._filled = torch.zeros((), dtype=torch.int64, device=device)
        self._priorities: Priorities | None = None
        if priority_alpha is not None:
            self._priorities = Priorities(rows, batch_size, priority_alpha, device)
        self.priority_beta = torch.ones((), device=device)
        """How far weights make up for priorities: not at all (0) to fully (1)."""

    @staticmethod
    def check_memory(
        capacity: int,
        num_envs: int,
        observations: dict[str, int],
        action: int,
        batch_size: int,
        device: torch.device,
        agents: int = 0,
        priority_alpha: float | None = None,
    ) -> None:
        """Raises BadInputError where a device has no room for a replay of such sizes (those of ``__init__``)."""
        rows = max(1, capacity // num_envs) * num_envs
        width = sum(max(1, size) for size in fields(observations, action, agents).values())
        needed = 4.0 * rows * (width + (priority_alpha is not None))
        check_room(f"a replay of {rows:,} transitions", needed, device, "lower buffer_size")

    def __len__(self) -> int:
        """The number of transitions in store."""
        return min(self.pushed, self.slots) * self.num_envs

    def put(self, field: str, values: torch.Tensor) -> None:
        """Writes a field of the step under way: ``obs/<group>`` or ``action``."""
        self._row[field][0].copy_(values)

    def row(self, field: str) -> torch.Tensor:
        """A field of the step under way, (num_envs,) or (num_envs, size), which stays where it is."""
        return self._row[field][0]

    def push(self, transition: Transition, keep_order: bool = False) -> None:
        """Takes in the step under way, whose observations and actions have been put, with what it led to.

        ``keep_order`` is for returns over several steps: an episode that does not go on from the observation it had
        come to, because of an evaluation or a resumed run, is cut off there as a time limit would.
        """
        self.put("reward", transition.reward)
        self.put("terminated", transition.terminated)
        self.put("truncated", transition.truncated & ~transition.terminated)
        for group in self._groups:
            self.put(f"next/{group}", transition.final_obs[group])
        if keep_order and self.pushed:
            self._cut((self.pushed - 1) % self.slots)
        slot = self.pushed % self.slots
        self._table.take(slot, self._row)
        if self._priorities is not None:
            self._priorities.welcome(slot * self.num_envs, self.num_envs)
        self.pushed += 1
        self._newest.fill_(slot)
        self._filled.fill_(len(self))

    def _cut(self, slot: int) -> None:
        came_to, goes_on = self._table["next/policy"][slot], self._row["obs/policy"][0]
        cut = (came_to != goes_on).any(-1).to(came_to.dtype)
        truncated = self._table["truncated"][slot]
        truncated.copy_(torch.maximum(truncated, cut - self._table["terminated"][slot]))

    def draw(self, generator: torch.Generator) -> None:
        """Draws the random numbers of the next ``batch``; all transitions are equally likely without priorities."""
        if self._priorities is None:
            self.indices.random_(0, len(self), generator=generator)
        else:
            self._priorities.uniform.uniform_(generator=generator)

    def batch(self, gamma: float, n_step: int = 1) -> Batch:
        """The transitions drawn, with returns over up to ``n_step`` steps.

        A return ends where the episode does, and at the newest step; it always follows the same environment.
        """
        if self._priorities is not None:
            self.indices.copy_(self._priorities.draw(self._filled))
        batch = self._table.gather(self.indices)
        if n_step > 1:
            self._look_ahead(batch, gamma, n_step)
        else:
            batch["discount"] = gamma * (1.0 - batch["terminated"])
        if self._priorities is not None:
            batch["weight"] = self._priorities.weights(self.indices, self._filled, self.priority_beta)
        return batch

    def _look_ahead(self, batch: Batch, gamma: float, n_step: int) -> None:
        """Puts n-step returns, and what came after them, in place of those of one step."""
        slot = self.indices // self.num_envs
        steps = torch.arange(n_step, device=slot.device).unsqueeze(-1)
        rows = (self.indices + steps * self.num_envs) % (self.slots * self.num_envs)  # (n_step, batch)
        reward, terminated, truncated = (self._of(field, rows) for field in OUTCOME)
        goes_on = 1.0 - torch.maximum(terminated, truncated)
        counts = torch.ones_like(goes_on)
        torch.cumprod(goes_on[:-1], dim=0, out=counts[1:])
        counts *= steps <= (self._newest - slot) % self.slots
        discounts = counts * torch.pow(gamma, steps)
        batch["reward"] = (discounts.view(discounts.shape + (1,) * (reward.ndim - 2)) * reward).sum(0)
        length = counts.sum(0)
        last = rows.gather(0, length.long().unsqueeze(0) - 1)[0]
        batch["discount"] = torch.pow(gamma, length) * (1.0 - self._of("terminated", last))
        for group in self._groups:
            batch[f"next/{group}"] = self._of(f"next/{group}", last)

    def _of(self, field: str, rows: torch.Tensor) -> torch.Tensor:
        """A field of rows of any shape, with that shape, and the field's size where it has one."""
        values = self._table.rows(field).index_select(0, rows.flatten())
        return values.view(rows.shape + values.shape[1:])

    def prioritise(self, errors: torch.Tensor) -> None:
        """Lets the transitions of the present batch be drawn again by the size of their errors, (batch_size,)."""
        if self._priorities is not None:
            self._priorities.update(self.indices, errors)

    def state_dict(self) -> dict[str, object]:
        """All transitions in store and the priorities, copied to the machine's memory."""
        filled = min(self.pushed, self.slots)
        state: dict[str, object] = {"pushed": self.pushed, "table": self._table.first(filled).to("cpu", copy=True)}
        if self._priorities is not None:
            state["priorities"] = self._priorities.state_dict()
        return state

    def load_state_dict(self, state: dict) -> None:
        """Restores ``state_dict``; raises CheckpointError for a replay of another size."""
        pushed, table = int(state["pushed"]), state["table"]
        filled = min(pushed, self.slots)
        here, there = tuple(self._table.first(filled).shape), tuple(table.shape)
        if here != there:
            raise CheckpointError(
                f"the replay in the checkpoint has {describe(there)} but {describe(here)} here: keep buffer_size and "
                "the number of environments"
            )
        self._table.first(filled).copy_(table)
        if self._priorities is not None:
            if "priorities" not in state:
                raise CheckpointError("the replay in the checkpoint has no priorities: set prioritised=false")
            self._priorities.load_state_dict(state["priorities"])
        self.pushed = pushed
        self._newest.fill_((pushed - 1) % self.slots)
        self._filled.fill_(len(self))

    def clear(self) -> None:
        """Forgets all transitions."""
        self.pushed = 0
        self._filled.zero_()
        if self._priorities is not None:
            self._priorities.clear()


def fields(observations: dict[str, int], action: int, agents: int) -> dict[str, int]:
    """Sizes of the columns of a replay."""
    return {
        **{f"obs/{group}": size for group, size in observations.items()},
        **{"action": action, "reward": agents, "terminated": 0, "truncated": 0},
        **{f"next/{group}": size for group, size in observations.items()},
    }


def describe(shape: Sequence[int]) -> str:
    """The shape of a table in words."""
    steps, environments, width = shape
    return f"{steps:,} steps of {environments:,} environments ({width} numbers each)"
