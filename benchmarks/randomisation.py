"""What randomisation and sensing add to a step of ``humanoid_walk``: CPU time of this process, whoever else is at work.

python benchmarks/randomisation.py --engine ovphysx --envs 256
"""

from __future__ import annotations

import argparse
import json
import time

import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.task.loading import load_task

QUANTITIES = (
    "initial_joint_pos: {}, mass: {}, centre_of_mass: {}, friction: {}, joint_stiffness: {}, joint_damping: {}, "
    "motor_strength: {}, action_delay: {}, action_noise: {}, push: {}"
)
FORCES = "gravity: {}, external_force: {}"
"""What PhysX gets in every sub-step."""
MEASURED = ("root_lin_vel", "root_ang_vel", "projected_gravity", "joint_pos", "joint_vel")
SENSING = [
    f"observations.policy.{name}.{field}"
    for name in MEASURED
    for field in ("noise=0.01", "bias=0.01", "history=4", "delay_s=[0.0, 0.02]")
]
VARIANTS: dict[str, list[str]] = {
    "plain": [],
    "sensing": SENSING,
    "randomised": [f"randomisation={{{QUANTITIES}}}"],
    "and gravity, forces": [f"randomisation={{{QUANTITIES}, {FORCES}}}"],
    "and sensing": [f"randomisation={{{QUANTITIES}, {FORCES}}}", *SENSING],
    "and joint friction": [f"randomisation={{{QUANTITIES}, {FORCES}, joint_friction: {{}}}}", *SENSING],
}


def milliseconds(engine: str, num_envs: int, overrides: list[str], steps: int, rounds: int) -> float:
    """CPU time of a step with zero actions, the least of so many rounds."""
    env = make_env(load_task("humanoid_walk", overrides), num_envs=num_envs, engine=engine, seed=1)
    assert isinstance(env, VecEnv)
    try:
        env.reset()
        actions = torch.zeros(num_envs, env.spec.action.size)
        taken = []
        for _ in range(rounds + 1):
            began = time.process_time()
            for _ in range(steps):
                env.step(actions)
            taken.append((time.process_time() - began) / steps)
        return 1e3 * min(taken[1:])
    finally:
        env.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="ovphysx")
    parser.add_argument("--envs", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=4)
    args = parser.parse_args()
    found = {}
    for name, overrides in VARIANTS.items():
        found[name] = round(milliseconds(args.engine, args.envs, overrides, args.steps, args.rounds), 2)
        print(f"{name}: {found[name]:.2f} ms, {found[name] / found['plain']:.2f} times plain", flush=True)
    print(json.dumps({"engine": args.engine, "num_envs": args.envs, "cpu_ms_per_step": found}))


if __name__ == "__main__":
    main()
