"""The bundled ranges fit every bundled Task and leave alone what it says itself."""

from __future__ import annotations

import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import load_task, task_names
from humanoid_rl_ext.task.randomisation_presets import randomisation_presets, with_randomisation


@pytest.mark.parametrize("task", task_names())
@pytest.mark.parametrize("preset", randomisation_presets())
def test_a_preset_fits_every_task(task: str, preset: str) -> None:
    before = load_task(task)
    after = with_randomisation(before, preset)
    added = after.randomisation.keys() - before.randomisation.keys()
    usual = {"mass", "friction", "joint_damping", "motor_strength", "gravity", "action_delay"}
    assert added == usual - before.randomisation.keys()
    if "gravity" in added:
        assert after.randomisation["gravity"].params["magnitude"][0] == pytest.approx(9.7, abs=0.02)


def test_noise_is_the_same_for_all_that_is_measured_once_scaled() -> None:
    policy = with_randomisation(load_task("humanoid_walk"), "common").observations["policy"]
    noise = {name: section.noise * section.scale for name, section in policy.items()}
    assert noise.pop("last_action") == 0.0 and noise.pop("command") == 0.0
    assert list(noise.values()) == pytest.approx([0.01] * len(noise))


def test_what_the_task_says_stays() -> None:
    own = load_task("humanoid_stand", ["randomisation.mass.params.scale=[0.9, 1.1]"])
    assert with_randomisation(own, "common").randomisation["mass"].params["scale"] == (0.9, 1.1)


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(TaskError, match="did you mean 'common'"):
        with_randomisation(load_task("humanoid_stand"), "comon")
