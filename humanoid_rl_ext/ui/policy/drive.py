"""Keys and sliders to commands: a driven command ramps up while a key is held and falls back when it is let go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from humanoid_rl_ext.task.registry import TermSpec
from humanoid_rl_ext.task.schema import CommandSection

RAMP_S, DECAY_S = 0.5, 0.25
"""Time from rest to the limit, and back."""
LONGEST_TICK = 0.1  # s; a stalled window must not make the robot jump
SPACE = 32
KEYS = {
    87: ("lin_vel_x", 1.0),  # W
    83: ("lin_vel_x", -1.0),  # S
    265: ("lin_vel_x", 1.0),  # up
    264: ("lin_vel_x", -1.0),  # down
    65: ("lin_vel_y", 1.0),  # A: to the left
    68: ("lin_vel_y", -1.0),  # D
    263: ("ang_vel_z", 1.0),  # left
    262: ("ang_vel_z", -1.0),  # right
}
"""GLFW's key codes to a component and its direction."""
_SHORTCUT = 2 | 4 | 8  # Ctrl, Alt or Super is held


@dataclass(frozen=True, slots=True)
class Component:
    """One number of a command that can be driven."""

    name: str
    label: str
    unit: str
    help: str
    low: float
    high: float

    def clip(self, value: float) -> float:
        """The nearest value that is allowed."""
        return min(max(value, self.low), self.high)


def components(command: CommandSection) -> list[Component]:
    """What can be driven in a command: its ranges, widened to hold zero, where there is one for every component.

    Commands of another shape, such as a point, get one number per axis as far as their widest range reaches.
    """
    spec: TermSpec = command.spec
    ranges = {name: param for name, param in spec.params.items() if param.type == "range"}
    if len(ranges) >= spec.steered:
        return [
            Component(
                name,
                param.info.help or name,
                param.info.unit,
                param.info.help,
                min(0.0, command.params[name][0]),
                max(0.0, command.params[name][1]),
            )
            for name, param in list(ranges.items())[: spec.steered]
        ]
    reach = max((abs(end) for name in ranges for end in command.params[name]), default=1.0)
    unit = next((param.info.unit for param in ranges.values()), "")
    axes = "xyz" if spec.steered <= 3 else "".join(chr(ord("a") + index) for index in range(spec.steered))
    return [
        Component(axis, axis, unit, f"{spec.help} Component {axis}", -reach, reach) for axis in axes[: spec.steered]
    ]


class Drive:
    """The values of one command, moved by keys and sliders; ``tick`` once per frame."""

    def __init__(self, components: list[Component]) -> None:
        self.components = components
        self.values = [0.0] * len(components)
        self.active = False
        """Whether the user has taken the command over."""
        self._rest = [0.0] * len(components)
        self._pressed: set[int] = set()
        self._last: float | None = None
        self._index: Mapping[str, int] = {component.name: index for index, component in enumerate(components)}

    @property
    def has_keys(self) -> bool:
        """Whether any key moves this command."""
        return any(name in self._index for name, _ in KEYS.values())

    def on_key(self, key: int, modifiers: int, pressed: bool) -> bool:
        """Takes a key of the window (GLFW codes); whether it meant something here.

        Call it for every key unless a text field is being edited; a released key is always to be told.
        """
        if not pressed:
            known = key in self._pressed
            self._pressed.discard(key)
            return known
        if modifiers & _SHORTCUT or not self.has_keys:
            return False
        if key == SPACE:
            self.stop()
            return True
        if key not in KEYS or KEYS[key][0] not in self._index:
            return False
        self._pressed.add(key)
        self._rest[self._index[KEYS[key][0]]] = 0.0
        self.active = True
        return True

    def set(self, index: int, value: float) -> None:
        """Puts one component to a value, clipped, where it stays until it is moved again."""
        self._rest[index] = self.values[index] = self.components[index].clip(value)
        self.active = True

    def mirror(self, values: Sequence[float]) -> None:
        """Takes over what the task commands, until the user does; driving starts from there."""
        if not self.active:
            self.values = list(values)
            self._rest = [0.0] * len(self.values) if self.has_keys else list(values)

    def stop(self) -> None:
        """Commands zero at once."""
        self._pressed.clear()
        self._rest = [0.0] * len(self.components)
        self.values = [0.0] * len(self.components)
        self.active = True

    def release(self) -> None:
        """Gives the command back to the task."""
        self._pressed.clear()
        self.active = False

    def release_keys(self) -> None:
        """Lets all keys go, for a window that loses the keyboard."""
        self._pressed.clear()

    def tick(self, now: float) -> None:
        """Advances the ramps to ``now`` (s)."""
        elapsed = 0.0 if self._last is None else min(max(now - self._last, 0.0), LONGEST_TICK)
        self._last = now
        if not self.active:
            return
        for index, component in enumerate(self.components):
            target = self._target(index)
            limit = max(component.high, -component.low)
            value = self.values[index]
            ramps = value * target >= 0.0 and abs(target) > abs(value)
            step = limit * elapsed / (RAMP_S if ramps else DECAY_S)
            self.values[index] = component.clip(value + min(max(target - value, -step), step))

    def _target(self, index: int) -> float:
        component = self.components[index]
        held = [sign for name, sign in (KEYS[key] for key in self._pressed) if self._index[name] == index]
        if not held:
            return self._rest[index]
        forward = max(held, default=0.0) > 0
        if forward and min(held) < 0:
            return 0.0
        return component.high if forward else component.low
