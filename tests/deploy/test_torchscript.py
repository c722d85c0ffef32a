"""A checkpoint's policy as a TorchScript module that stands alone."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.deploy.torchscript import load_module, policy_module, save_module
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.learn import PPOSettings, make_learner
from humanoid_rl_ext.learn.learner import Learner
from humanoid_rl_ext.train.checkpoint import latest_checkpoint, read_checkpoint
from humanoid_rl_ext.train.watch import load_policy

SPEC = EnvSpec(4, {"policy": 4}, ActionSpec("box", 1, ("slider",)), 480)


@pytest.fixture
def learner(cartpole_run: Path) -> Learner:
    checkpoint = latest_checkpoint(cartpole_run)
    saved = read_checkpoint(checkpoint).header["spec"]["observation_names"]["policy"]
    spec = EnvSpec(4, SPEC.observations, SPEC.action, 480, {"policy": tuple(saved)})
    return load_policy(checkpoint, spec, torch.device("cpu"))


def observations(count: int = 64, size: int = 4, spread: float = 3.0) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(7)) * spread


def test_it_acts_as_the_checkpoint_does(learner: Learner) -> None:
    obs, module = observations(), policy_module(learner)
    wanted = learner.act_deterministic({"policy": obs.clone()})
    assert wanted.abs().mean() > 0.01
    torch.testing.assert_close(module(obs), wanted, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(module(obs[3]), wanted[3], rtol=1e-6, atol=1e-6)
    assert module(obs[3]).shape == (1,)


def test_observations_far_outside_are_clipped_as_in_training(learner: Learner) -> None:
    obs = observations(spread=1e4)
    wanted = learner.act_deterministic({"policy": obs.clone()})
    torch.testing.assert_close(policy_module(learner)(obs), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("settings", [{"normalise_observations": False}, {"actor_hidden": [], "critic_hidden": []}])
def test_policies_without_normaliser_or_hidden_layers_are_the_same_too(settings: dict) -> None:
    learner = make_learner("ppo", SPEC, PPOSettings(num_minibatches=1, **settings))
    obs = observations()
    wanted = learner.act_deterministic({"policy": obs.clone()})
    torch.testing.assert_close(policy_module(learner)(obs), wanted, rtol=1e-6, atol=1e-7)


def test_the_file_is_read_without_this_project(learner: Learner, tmp_path: Path) -> None:
    save_module(policy_module(learner), tmp_path / "policy.pt")
    code = (
        "import sys, torch; module = torch.jit.load('policy.pt'); print(module(torch.ones(4)).tolist()[0]); "
        "assert not any('humanoid' in name for name in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    wanted = learner.act_deterministic({"policy": torch.ones(1, 4)}).item()
    assert float(done.stdout) == pytest.approx(wanted, rel=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["policy.pt"]


def test_learning_on_does_not_change_what_was_exported(learner: Learner) -> None:
    obs, module = observations(), policy_module(learner)
    before = module(obs).clone()
    learner._parameters.data.zero_()  # type: ignore[attr-defined]
    assert torch.equal(module(obs), before)
    assert all(p.untyped_storage().nbytes() == 4 * p.numel() for p in module.parameters())  # the critic stays at home


def test_users_do_not_see_torchs_advice_and_others_still_do(learner: Learner, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        save_module(policy_module(learner), tmp_path / "policy.pt")
        load_module(tmp_path / "policy.pt")
        assert seen == []
        torch.jit.load(str(tmp_path / "policy.pt"))
        assert [warning.category for warning in seen] == [DeprecationWarning]


def test_what_has_no_such_form_is_told() -> None:
    discrete = make_learner("ppo", EnvSpec(4, {"policy": 4}, ActionSpec("discrete", 2), 500))
    with pytest.raises(BadInputError, match="discrete actions cannot be exported"):
        policy_module(discrete)
    with pytest.raises(BadInputError, match="policies of object cannot be exported as TorchScript"):
        policy_module(object())  # type: ignore[arg-type]


def test_files_that_are_no_modules_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"policy\.pt: no such file"):
        load_module(tmp_path / "policy.pt")
    for content in (b"", b"PK\x03\x04 half a file", b"plain text"):
        (tmp_path / "policy.pt").write_bytes(content)
        with pytest.raises(BadInputError, match=r"policy\.pt: not a TorchScript module") as error:
            load_module(tmp_path / "policy.pt")
        assert "\n" not in str(error.value)
    torch.save({"weight": torch.ones(2)}, tmp_path / "policy.pt")
    with pytest.raises(BadInputError, match=r"policy\.pt: not a TorchScript module"):
        load_module(tmp_path / "policy.pt")
