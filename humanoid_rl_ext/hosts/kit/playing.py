"""A policy on the robot that stands on the user's stage: the application steps physics, and after each step we act."""

from __future__ import annotations

from typing import Any

from isaacsim.core.simulation_manager import SimulationEvent, SimulationManager
from omni.timeline import get_timeline_interface

from humanoid_rl_ext.env.make import leave_cores_to_physics
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim.kit import KitEngine, KitRobot
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.train.player import Player, PlayPlan
from humanoid_rl_ext.train.watch import Watch

NEVER = 100_000.0
"""Seconds of an episode that is not to end by time: longer than anybody watches."""
DRIVES = ("stiffness", "damping", "effort_limit", "velocity_limit", "armature", "friction")
"""What the robot of the Task brings to the one on the stage, fields of ``Joint``."""


class StagePlayer(Player):
    """Acts once per control step of the Task, whatever the application's physics step is.

    A robot that falls is put back where it stood when playing began. Time is the timeline's.
    """

    def __init__(self, env: VecEnv, watch: Watch, engine: KitEngine, physics: KitRobot) -> None:
        """Takes the environment over and closes it with itself."""
        super().__init__(env, watch)
        self.on = physics.robot_paths[0]
        self._engine, self._physics = engine, physics
        self._error: Exception | None = None
        leave_cores_to_physics()
        self._act()
        self._waited = 0.0
        self._callback = SimulationManager.register_callback(self._on_step, SimulationEvent.PHYSICS_POST_STEP)

    def pump(self, seconds: float) -> None:
        """Raises what went wrong in a physics step; the work itself is done there."""
        if self._error is not None:
            raise self._error

    def step_once(self) -> None:
        """Lets the application's physics go on for one control step."""
        SimulationManager.step(steps=max(1, round(self.env.view.dt / self._physics.dt)))

    def pause(self) -> None:
        """Pauses the timeline."""
        super().pause()
        get_timeline_interface().pause()

    def resume(self) -> None:
        """Lets the timeline go on."""
        super().resume()
        get_timeline_interface().play()

    def close(self) -> None:
        """Lets go of the robot and stops the timeline."""
        SimulationManager.deregister_callback(self._callback)
        super().close()

    def _on_step(self, dt: float, context: Any) -> None:
        """After each physics step; Kit would log an exception and go on."""
        self._waited += dt
        if self._error is not None or self._waited < self.env.view.dt - 0.5 * dt:
            return
        self._waited = 0.0
        try:
            self._engine.refresh()
            self.env.end_step()
            self.watch.after_step()
            self._act()
        except Exception as error:
            self._error = error

    def _act(self) -> None:
        self.watch.act()
        self.env.begin_step(self._no_actions)
        self._engine.apply()


def open_stage_player(plan: PlayPlan, physics: KitRobot) -> StagePlayer:
    """A player on the robot of an opened ``KitRobot``.

    Raises:
        HumanoidRLError: when the robot on the stage has other joints or bodies, or the checkpoint does not fit.
    """
    engine = KitEngine(physics)
    try:
        give_drives(engine)
        env = VecEnv(undisturbed(plan.task), engine, reserved=1)
        return StagePlayer(env, Watch(env, plan.policy(env), plan.source), engine, physics)
    except BaseException:
        engine.close()
        raise


def undisturbed(task: Task) -> Task:
    """The Task without shoves, varied starts and a time limit: on a user's stage only the policy moves the robot."""
    return task.model_copy(update={"randomisation": {}, "episode_length_s": NEVER})


def give_drives(engine: KitEngine) -> None:
    """Sets gains, limits, armature and friction of all joints as the description has them."""
    import torch

    for field in DRIVES:
        name = f"joint_{field}"
        if name in engine.properties:
            values = [getattr(joint, field) for joint in engine.robot.joints]
            engine.set_property(name, torch.tensor([values], device=engine.device))
