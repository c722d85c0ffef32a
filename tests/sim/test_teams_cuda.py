"""Teams on a GPU: PhysX copies whole scenes there and tells them apart itself, Newton has a world for each.

`./hrl test -m gpu tests/sim/test_teams_cuda.py -s` prints what it measures.
"""

from __future__ import annotations

import pytest
import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
    pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True),
]
CUDA = "cuda:0"
SCENES, SIZE = 64, 3


@pytest.fixture
def engine(start):
    """Floating robots; after a while every first robot of a scene flies at the second, and the third stays apart."""
    return start(
        "walker",
        SCENES * SIZE,
        device=CUDA,
        team_size=SIZE,
        team_spacing=1.0,
        ground=False,
        gravity=(0.0, 0.0, 0.0),
        dt=1 / 240,
    )


def fly(engine, scenes: slice) -> torch.Tensor:
    """Puts the robots of all scenes into the same places and throws the first one of some; their momentum along y."""
    state = engine.state
    pose, velocity = state.root_pose.clone(), torch.zeros_like(state.root_velocity)
    places = torch.tensor([[0.0, -0.5, 2.0], [0.0, 0.5, 2.0], [0.0, 3.5, 2.0]], device=CUDA)
    pose[:, :3] = places.repeat(SCENES, 1)
    velocity.view(SCENES, SIZE, 6)[scenes, 0, 1] = 2.0
    joints = state.joint_pos.clone()
    everywhere = torch.ones(engine.num_envs, dtype=torch.bool, device=CUDA)
    engine.reset(everywhere, pose, velocity, joints, torch.zeros_like(joints))
    engine.step(1)
    return momentum(engine)


def momentum(engine) -> torch.Tensor:
    """(scenes, robots) kg m/s along y."""
    mass = engine.get_property("mass").to(CUDA)
    return (mass * engine.state.body_velocity[..., 1]).sum(-1).view(SCENES, SIZE)


def test_robots_run_into_their_mates_and_through_the_robots_of_other_scenes(engine) -> None:
    thrown = slice(1, None, 2)
    before = fly(engine, thrown)
    forces = torch.zeros(SCENES, SIZE, device=CUDA)
    for _ in range(180):
        engine.step(1)
        size = engine.read_contacts().sum(1).norm(dim=-1).view(SCENES, SIZE)
        torch.maximum(forces, size, out=forces)
    after = momentum(engine)
    share = after[thrown, 1] / before[thrown, 0]
    lost = (after[thrown].sum(-1) - before[thrown].sum(-1)).abs() / before[thrown, 0]
    print(
        f"{engine.name}: the mate has {share.min():.2f} to {share.max():.2f} of the momentum, {lost.max():.4f} is lost"
    )
    assert share.min() > 0.2 and lost.max() < 0.02
    assert (forces[thrown, :2] > 1.0).all() and not forces[thrown, 2].any() and not forces[::2].any()
    still = engine.state.root_pose.view(SCENES, SIZE, 7)[::2, :, 1]
    assert torch.allclose(still, torch.tensor([-0.5, 0.5, 3.5], device=CUDA).expand_as(still), atol=2e-3)


def test_rows_are_the_robots_scene_by_scene(engine) -> None:
    origins = engine.env_origins.view(SCENES, SIZE, 3)
    apart = torch.tensor([0.0, 1.0, 0.0], device=CUDA).expand(SCENES, SIZE - 1, 3)
    assert torch.allclose(origins[:, 1:] - origins[:, :-1], apart, atol=1e-4)
    assert torch.allclose(engine.state.root_pose[:, :2], engine.env_origins[:, :2], atol=1e-3)
    row = SIZE * 37 + 1
    targets = engine.state.joint_pos.clone()
    targets[row] += 0.3
    stiff = engine.get_property("joint_stiffness")
    engine.set_property("joint_stiffness", stiff, None)
    engine.set_targets("position", targets)
    before = engine.state.joint_pos.clone()
    engine.step(48)
    moved = (engine.state.joint_pos - before).abs().amax(-1)
    print(f"{engine.name}: {moved[row]:.3f} rad where asked for, {moved.sort().values[-2]:.4f} elsewhere at most")
    assert moved.argmax() == row and moved[row] > 0.1 and moved.sort().values[-2] < 0.02
