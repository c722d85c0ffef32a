"""Newton on a GPU: the same physics as on the CPU, recorded steps that equal eager ones, nothing lost at full size.

`./hrl test -m gpu tests/sim/test_newton_cuda.py -s` prints what it measures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
    pytest.mark.parametrize("start", ["newton"], indirect=True),
]
CUDA = "cuda:0"
G = 9.81
DT = 1 / 120
PARTS = ("root_pose", "root_velocity", "joint_pos", "joint_vel", "body_pose", "body_velocity")


def random_targets(engine: Any, draws: torch.Generator, share: float = 1.0) -> torch.Tensor:
    lower, upper = engine.get_property("joint_limits").view(engine.num_envs, -1, 2).unbind(-1)
    place = 0.5 + share * (torch.rand(lower.shape, generator=draws, device=draws.device) - 0.5)
    return lower + (upper - lower) * place.to(engine.device)


def parts(engine: Any) -> dict[str, torch.Tensor]:
    return {name: getattr(engine.state, name).clone() for name in PARTS}


def lifted(engine: Any, height: float, mask: torch.Tensor | None = None) -> None:
    state = engine.state
    pose, still = state.root_pose.clone(), torch.zeros_like(state.joint_vel)
    pose[:, 2] += height
    mask = torch.ones(engine.num_envs, dtype=torch.bool, device=engine.device) if mask is None else mask
    engine.reset(mask, pose, torch.zeros_like(state.root_velocity), state.joint_pos.clone(), still)


def seconds(work: Callable[[], None], times: int) -> float:
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(times):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / times


def test_cpu_and_gpu_move_alike_over_twenty_steps(start) -> None:
    import warp

    if not warp.is_cpu_available():
        pytest.skip("this Warp came without its compiler for the CPU")
    results = []
    for device in ("cpu", CUDA):
        engine = start("humanoid", 8, device=device, dt=DT)
        draws = torch.Generator().manual_seed(0)
        for _ in range(10):
            engine.set_targets("position", random_targets(engine, draws, 0.3))
            engine.step(2)
        results.append({name: values.cpu() for name, values in parts(engine).items()})
    for name, bound in zip(PARTS, (1e-3, 2e-2, 1e-3, 5e-2, 1e-3, 5e-2), strict=True):
        apart = (results[0][name] - results[1][name]).abs().max().item()
        print(f"{name}: cpu and cuda {apart:.1e} apart after 20 sub-steps")
        assert apart < bound, name


def test_a_recorded_launch_moves_the_robots_as_eager_steps_do(start) -> None:
    def run(recorded: bool) -> dict[str, torch.Tensor]:
        engine = start("humanoid", 64, device=CUDA, dt=DT)
        launch = engine.record(2) if recorded else None
        draws = torch.Generator().manual_seed(1)
        with torch.cuda.stream(engine.stream):
            for _ in range(10):
                engine.set_targets("position", random_targets(engine, draws, 0.3))
                launch() if launch else engine.step(2)
            return parts(engine)

    eager, replayed = run(False), run(True)
    for name in PARTS:
        apart = (eager[name] - replayed[name]).abs().max().item()
        print(f"{name}: recorded and eager {apart:.1e} apart after 20 sub-steps")
        assert apart < (2e-2 if "vel" in name else 1e-3), name


def test_recording_leaves_the_robots_where_they_were(start) -> None:
    engine = start("humanoid", 8, device=CUDA, dt=DT)
    engine.step(10)
    torch.cuda.synchronize()
    before = parts(engine)
    assert engine.record(2) is not None
    after = parts(engine)
    for name in PARTS:
        assert torch.allclose(before[name], after[name], atol=1e-5), name


def test_targets_wrenches_properties_and_resets_act_on_a_recorded_launch(start) -> None:
    engine = start("humanoid", 4, device=CUDA, dt=DT, gravity=(0.0, 0.0, 0.0), ground=False)
    launch = engine.record(2)
    elbow = engine.robot.joint_names.index("left_elbow")
    mass = engine.robot.total_mass
    with torch.cuda.stream(engine.stream):
        lifted(engine, 1.0)
        targets = engine.state.joint_pos.clone()
        targets[1, elbow] -= 1.0
        engine.set_targets("position", targets)
        wrench = torch.zeros(4, 6, device=CUDA)
        wrench[2, 0] = 60.0
        engine.set_wrench(0, wrench)
        heavy = engine.get_property("mass")
        heavy[3] *= 2.0
        engine.set_property("mass", heavy)
        wrench[3, 0] = 60.0
        engine.set_wrench(0, wrench)
        for _ in range(6):
            launch()
        momentum = (engine.get_property("mass")[..., None] * engine.state.body_velocity[..., :3]).sum(1)[:, 0]
        assert momentum[2:].tolist() == pytest.approx([60.0 * 12 * DT] * 2, rel=1e-2)
        assert engine.get_property("mass")[3].sum().item() == pytest.approx(2 * mass, rel=1e-4)
        engine.set_wrench(0, None)
        for _ in range(120):
            launch()
        moved = engine.state.joint_pos[:, elbow] - engine.state.joint_pos[0, elbow]
        assert moved[1].item() == pytest.approx(-1.0, abs=0.05)
        height = engine.state.root_pose[:, 2].clone()
        lifted(engine, 3.0, torch.tensor([True, False, False, False], device=CUDA))
        launch()
        assert ((engine.state.root_pose[:, 2] - height) > 2.9).tolist() == [True, False, False, False]


def test_a_masked_reset_writes_its_rows_and_no_other_and_recovers_nan(start) -> None:
    engine = start("walker", 8, device=CUDA, dt=DT)
    engine.step(20)
    engine.state.joint_pos[3] = float("nan")
    engine.step(2)
    torch.cuda.synchronize()
    finite = engine.state.body_velocity.flatten(1).isfinite().all(1)
    assert (~finite).nonzero().flatten().tolist() == [3]
    before = parts(engine)
    home = torch.tensor([0.0, 0.0, engine.robot.standing_height, *engine.robot.standing_rotation], device=CUDA)
    pose = home.repeat(8, 1)
    pose[:, :3] += engine.env_origins
    joints = torch.zeros_like(engine.state.joint_pos)
    engine.reset(~finite, pose, torch.zeros(8, 6, device=CUDA), joints, joints)
    for name in PARTS:
        assert torch.equal(getattr(engine.state, name)[finite], before[name][finite]), name
    assert torch.allclose(engine.state.root_pose[3], pose[3], atol=1e-6)
    engine.step(20)
    assert all(values.isfinite().all() for values in parts(engine).values())


def test_no_step_reset_or_read_waits_for_the_host(start) -> None:
    engine = start("humanoid", 64, device=CUDA, dt=DT)
    launch = engine.record(2)
    mask = torch.arange(64, device=CUDA) % 3 == 0
    with torch.cuda.stream(engine.stream):
        lifted(engine, 0.0, mask)
        launch()
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(3):
                engine.set_targets("position", engine.state.joint_pos)
                launch()
                engine.read_contacts()
                lifted(engine, 0.0, mask)
                engine.joint_effort()
        finally:
            torch.cuda.set_sync_debug_mode("default")


def test_resting_robots_carry_their_weight(start) -> None:
    engine = start("humanoid", 256, device=CUDA, dt=DT)
    engine.step(60)
    loads = []
    for _ in range(20):
        engine.step(1)
        loads.append(engine.read_contacts()[..., 2].sum(1).clone())
    weight = torch.stack(loads).mean(0)
    assert torch.allclose(weight, torch.full_like(weight, engine.robot.total_mass * G), rtol=0.02)


def test_a_fixed_base_moves_with_the_origins(start) -> None:
    engine = start("cartpole", 4, device=CUDA)
    pose = engine.state.root_pose.clone()
    pose[:, 0] += 1.5
    nothing = torch.zeros(4, 2, device=CUDA)
    engine.reset(torch.ones(4, dtype=torch.bool, device=CUDA), pose, torch.zeros(4, 6, device=CUDA), nothing, nothing)
    engine.step(20)
    assert torch.allclose(engine.state.root_pose, pose, atol=1e-5)


def test_4096_humanoids_survive_random_targets_and_the_rate_is_printed(start) -> None:
    began = time.perf_counter()
    engine = start("humanoid", 4096, device=CUDA, dt=DT)
    torch.cuda.synchronize()
    built = time.perf_counter()
    launch = engine.record(2)
    print(f"4096 humanoids: built in {built - began:.1f} s, recorded in {time.perf_counter() - built:.1f} s")
    draws = torch.Generator(device=CUDA).manual_seed(0)
    with torch.cuda.stream(engine.stream):

        def control_step() -> None:
            launch()
            engine.read_contacts()

        standing = seconds(control_step, 30)
        for _ in range(100):
            engine.set_targets("position", random_targets(engine, draws))
            for _ in range(5):
                control_step()
        assert all(values.isfinite().all() for values in parts(engine).values())
        assert engine.state.joint_vel.abs().max().item() < 200.0
        engine.check_capacity()
        engine.set_targets("position", random_targets(engine, draws))
        fallen = seconds(control_step, 30)
        mask = torch.rand(4096, generator=draws, device=CUDA) < 0.02
        reset = seconds(lambda: lifted(engine, 0.0, mask), 30)
    eager = seconds(lambda: engine.step(2), 5)
    data, (free, total) = engine._built.solver.mjw_data, torch.cuda.mem_get_info()
    print(
        f"two sub-steps of 1/120 s and contacts: {1e3 * standing:.2f} ms standing, {1e3 * fallen:.2f} ms on the ground "
        f"under random targets ({4096 / fallen:,.0f} environment steps/s), {1e3 * eager:.2f} ms eager; masked reset "
        f"{1e3 * reset:.2f} ms; rows at most {int(data.nefc.numpy().max())} of {data.njmax}; "
        f"GPU memory {(total - free) / 2**20:,.0f} MiB"
    )
