"""PhysX on this machine: environment sub-steps per second, and whether robots survive random targets.

    ./hrl python benchmarks/physics.py [--rounds 5]

Prints the two tables of docs/physics.md. Run it on free cores.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.engine import Engine, SceneSettings
from humanoid_rl_ext.sim.engines import make_engine

SUBSTEPS = 4


def random_targets(engine: Engine, share: float, generator: torch.Generator) -> torch.Tensor:
    """(num_envs, joints) positions uniform over the middle ``share`` of each joint's range."""
    lower, upper = engine.get_property("joint_limits").view(engine.num_envs, -1, 2).unbind(-1)
    place = 0.5 + share * (torch.rand(lower.shape, generator=generator) - 0.5)
    return lower + (upper - lower) * place


def throughput(robot: str, num_envs: int, iterations: int, rounds: int) -> float:
    """Median environment sub-steps per second: new targets, four sub-steps, all state and contacts read."""
    engine = make_engine("ovphysx", load_robot(robot), SceneSettings(num_envs, position_iterations=iterations))
    try:
        generator = torch.Generator().manual_seed(0)
        targets = [random_targets(engine, 0.4, generator) for _ in range(8)]
        steps, rates = max(4, 6000 // num_envs), []
        for round_ in range(rounds + 1):
            start = time.perf_counter()
            for index in range(steps):
                engine.set_targets("position", targets[index % 8])
                engine.step(SUBSTEPS)
                engine.read_contacts()
            if round_:  # the first is warm-up
                rates.append(num_envs * SUBSTEPS * steps / (time.perf_counter() - start))
        return statistics.median(rates)
    finally:
        engine.close()


def survival(robot: str, dt: float, num_envs: int = 32, substeps: int = 1000) -> tuple[int, float, float, float]:
    """Environments that went non-finite, fastest body (m/s, rad/s) and joint (rad/s); targets over the full range."""
    engine = make_engine("ovphysx", load_robot(robot), SceneSettings(num_envs, dt=dt, contacts=False))
    try:
        generator, state = torch.Generator().manual_seed(0), engine.state
        broken = torch.zeros(num_envs, dtype=torch.bool)
        fastest = [0.0, 0.0, 0.0]
        for index in range(substeps // 5):
            if index % 2 == 0:
                engine.set_targets("position", random_targets(engine, 1.0, generator))
            engine.step(5)
            broken |= ~state.body_velocity.flatten(1).isfinite().all(1)
            speeds = (
                state.body_velocity[..., :3].norm(dim=-1),
                state.body_velocity[..., 3:].norm(dim=-1),
                state.joint_vel.abs(),
            )
            fastest = [max(known, speed.max().item()) for known, speed in zip(fastest, speeds, strict=True)]
        return int(broken.sum()), *fastest
    finally:
        engine.close()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print("| robot | environments | 4/1 iterations | 8/1 iterations |\n|---|---|---|---|")
    for robot in ("walker", "humanoid"):
        for num_envs in (64, 128, 256):
            rates = [throughput(robot, num_envs, iterations, rounds) for iterations in (4, 8)]
            print(f"| {robot} | {num_envs} | {rates[0] / 1e3:.1f} k | {rates[1] / 1e3:.1f} k |", flush=True)
    print("\n| robot | dt | non-finite | fastest body | fastest joint |\n|---|---|---|---|---|")
    for robot in ("humanoid", "walker"):
        for rate in (120, 200):
            lost, linear, angular, joint = survival(robot, 1 / rate)
            print(
                f"| {robot} | 1/{rate} s | {lost} of 32 | {linear:.1f} m/s, {angular:.0f} rad/s | {joint:.0f} rad/s |"
            )


if __name__ == "__main__":
    main()
