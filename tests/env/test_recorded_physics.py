"""A recorded environment step with real physics is the eager one.

On Newton: PhysX keeps contacts that no one can put back, so that no two of its steps begin alike. A GPU finds Newton's
contacts in another order each time. Sums are rounded by that order, and where a foot is just about to touch or to lift,
a robot goes another way. So actions are gentle, and a few robots may differ: what is recorded wrongly differs for all.
"""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env import vec_env
from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim import recording
from humanoid_rl_ext.task.loading import load_task

STEPS, ROBOTS, MAY_DIFFER = 10, 64, 4


def play(env: VecEnv, actions: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Observations and rewards after each step."""
    seen = []
    for action in actions:
        transition = env.step(action)
        seen.append((transition.obs["policy"].clone(), transition.reward.clone()))
    return seen


@pytest.mark.gpu
@pytest.mark.parametrize(("above_ground", "may_differ"), [(3.0, 0), (0.0, MAY_DIFFER)])
def test_recorded_steps_with_physics_are_eager_steps(
    monkeypatch: pytest.MonkeyPatch, above_ground: float, may_differ: int
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    with torch.cuda.stream(torch.cuda.Stream()):
        env = make_env(load_task("humanoid_walk"), engine="newton", num_envs=ROBOTS, device="cuda:0")
        env.engine.env_origins[:, 2] += above_ground
        env.reset()
        start = env.state_dict()
        generator = torch.Generator("cuda").manual_seed(0)
        actions = 0.2 * torch.randn(STEPS, ROBOTS, env.spec.action.size, device="cuda", generator=generator)
        for module in (recording, vec_env):
            monkeypatch.setattr(module, "EAGER_CALLS", 10**9)
        env.load_state_dict(start)
        eager = play(env, actions)
        monkeypatch.undo()
        env._steps = 0  # from here on steps are recorded, as if none had been made
        for recorded in (env._ending, env._judging, env._beginning, env._counting):
            recorded._calls = 0
        play(env, actions[: recording.EAGER_CALLS + 2])
        env.load_state_dict(start)
        replayed = play(env, actions)
        differs = torch.zeros(ROBOTS, dtype=torch.bool, device="cuda")
        for step, ((obs, reward), (other, paid)) in enumerate(zip(replayed, eager, strict=True)):
            apart = torch.cat((obs - other, (reward - paid)[:, None]), dim=1).abs()
            size = torch.cat((other, paid[:, None]), dim=1).abs()
            differs |= ~(apart <= 1e-4 + 1e-4 * size).all(1)
            usual, largest = apart.amax(1).median(), apart.max()
            print(f"step {step}: {usual:.1e} for half of the robots, {largest:.1e} at most, {differs.sum()} differ")
        assert differs.sum() <= may_differ
        env.close()
