"""Learner settings and their registry, which a panel reads before anything heavy is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec
from humanoid_rl_ext.errors import BadInputError, TaskError
from humanoid_rl_ext.learn import LEARNERS, PPOSettings, make_learner
from humanoid_rl_ext.learn.edits import edited


def test_learners_and_their_settings_are_known_without_torch():
    code = "import sys, humanoid_rl_ext.learn as l; l.LEARNERS['ppo'].settings(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", LEARNERS)
def test_every_setting_has_help_and_every_number_has_bounds(name):
    for field, schema in LEARNERS[name].settings.model_json_schema()["properties"].items():
        assert schema["description"].endswith("."), field
        if schema["type"] in ("integer", "number"):
            assert {"minimum", "exclusiveMinimum"} & schema.keys() and "maximum" in schema, field


@pytest.mark.parametrize("wrong", [{"gama": 0.9}, {"gamma": 1.5}, {"num_steps": 0}, {"activation": "gelu"}])
def test_unknown_names_and_values_out_of_bounds_are_refused(wrong):
    with pytest.raises(ValidationError):
        PPOSettings(**wrong)


def test_edits_change_live_settings_only_and_stay_within_bounds():
    settings = PPOSettings()
    assert edited(settings, "clip_range", 0.1).clip_range == 0.1
    for name, value, message in (
        ("clip_rang", 0.1, "did you mean 'clip_range'"),
        ("num_steps", 8, "cannot change while training"),
        ("gamma", 2.0, "less than or equal to 1"),
    ):
        with pytest.raises(TaskError, match=message):
            edited(settings, name, value)


def test_an_unknown_algorithm_gets_a_hint():
    spec = EnvSpec(1, {"policy": 2}, ActionSpec("box", 1), 10)
    with pytest.raises(BadInputError, match="did you mean 'ppo'"):
        make_learner("pp0", spec)
