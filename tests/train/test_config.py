from __future__ import annotations

from pathlib import Path

import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.train.config import load_run_config, read_run_config, run_config_yaml

PRESET = """\
algorithm: ppo
run: {num_envs: 64, env_steps: 1000}
settings:
  gamma: 0.9
  gae_lambda: 0.8
tasks:
  gym:Pole-v1:
    settings: {gamma: 0.7}
  "gym:*":
    run: {num_envs: 8}
    settings: {gamma: 0.6, clip_range: 0.1}
"""


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    (tmp_path / "ppo.yaml").write_text(PRESET)
    return tmp_path


def test_a_task_of_its_own_beats_a_pattern_which_beats_the_preset(presets: Path) -> None:
    config = load_run_config("ppo", "gym:Pole-v1", presets=presets)
    settings = config.settings
    assert (settings.gamma, settings.clip_range, settings.gae_lambda, config.run.num_envs) == (0.7, 0.1, 0.8, 8)
    assert load_run_config("ppo", "walker", presets=presets).settings.gamma == 0.9


def test_the_command_line_beats_the_preset(presets: Path) -> None:
    overrides = ["learner.gamma=0.5", "run.save_interval=7", "learner.actor_hidden=[16, 16]"]
    config = load_run_config("ppo", "gym:Pole-v1", overrides, presets=presets, num_envs=3, env_steps=None)
    assert (config.settings.gamma, config.settings.actor_hidden) == (0.5, [16, 16])
    assert (config.run.save_interval, config.run.num_envs, config.run.env_steps) == (7, 3, 1000)


def test_a_stored_configuration_reads_back_equal(presets: Path) -> None:
    config = load_run_config("ppo", "gym:Pole-v1", ["learner.learning_rate=1e-4"], presets=presets)
    path = presets / "learner.yaml"
    path.write_text(run_config_yaml(config))
    assert read_run_config(path) == config
    assert read_run_config(path, env_steps=5000).run.env_steps == 5000


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["learner.gama=0.9"], "override 'learner.gama=0.9': settings.gama: unknown key; did you mean 'gamma'?"),
        (["learner.gamma=2"], "override 'learner.gamma=2': settings.gamma: .*less than or equal to 1, not 2"),
        (["learner.gamma=fast"], "override 'learner.gamma=fast': settings.gamma: .*valid number"),
        (["run.num_env=2"], "run.num_env: unknown key; did you mean 'num_envs'?"),
        (["learner.gamma"], "write it as learner.<setting>=value"),
    ],
)
def test_a_wrong_override_is_quoted_with_the_likely_fix(presets: Path, overrides: list[str], message: str) -> None:
    with pytest.raises(TaskError, match=message.replace("?", r"\?")):
        load_run_config("ppo", "walker", overrides, presets=presets)


def test_a_mistake_in_a_preset_names_its_line(presets: Path) -> None:
    (presets / "ppo.yaml").write_text(PRESET.replace("clip_range: 0.1", "clip_rang: 0.1"))
    with pytest.raises(TaskError, match=r"ppo\.yaml:11: settings\.clip_rang: unknown key; did you mean 'clip_range'\?"):
        load_run_config("ppo", "gym:Pole-v1", presets=presets)


def test_an_unknown_algorithm_is_told_with_the_nearest(presets: Path) -> None:
    with pytest.raises(TaskError, match=r"unknown algorithm 'pp'; did you mean 'ppo'\?"):
        load_run_config("pp", "walker", presets=presets)
