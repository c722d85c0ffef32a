"""Whether robots stand on the ground as they should, judged by figures that any engine can give."""

from __future__ import annotations

from statistics import mean

GRAVITY = 9.81
SETTLED = slice(12, 42)  # control steps at 60 Hz: after the first contact, before a stiff robot has toppled
SERIES = ("force", "feet_force", "height", "feet_height", "velocity")


def judge(series: dict[str, list[float]], mass: float, dt: float, standing_height: float) -> dict[str, float | bool]:
    """The figures of a standing robot and ``ok``: whether all hold.

    ``series`` has one value per control step, means over the robots: ``force`` and ``feet_force``, vertical contact
    force on all bodies and on the feet (N); ``height`` of the base and mean ``feet_height`` (m); ``velocity``,
    vertical, of the centre of mass (m/s). ``weight`` compares the force with mass times gravity and the change of
    momentum over the same steps (within 3 %), ``on_feet`` is the feet's share of it (at least 99 %), ``lowest`` is the
    base's lowest height as a share of standing (at least 0.9), ``sunk`` is how far the feet went down (at most 2 cm).
    """
    force, velocity = series["force"][SETTLED], series["velocity"]
    first, last = SETTLED.start, SETTLED.stop - 1
    seconds = (last - first) * dt
    expected = mass * (GRAVITY + (velocity[last] - velocity[first]) / seconds)
    weight = mean(force) / expected
    on_feet = sum(series["feet_force"][SETTLED]) / sum(force) if sum(force) else 0.0
    lowest = min(series["height"][: SETTLED.stop]) / standing_height
    sunk = series["feet_height"][0] - min(series["feet_height"][: SETTLED.stop])
    ok = abs(weight - 1.0) < 0.03 and on_feet >= 0.99 and lowest > 0.9 and sunk < 0.02
    return {"ok": ok, "weight": weight, "on_feet": on_feet, "lowest": lowest, "sunk": sunk}
