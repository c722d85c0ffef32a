"""What differs between environments, drawn, handed to the engine, and set against who falls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from humanoid_rl_ext.env.actions import ActionMap
from humanoid_rl_ext.env.failure_map import Bins, FailureMap
from humanoid_rl_ext.env.initial_state import STATE
from humanoid_rl_ext.env.randomised import CONTACT, TARGETS, contacts_vary
from humanoid_rl_ext.env.terms import BoundTerm, RandomBlock
from humanoid_rl_ext.env.timers import Timer
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.action_delay import MEMORY
from humanoid_rl_ext.sim.contact_material import of_both
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.task.schema import RandomisationSection, Task


class Quantity:
    """One randomised quantity: what every environment has now, and when it is drawn anew."""

    def __init__(
        self, name: str, term: BoundTerm, section: RandomisationSection, engine: Engine, step: Step, block: RandomBlock
    ) -> None:
        """Raises TaskError when the engine cannot change what the quantity stands for."""
        self.name, self.term, self.target, self.mode = name, term, term.spec.target, section.mode
        properties: tuple[str, ...] = ()
        if self.target in TARGETS:
            target = TARGETS[self.target]
            properties = (*target.properties, *(name for name in target.optional if name in engine.properties))
        missing = [name for name in properties if name not in engine.properties]
        if missing:
            raise TaskError(
                f"randomisation.{name}: the engine '{engine.name}' cannot change {' and '.join(missing)}, which "
                f"'{term.spec.name}' needs; disable the entry or choose another engine"
            )
        self.properties = properties
        self.batched = any(engine.properties[name] == "host" for name in properties)
        """Whether the engine takes it from the host, so that it is drawn and handed over in batches."""
        self.timer = Timer(section.interval_s, step, block) if self.mode == "interval" else None
        self.value = torch.zeros(0, device=step.device)
        """(num_envs, k) what the environments have now."""

    def due(self, done: torch.Tensor) -> torch.Tensor | None:
        """(num_envs,) bool: environments that draw anew; None where none ever does."""
        if self.timer is not None:
            return self.timer.run(done)
        if self.mode == "step":
            return torch.ones_like(done)
        return done if self.mode == "reset" else None


class Randomiser:
    """All quantities of a Task that are not part of the robot's state; see ``initial_state`` for those.

    Those that the engine takes on its device change within the step, when they are due. The others change in batches,
    between steps: environments that are due keep what they have until then.
    """

    def __init__(
        self,
        task: Task,
        terms: Mapping[str, BoundTerm],
        engine: Engine,
        step: Step,
        block: RandomBlock,
        actions: ActionMap,
    ) -> None:
        """``terms`` are the Task's enabled randomisations.

        Raises:
            TaskError: for what the engine cannot change, or a delay that is longer than it remembers targets.
        """
        self._engine, self._step, self._actions = engine, step, actions
        self.quantities = {
            name: Quantity(name, term, task.randomisation[name], engine, step, block)
            for name, term in terms.items()
            if term.spec.target not in STATE
        }
        self._check_delays(task)
        self._task = task
        self._live = [quantity for quantity in self.quantities.values() if not quantity.batched]
        self._batched = [quantity for quantity in self.quantities.values() if quantity.batched]
        self._waiting = {quantity.name: _nowhere(step) for quantity in self._batched if quantity.mode != "start"}
        self._every = max(1, round(task.sim.randomisation_interval_s / task.control_dt))
        self._steps, self._started = 0, False
        self._base: dict[str, torch.Tensor] = {}
        down = torch.nn.functional.normalize(torch.tensor(task.sim.gravity), dim=0)
        self._down = (down if down.any() else torch.tensor([0.0, 0.0, -1.0])).to(step.device)
        self._noise: torch.Tensor | None = None
        self._strength: torch.Tensor | None = None
        self.failures = FailureMap([], step.device)

    def start(self) -> None:
        """Draws every quantity in every environment; those of mode ``start`` only the first time."""
        if not self.quantities:
            return
        everywhere = ~_nowhere(self._step)
        for quantity in self.quantities.values():
            if quantity.mode != "start" or not self._started:
                fresh = quantity.term(self._step)
                quantity.value = fresh.clone() if not self._started else quantity.value.copy_(fresh)
                if quantity.timer is not None:
                    quantity.timer.run(everywhere)
        if not self._started:
            self._begin()
        self._hand_over(list(self.quantities.values()), everywhere)

    def _begin(self) -> None:
        self._started = True
        engine, task = self._engine, self._task
        names = {name for quantity in self.quantities.values() for name in quantity.properties}
        self._base = {name: engine.get_property(name).contiguous() for name in names - {"action_delay"}}
        if contacts_vary(task):  # the ground's own no longer count, so the robot's become what contacts have of both
            for name in CONTACT & engine.properties.keys():
                self._base[name] = of_both(name, engine.get_property(name), engine.settings)
                engine.set_property(name, self._base[name])
        scalars = [q for q in self.quantities.values() if q.value.shape[1] == 1 and q.mode != "step"]
        ranges = {q.name: q.term.param(_range(q.term)) for q in scalars}
        bins = [Bins(q.name, q.value, ranges[q.name]) for q in scalars]
        self.failures = FailureMap(bins, self._step.device)
        targets = {quantity.target for quantity in self.quantities.values()}
        if "action" in targets:
            self._noise = self._actions_like()
        if "motor_strength" in targets and self._actions.mode == "effort":
            self._strength = torch.ones_like(self._actions_like())

    def __call__(self, done: torch.Tensor, failed: torch.Tensor, learning: int) -> None:
        """Within the step: counts who fell with what, then draws what is due. All (num_envs,) bool.

        The first ``learning`` environments are counted.
        """
        if not self.quantities:
            return
        self.failures.add(done[:learning], failed[:learning])
        changed = []
        for quantity in self._live:
            due = quantity.due(done)
            if due is not None and not (due.device.type == "cpu" and not due.any()):
                self._draw(quantity, due)
                changed.append((quantity, due))
        if changed:
            touched = changed[0][1]
            for _, due in changed[1:]:
                if due is not touched:
                    touched = touched | due
            self._hand_over([quantity for quantity, _ in changed], touched)
        for quantity in self._batched:
            due = quantity.due(done)
            if due is not None:
                self._waiting[quantity.name].logical_or_(due)

    def after_step(self) -> None:
        """Between steps: at the interval that the Task sets, draws and hands over what goes through the host."""
        if not self._waiting:
            return
        self._steps += 1
        if self._steps % self._every:
            return
        touched = _nowhere(self._step)
        for name, waiting in self._waiting.items():
            self._draw(self.quantities[name], waiting)
            touched |= waiting
            waiting.zero_()
        if touched.any():
            self._hand_over([self.quantities[name] for name in self._waiting], touched)

    def disturbed(self, actions: torch.Tensor) -> torch.Tensor:
        """Actions (num_envs, actions) as the motors get them."""
        if self._noise is not None:
            actions = actions + self._noise
        return actions if self._strength is None else actions * self._strength

    @property
    def timers(self) -> dict[str, Timer]:
        """The clocks of quantities that are drawn again and again."""
        return {name: quantity.timer for name, quantity in self.quantities.items() if quantity.timer is not None}

    def buffers(self) -> dict[str, torch.Tensor]:
        """What a checkpoint has to keep, (num_envs, ...) each."""
        kept = {f"randomised.{name}": quantity.value for name, quantity in self.quantities.items() if self._started}
        kept |= {f"randomised.{name}.timer": timer.left for name, timer in self.timers.items()}
        return kept | {f"randomised.{name}.waiting": waiting for name, waiting in self._waiting.items()}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint has to keep beside ``buffers``: the place in the interval of batches, the failure map."""
        return {"steps": self._steps, "failures": self.failures.state_dict()}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restores ``state_dict``; an empty one, of a checkpoint that has none, changes nothing."""
        if saved:
            self._steps = saved["steps"]
            self.failures.load_state_dict(saved["failures"])

    def restore(self) -> None:
        """Hands everything over again, once ``buffers`` have been filled."""
        if self.quantities:
            self._hand_over(list(self.quantities.values()), ~_nowhere(self._step))

    def _draw(self, quantity: Quantity, due: torch.Tensor) -> None:
        torch.where(due.unsqueeze(-1), quantity.term(self._step), quantity.value, out=quantity.value)

    def _hand_over(self, quantities: list[Quantity], mask: torch.Tensor) -> None:
        """Gives the engine what these quantities make of its properties, where ``mask`` is set."""
        names = dict.fromkeys(name for quantity in quantities for name in quantity.properties)
        if names:
            self._engine.set_properties({name: self._combined(name) for name in names}, mask)
        targets = {quantity.target for quantity in quantities}
        for quantity in quantities:
            if quantity.target == "wrench":
                for body in _indices(quantity.term.param("bodies"), len(self._engine.robot.bodies)):
                    self._engine.set_wrench(body, quantity.value)
        if self._noise is not None and "action" in targets:
            self._noise.zero_()
            self._to_actions("action", self._noise)
        if self._strength is not None and "motor_strength" in targets:
            self._strength.fill_(1.0)
            self._to_actions("motor_strength", self._strength)

    def _combined(self, name: str) -> torch.Tensor:
        """(num_envs, k) a property's values, as all quantities together make them."""
        users = [quantity for quantity in self.quantities.values() if name in quantity.properties]
        if name == "gravity":
            return users[-1].value * self._down
        if TARGETS[users[0].target].change == "set":
            base = self._base.get(name)
            return users[-1].value if base is None else users[-1].value.expand_as(base)
        values = self._base[name].clone()
        for quantity in users:
            target = TARGETS[quantity.target]
            count = self._items(name, target.per, values.shape[1])
            items = values.view(len(values), count, values.shape[1] // max(count, 1))  # without contacts: of no size
            picked = items[:, quantity.term.param(target.per)] if target.per else items
            sample = quantity.value.unsqueeze(1 if name == "com" else -1)
            picked = picked * sample if target.change == "scale" else picked + sample
            if target.per:
                items[:, quantity.term.param(target.per)] = picked
            else:
                items.copy_(picked)
        return values

    def _items(self, name: str, per: str, width: int) -> int:
        robot = self._engine.robot
        return {"joints": len(robot.joints), "bodies": len(robot.bodies)}.get(per, width)

    def _to_actions(self, target: str, out: torch.Tensor) -> None:
        """Adds (``action``) or multiplies in (``motor_strength``) what the quantities of a target do to the actions."""
        joints = len(self._engine.robot.joints)
        everything = torch.full((len(out), joints), float(target == "motor_strength"), device=out.device)
        for quantity in self.quantities.values():
            if quantity.target == target:
                picks = quantity.term.param("joints")
                held = everything[:, picks]
                everything[:, picks] = held + quantity.value if target == "action" else held * quantity.value
        out.copy_(everything[:, self._actions.picks])

    def _actions_like(self) -> torch.Tensor:
        return torch.zeros_like(self._step.action)

    def _check_delays(self, task: Task) -> None:
        longest = (MEMORY - 1) * task.control_dt
        for name, quantity in self.quantities.items():
            if quantity.target == "action_delay" and task.randomisation[name].params["delay"][1] > longest + 1e-9:
                raise TaskError(
                    f"randomisation.{name}.params.delay: at most {MEMORY - 1} control steps ({longest:g} s here)"
                )


def _nowhere(step: Step) -> torch.Tensor:
    return torch.zeros(step.num_envs, dtype=torch.bool, device=step.device)


def _range(term: BoundTerm) -> str:
    return next(name for name, param in term.spec.params.items() if param.type == "range")


def _indices(picks: slice | torch.Tensor, total: int) -> list[int]:
    return list(range(total))[picks] if isinstance(picks, slice) else picks.tolist()
