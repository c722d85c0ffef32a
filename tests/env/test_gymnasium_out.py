"""Our environment to others: Gymnasium's vector interface."""

from __future__ import annotations

import numpy as np

from humanoid_rl_ext.env.gymnasium_out import GymnasiumVectorEnv


def test_spaces_hold_what_comes_back_and_final_observations_are_in_info(make) -> None:
    env = GymnasiumVectorEnv(make("walker_run", "episode_length_s=0.1"))
    first, _ = env.reset(seed=3)
    assert first in env.observation_space
    for step in range(4):
        obs, reward, terminated, truncated, info = env.step(np.zeros((4, 12), np.float32))
        assert obs in env.observation_space
        assert reward.shape == terminated.shape == truncated.shape == (4,)
        assert ("final_obs" in info) == (step == 3)
    assert truncated.all() and info["_final_obs"].all()
    assert info["final_obs"][0].shape == (env.single_observation_space.shape[0],)
    again, _ = env.reset(seed=3)
    assert np.array_equal(again, first)
