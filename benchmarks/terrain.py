"""What uneven ground costs on this machine: to build, to start an engine on, to step on, to look at.

    ./hrl python benchmarks/terrain.py [--envs 64] [--device cpu] [--task humanoid_walk_rough]

Prints the figures of docs/terrain.md. Run it on free cores.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from humanoid_rl_ext.env.make import leave_cores_to_physics, scene_settings, task_robot
from humanoid_rl_ext.mdp.observations import height_scan
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.engine import Engine, SceneSettings
from humanoid_rl_ext.sim.engines import ENGINES, make_engine
from humanoid_rl_ext.sim.ground import Ground
from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.task.schema import Task


def milliseconds(work: Callable[[], object], times: int, device: str) -> float:
    """Median time of one call in five series."""
    series = []
    for _ in range(6):
        began = time.perf_counter()
        for _ in range(times):
            work()
        if device != "cpu":
            torch.cuda.synchronize()
        series.append(1e3 * (time.perf_counter() - began) / times)
    return statistics.median(series[1:])


def step_time(task: Task, engine_name: str, settings: SceneSettings) -> tuple[float, float]:
    """Seconds to start, and milliseconds of a control step of standing robots with contacts read."""
    began = time.perf_counter()
    engine: Engine = make_engine(engine_name, task_robot(task), settings)
    started = time.perf_counter() - began
    try:
        substeps = task.sim.decimation
        engine.step(substeps)
        launch = engine.record(substeps) or (lambda: engine.step(substeps))
        stream = torch.cuda.stream(engine.stream) if settings.device != "cpu" else torch.inference_mode(False)
        with stream:

            def work() -> None:
                launch()
                engine.read_contacts()

            return started, milliseconds(work, 10, settings.device)
    finally:
        engine.close()


def look_time(settings: SceneSettings) -> tuple[float, float]:
    """Milliseconds of a height scan of 187 points and of the height above ground, for all environments."""
    from types import SimpleNamespace

    assert settings.terrain is not None
    device, spots = torch.device(settings.device), torch.as_tensor(settings.terrain.start_origins(settings.num_envs))
    pose = torch.cat((spots, torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(len(spots), 4)), -1).to(device)
    nothing = torch.zeros(len(spots), 0, device=device)
    state = SimpleNamespace(
        root_pose=pose,
        root_velocity=torch.zeros(len(spots), 6, device=device),
        joint_pos=nothing,
        joint_vel=nothing,
        body_pose=torch.zeros(len(spots), 1, 7, device=device),
        body_velocity=torch.zeros(len(spots), 1, 6, device=device),
    )
    robot = SimpleNamespace(joints=[], standing_height=1.0)
    engine = SimpleNamespace(num_envs=len(spots), device=device, robot=robot, state=state, env_origins=pose[:, :3])
    view = Step(engine, 0.02, 1000, [])  # type: ignore[arg-type]
    view.ground = Ground(settings.terrain, device)
    spacing, limit = torch.tensor(0.1, device=device), torch.tensor(1.0, device=device)

    def scan() -> None:
        view.refresh()
        height_scan(view, spacing=spacing, limit=limit)  # type: ignore[arg-type]

    def height() -> None:
        view.refresh()
        _ = view.root_height

    return milliseconds(scan, 100, settings.device), milliseconds(height, 100, settings.device)


def main() -> None:
    """Prints everything, one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--task", default="humanoid_walk_rough")
    parser.add_argument("--engine", choices=tuple(ENGINES), action="append")
    given = parser.parse_args()
    leave_cores_to_physics()
    task = load_task(given.task)
    began = time.perf_counter()
    rough = scene_settings(task, given.envs, given.device)
    assert rough.terrain is not None
    print(f"height field of {' x '.join(map(str, rough.terrain.heights.shape))}: {time.perf_counter() - began:.2f} s")
    began = time.perf_counter()
    points, faces = rough.terrain.mesh
    print(f"mesh of {len(points):,} points and {len(faces):,} triangles: {time.perf_counter() - began:.2f} s")
    scan, height = look_time(rough)
    print(f"{given.envs} environments: height scan {scan:.3f} ms, height above ground {height:.3f} ms")
    for engine in given.engine or ENGINES:
        for ground, settings in (("plane", replace(rough, terrain=None)), ("terrain", rough)):
            started, step = step_time(task, engine, settings)
            print(f"{engine} on a {ground}: starts in {started:.1f} s, {step:.2f} ms a control step", flush=True)


if __name__ == "__main__":
    main()
