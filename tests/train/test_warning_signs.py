from __future__ import annotations

from humanoid_rl_ext.train.warning_signs import WarningSigns


def said(*saturations: float) -> list[int]:
    """The iterations, counted from one, in which something is said."""
    signs = WarningSigns()
    return [
        number
        for number, saturation in enumerate(saturations, 1)
        for line in signs.take_in({"train/saturation": saturation})
    ]


def test_a_policy_at_its_bounds_is_stuck_after_twenty_iterations_and_that_is_said_once() -> None:
    assert said(*[1.0] * 60) == [20]


def test_a_policy_that_leaves_its_bounds_begins_anew() -> None:
    assert said(*[1.0] * 19, 0.9, *[1.0] * 19) == []
    assert said(*[1.0] * 19, 0.9, *[1.0] * 20) == [40]


def test_the_first_state_that_is_not_finite_is_told_with_what_helps() -> None:
    signs = WarningSigns()
    assert list(signs.take_in({"episode/non_finite": 0.0})) == []
    (line,) = signs.take_in({"episode/non_finite": 3.0})
    assert "not finite" in line and "sim.dt" in line
    assert list(signs.take_in({"episode/non_finite": 5.0})) == []
