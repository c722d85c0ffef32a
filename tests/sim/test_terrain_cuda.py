"""Terrain on a GPU: contacts of the right size at full scale, recorded steps, what it costs beside a plane.

`./hrl test -m gpu tests/sim/test_terrain_cuda.py -s` prints what it measures.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.task.loading import load_task

sys.path.insert(0, str(Path(__file__).parent))
from terrains import terrain

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
CUDA, G, DT = "cuda:0", 9.81, 1 / 200
KINDS = {"pyramid": {}, "stairs_up": {}, "stairs_down": {}, "random_rough": {}, "waves": {}}


def standing(engine) -> torch.Tensor:
    """(num_envs, 3) where robots stand from their origins, after half a second.

    The landing has died away by then. Robots that nobody balances topple: after 1.3 s they lean 0.1 m off their place.
    """
    engine.step(100)
    return (engine.state.root_pose[:, :3] - engine.env_origins).cpu()


@pytest.mark.parametrize("start", ["newton", "ovphysx"], indirect=True)
def test_thousands_of_robots_share_cells_and_stand_with_their_weight(start):
    built = terrain({name: {} for name in KINDS}, rows=4, columns=10, max_initial_level=3)
    began = time.perf_counter()
    engine = start("humanoid", 2048, device=CUDA, dt=DT, terrain=built)
    print(f"{engine.name}: started in {time.perf_counter() - began:.1f} s")
    above = standing(engine)
    loads = []
    for _ in range(20):
        engine.step(1)
        loads.append(engine.read_contacts()[..., 2].sum(1).clone())
    weight = torch.stack(loads).mean(0).cpu() / (engine.robot.total_mass * G)
    print(f"{engine.name}: height {above[:, 2].min():.3f} to {above[:, 2].max():.3f} m")
    print(f"{engine.name}: weight {weight.min():.3f} to {weight.max():.3f} of its mass times g")
    assert above[:, :2].abs().max() < 0.1
    assert (above[:, 2] - engine.robot.standing_height).abs().max() < 0.02
    assert (weight - 1).abs().max() < 0.05


@pytest.mark.parametrize("start", ["newton"], indirect=True)
def test_a_recorded_launch_on_terrain_moves_the_robots_as_eager_steps_do(start):
    built = terrain({name: {} for name in KINDS}, rows=2)

    def run(recorded: bool) -> torch.Tensor:
        engine = start("humanoid", 64, device=CUDA, dt=DT, terrain=built)
        launch = engine.record(4) if recorded else None
        with torch.cuda.stream(engine.stream):
            for _ in range(10):
                engine.set_targets("position", engine.state.joint_pos * 0.9)
                launch() if launch else engine.step(4)
        torch.cuda.synchronize()
        return engine.state.root_pose.clone()

    apart = (run(False) - run(True)).abs().max().item()
    print(f"recorded and eager {apart:.1e} apart after 40 sub-steps")
    assert apart < 2e-3


@pytest.mark.parametrize("start", ["newton", "ovphysx"], indirect=True)
def test_what_terrain_costs_beside_a_plane(start):
    found = {}
    for name, ground in (("plane", None), ("terrain", terrain({kind: {} for kind in KINDS}, rows=5, columns=10))):
        engine = start("humanoid", 4096, device=CUDA, dt=DT, terrain=ground)
        engine.step(4)
        launch = engine.record(4) or (lambda engine=engine: engine.step(4))
        stream = engine.stream or torch.cuda.current_stream()
        with torch.cuda.stream(stream):
            for _ in range(20):
                launch()
            torch.cuda.synchronize()
            began = time.perf_counter()
            for _ in range(100):
                launch()
            torch.cuda.synchronize()
        found[name] = (time.perf_counter() - began) / 100
        print(f"{engine.name} on a {name}: {1e3 * found[name]:.2f} ms for 4 sub-steps of 4096 standing humanoids")
    assert found["terrain"] < 10 * found["plane"]


@pytest.mark.parametrize("engine", ["newton", "ovphysx"])
def test_the_rough_walk_steps_and_changes_levels(engine):
    small = ["scene.terrain.rows=5", "scene.terrain.columns=14", "episode_length_s=1.0"]
    env = make_env(load_task("humanoid_walk_rough", small), num_envs=1024, device=CUDA, engine=engine)
    try:
        env.reset()
        actions = torch.zeros(1024, env.spec.action.size, device=CUDA)
        for _ in range(120):
            transition = env.step(actions)
        assert transition.obs["policy"].isfinite().all()
        levels = env.view.terrain_level.cpu()
        print(f"{engine}: levels {torch.bincount(levels).tolist()} after two episodes of standing")
        assert env.episode_metrics()["terrain_level"] >= 0.0
        assert levels.float().mean() < 2.0
    finally:
        env.close()
