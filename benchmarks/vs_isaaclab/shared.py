"""What both sides are given: robot, ground, task, learning settings, and the sides themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from humanoid_rl_ext.home import cache_folder
from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.task.schema import Task

TASK = Path(__file__).with_name("task.yaml")

NEWTON = {"iterations": 100, "line_search_iterations": 50, "max_contacts": 40, "max_constraints": 200}
"""MuJoCo-Warp at the peer's settings, in our names."""
PHYSX = {"position_iterations": 4, "velocity_iterations": 0}
"""PhysX at the peer's settings."""

PPO: dict[str, Any] = {
    "num_steps": 24,
    "num_epochs": 5,
    "num_minibatches": 4,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "clip_range": 0.2,
    "clip_value_loss": True,
    "value_loss_coef": 2.0,  # of half the squared error, so 1 in rsl_rl, which does not halve it
    "entropy_coef": 0.01,
    "learning_rate": 1e-3,
    "schedule": "adaptive",
    "desired_kl": 0.01,
    "max_grad_norm": 1.0,
    "adam_eps": 1e-8,
    "actor_hidden": [512, 256, 128],
    "critic_hidden": [512, 256, 128],
    "activation": "elu",
    "init_noise_std": 1.0,
    "min_noise_std": 0.01,
    "normalise_observations": True,
    "observation_clip": 100.0,
    "normalise_advantage": True,
    "normalise_reward": False,
}
"""Settings of PPO in our names."""

GROUND = """#usda 1.0
(
    defaultPrim = "Ground"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "Ground"
{
    def Plane "Plane" (prepend apiSchemas = ["PhysicsCollisionAPI"])
    {
        uniform token axis = "Z"
    }
}
"""


@dataclass(frozen=True, slots=True)
class Side:
    """One stack on one engine."""

    stack: Literal["isaaclab", "ours"]
    engine: Literal["newton", "ovphysx"]
    peer_settings: bool = True
    """Whether ours takes the peer's solver settings, or its own defaults."""
    warp_frontend: bool = False
    """Whether Isaac Lab runs its experimental Warp front end."""
    mixed_precision: bool = True
    """Whether ours takes gradients in bfloat16."""
    title: str = ""


SIDES = {
    "isaaclab-newton": Side("isaaclab", "newton", title="Isaac Lab + rsl_rl, Newton"),
    "isaaclab-newton-warp": Side(
        "isaaclab", "newton", warp_frontend=True, title="Isaac Lab + rsl_rl, Newton, experimental Warp front end"
    ),
    "isaaclab-ovphysx": Side("isaaclab", "ovphysx", title="Isaac Lab + rsl_rl, ovphysx"),
    "ours-newton": Side("ours", "newton", title="Humanoid RL, Newton, at the peer's settings"),
    "ours-newton-tf32": Side(
        "ours", "newton", mixed_precision=False, title="Humanoid RL, Newton, at the peer's settings, gradients in TF32"
    ),
    "ours-newton-default": Side("ours", "newton", False, title="Humanoid RL, Newton, own defaults"),
    "ours-ovphysx": Side("ours", "ovphysx", title="Humanoid RL, ovphysx, at the peer's settings"),
    "ours-ovphysx-default": Side("ours", "ovphysx", False, title="Humanoid RL, ovphysx, own defaults"),
}


class Bench(Protocol):
    """A started side: what the worker measures."""

    def first_step(self) -> None:
        """One step of training with the policy."""

    def restart(self) -> None:
        """Puts all robots back to a start."""

    def step_physics(self, targets: Any) -> None:
        """Physics alone: one control step for each of (steps, num_envs, joints) targets (rad), contacts read."""

    def step_env(self, actions: Any) -> None:
        """The whole environment: one step for each of (steps, num_envs, joints) actions, resets included."""

    def learn(self, iterations: int) -> None:
        """PPO, end to end."""

    def finite(self) -> bool:
        """Whether observations and state are finite."""

    def stand(self, steps: int) -> dict[str, list[float]]:
        """Means over the robots after each step of standing still (see ``standing.judge``)."""

    def train(self, seed: int, iterations: int, save: str | None) -> None:
        """Learns anew with a seed, and stores the policy in a file."""

    def evaluate(self, policy: str | None) -> dict[str, float]:
        """Mean return and length of one whole episode in each environment, best actions; own policy or a stored one."""


def robot_usd() -> Path:
    """The shared robot's file, written once: Newton's humanoid without its collision groups, every joint with a drive.

    Five joints come without one, and through Isaac Lab's ovphysx they stay limp, whatever gains they are given.
    """
    path = cache_folder("benchmarks") / "humanoid_peer.usda"
    if not path.exists():
        from pxr import Usd, UsdPhysics

        package = find_spec("newton")
        assert package is not None and package.origin is not None
        stage = Usd.Stage.Open(str(Path(package.origin).parent / "examples" / "assets" / "humanoid.usda"))
        for prim in [prim.GetPath() for prim in stage.Traverse() if prim.IsA(UsdPhysics.CollisionGroup)]:
            stage.RemovePrim(prim)
        for prim in stage.Traverse():
            if prim.IsA(UsdPhysics.RevoluteJoint) and not prim.HasAPI(UsdPhysics.DriveAPI, "angular"):
                UsdPhysics.DriveAPI.Apply(prim, "angular").CreateTypeAttr("force")
        stage.GetRootLayer().Export(str(path))
    return path


def ground_usd() -> Path:
    """A plane for Isaac Lab, whose own comes from a server."""
    path = cache_folder("benchmarks") / "ground.usda"
    path.write_text(GROUND, encoding="ascii")
    return path


def physics_overrides(side: Side) -> list[str]:
    """What turns our default solver settings into the peer's, as overrides of the Task."""
    if not side.peer_settings:
        return []
    settings = NEWTON if side.engine == "newton" else PHYSX
    return [f"sim.{side.engine}.{name}={value}" for name, value in settings.items()]


def shared_task(overrides: Sequence[str] = ()) -> Task:
    """The Task both sides learn, on the shared robot."""
    return load_task(TASK, [f"robot.source={robot_usd()}", *overrides])
