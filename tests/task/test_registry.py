"""Terms register with everything a widget, a check and a page of documentation need."""

from __future__ import annotations

import pytest

from humanoid_rl_ext.task.registry import KINDS, ParamError, term, terms


@pytest.mark.parametrize("kind", KINDS)
def test_every_term_is_documented_and_its_defaults_are_allowed(kind) -> None:
    assert terms(kind)
    for spec in terms(kind).values():
        assert spec.help.endswith("."), spec.name
        spec.check_params({})
        for param in spec.params.values():
            assert param.type in ("bodies", "joints", "str", "bool") or param.info.help, (spec.name, param.name)


def test_parameters_are_filled_in_and_checked() -> None:
    spec = term("reward", "track_lin_vel")
    assert spec.check_params({"std": 1}) == {"command": "velocity", "std": 1.0}
    with pytest.raises(ParamError, match=r"between 0\.01 and 10 m/s, not 0"):
        spec.check_params({"std": 0})
    with pytest.raises(ParamError, match="did you mean 'std'"):
        spec.check_params({"sdt": 1})
    with pytest.raises(ParamError, match="must be a number, not True"):
        spec.check_params({"std": True})


def test_ranges_must_be_ordered_pairs_within_bounds() -> None:
    spec = term("command", "velocity")
    assert spec.check_params({"lin_vel_x": [0, 2]})["lin_vel_x"] == (0.0, 2.0)
    for wrong in ([2, 0], [0], 3, [0, 99]):
        with pytest.raises(ParamError):
            spec.check_params({"lin_vel_x": wrong})
