from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.errors import BadInputError, DeviceError, EngineError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.engines import make_engine


def test_an_unknown_engine_is_bad_input_that_names_the_nearest():
    with pytest.raises(BadInputError, match="did you mean 'ovphysx'"):
        make_engine("ovphysics", load_robot("walker"), SceneSettings(1))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_asking_for_cuda_where_there_is_none_is_an_error_and_never_a_fallback():
    with pytest.raises(DeviceError, match="CUDA is not available"):
        make_engine("ovphysx", load_robot("walker"), SceneSettings(1, device="cuda:0"))


def test_a_device_nobody_knows_is_an_error():
    with pytest.raises(DeviceError, match="tpu"):
        make_engine("ovphysx", load_robot("walker"), SceneSettings(1, device="tpu"))


def test_a_second_engine_waits_for_the_first_to_close(start):
    engine = start("cartpole")
    with pytest.raises(EngineError, match="close the living engine first"):
        make_engine("ovphysx", load_robot("cartpole"), SceneSettings(1))
    engine.step(1)
    engine.close()
    engine.close()
    other = make_engine("ovphysx", load_robot("walker"), SceneSettings(2))
    other.step(1)
    assert other.state.joint_pos.shape == (2, 12)
    other.close()


def test_bodies_can_be_left_out_of_the_step_and_read_when_wanted(start, put):
    engine = start("walker", 1, body_state=False)
    put(engine, lift=1.0)
    before = engine.state.body_pose[0, 0, 2].item()
    engine.step(20)
    assert engine.state.body_pose[0, 0, 2].item() == before
    engine.refresh_bodies()
    assert engine.state.body_pose[0, 0, 2].item() == engine.state.root_pose[0, 2].item() < before


def test_a_run_of_isaac_sim_goes_on_here_with_the_physx_that_installs() -> None:
    engine = make_engine("kit", load_robot("cartpole"), SceneSettings(1, num_threads=1))
    assert engine.name == "ovphysx"
    engine.close()
