"""The shared task in Isaac Lab's configuration classes; every number comes from the Task."""

from __future__ import annotations

import math

import isaaclab.envs.mdp as mdp
import isaaclab.sim as sim_utils
import isaaclab_tasks.core.velocity.mdp as velocity_mdp
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg, AssetBaseCfg
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import (
    EventTermCfg,
    ObservationGroupCfg,
    ObservationTermCfg,
    RewardTermCfg,
    SceneEntityCfg,
    TerminationTermCfg,
)
from isaaclab.physics import PhysicsCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sensors import ContactSensorCfg
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg
from isaaclab_newton.sim.schemas import NewtonArticulationCfg
from isaaclab_ov.physics import OvPhysxCfg
from isaaclab_physx.sim.schemas import PhysxArticulationCfg
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlOnPolicyRunnerCfg, RslRlPpoAlgorithmCfg

from benchmarks.vs_isaaclab.shared import NEWTON, PHYSX, PPO, ground_usd
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.task.schema import Task

ROBOT = SceneEntityCfg("robot")


def env_cfg(task: Task, robot: RobotDescription, engine: str, num_envs: int, device: str) -> ManagerBasedRLEnvCfg:
    """The environment's configuration for Isaac Lab's manager-based environment."""
    cfg = ManagerBasedRLEnvCfg()
    cfg.scene = _scene(task, robot, num_envs)
    cfg.observations = _Observations()
    cfg.actions = _Actions(
        joint_pos=mdp.JointPositionActionCfg(
            asset_name="robot", joint_names=[".*"], scale=task.control.scale, use_default_offset=True
        )
    )
    cfg.commands = _commands(task)
    cfg.rewards = _rewards(task, robot)
    cfg.terminations = _terminations(task, robot)
    cfg.events = _events(task)
    cfg.decimation, cfg.episode_length_s, cfg.seed = task.sim.decimation, task.episode_length_s, task.seed
    cfg.sim.dt, cfg.sim.render_interval, cfg.sim.device = task.sim.dt, task.sim.decimation, device
    cfg.sim.gravity = task.sim.gravity
    cfg.sim.physics_material = _material(task)
    cfg.sim.physics = _physics(engine)
    assert math.ceil(task.episode_length_s / (task.sim.dt * task.sim.decimation)) == task.max_episode_length
    return cfg


def _physics(engine: str) -> PhysicsCfg:
    if engine == "ovphysx":
        # Its default, external forces in every solver iteration, throws the robots into the air on the CPU.
        return OvPhysxCfg(enable_external_forces_every_iteration=False)
    solver = MJWarpSolverCfg(
        iterations=NEWTON["iterations"],
        ls_iterations=NEWTON["line_search_iterations"],
        nconmax=NEWTON["max_contacts"],
        njmax=NEWTON["max_constraints"],
        solver="newton",
        cone="pyramidal",
        impratio=1.0,
        integrator="implicitfast",
    )
    return NewtonCfg(solver_cfg=solver, num_substeps=1)


def _material(task: Task) -> sim_utils.RigidBodyMaterialCfg:
    scene = task.scene
    return sim_utils.RigidBodyMaterialCfg(
        static_friction=scene.static_friction,
        dynamic_friction=scene.dynamic_friction,
        restitution=scene.restitution,
    )


@configclass
class _Scene(InteractiveSceneCfg):
    ground: AssetBaseCfg | None = None
    robot: ArticulationCfg | None = None
    contact_forces = ContactSensorCfg(
        prim_path="{ENV_REGEX_NS}/Robot/[^/]*", history_length=1, track_air_time=True, force_threshold=1.0
    )


def _scene(task: Task, robot: RobotDescription, num_envs: int) -> InteractiveSceneCfg:
    joint = robot.joints[0]
    assert all(
        (j.stiffness, j.damping, j.armature) == (joint.stiffness, joint.damping, joint.armature) for j in robot.joints
    )
    ground = sim_utils.GroundPlaneCfg(usd_path=str(ground_usd()), physics_material=_material(task), color=None)
    spawn = sim_utils.UsdFileCfg(
        usd_path=task.robot.source,
        activate_contact_sensors=True,
        articulation_props=[
            PhysxArticulationCfg(
                enabled_self_collisions=task.sim.self_collision,
                solver_position_iteration_count=PHYSX["position_iterations"],
                solver_velocity_iteration_count=PHYSX["velocity_iterations"],
            ),
            NewtonArticulationCfg(self_collision_enabled=task.sim.self_collision),
        ],
    )
    drives = ImplicitActuatorCfg(
        joint_names_expr=[".*"],
        stiffness=joint.stiffness,
        damping=joint.damping,
        armature=joint.armature,
        friction=joint.friction,
        joint_effort_limit=joint.effort_limit,
        joint_velocity_limit=joint.velocity_limit,
    )
    start = ArticulationCfg.InitialStateCfg(pos=(0.0, 0.0, robot.standing_height), joint_pos={".*": joint.default})
    return _Scene(
        num_envs=num_envs,
        env_spacing=task.scene.spacing,
        ground=AssetBaseCfg(prim_path="/World/ground", spawn=ground, collision_group=-1),
        robot=ArticulationCfg(
            prim_path="{ENV_REGEX_NS}/Robot",
            spawn=spawn,
            init_state=start,
            actuators={"all": drives},
            soft_joint_pos_limit_factor=1.0,
        ),
    )


@configclass
class _Actions:
    joint_pos: mdp.JointPositionActionCfg | None = None


@configclass
class _Policy(ObservationGroupCfg):
    base_lin_vel = ObservationTermCfg(func=mdp.base_lin_vel)
    base_ang_vel = ObservationTermCfg(func=mdp.base_ang_vel)
    projected_gravity = ObservationTermCfg(func=mdp.projected_gravity)
    velocity_commands = ObservationTermCfg(func=mdp.generated_commands, params={"command_name": "velocity"})
    joint_pos = ObservationTermCfg(func=mdp.joint_pos_rel)
    joint_vel = ObservationTermCfg(func=mdp.joint_vel_rel)
    actions = ObservationTermCfg(func=mdp.last_action)

    def __post_init__(self) -> None:
        self.enable_corruption = False
        self.concatenate_terms = True


@configclass
class _Observations:
    policy: _Policy = _Policy()


@configclass
class _Commands:
    velocity: mdp.UniformVelocityCommandCfg | None = None


def _commands(task: Task) -> _Commands:
    command = task.commands["velocity"]
    assert command.resample_s is not None
    ranges = {name: tuple(command.params[name]) for name in ("lin_vel_x", "lin_vel_y", "ang_vel_z")}
    return _Commands(
        velocity=mdp.UniformVelocityCommandCfg(
            asset_name="robot",
            resampling_time_range=command.resample_s,
            rel_standing_envs=command.params["standing_share"],
            heading_command=False,
            debug_vis=False,
            ranges=mdp.UniformVelocityCommandCfg.Ranges(**ranges),
        )
    )


@configclass
class _Rewards:
    alive = RewardTermCfg(func=mdp.is_alive, weight=0.0)
    termination = RewardTermCfg(func=mdp.is_terminated, weight=0.0)
    track_lin_vel = RewardTermCfg(
        func=velocity_mdp.track_lin_vel_xy_yaw_frame_exp, weight=0.0, params={"command_name": "velocity", "std": 0.5}
    )
    track_ang_vel = RewardTermCfg(
        func=velocity_mdp.track_ang_vel_z_world_exp, weight=0.0, params={"command_name": "velocity", "std": 0.5}
    )
    single_stance = RewardTermCfg(
        func=velocity_mdp.feet_air_time_positive_biped, weight=0.0, params={"command_name": "velocity"}
    )
    feet_slide = RewardTermCfg(func=velocity_mdp.feet_slide, weight=0.0)
    ang_vel_xy = RewardTermCfg(func=mdp.ang_vel_xy_l2, weight=0.0)
    joint_deviation = RewardTermCfg(func=mdp.joint_deviation_l1, weight=0.0)
    joint_velocity = RewardTermCfg(func=mdp.joint_vel_l2, weight=0.0)
    effort = RewardTermCfg(func=mdp.joint_torques_l2, weight=0.0)
    action_rate = RewardTermCfg(func=mdp.action_rate_l2, weight=0.0)


def _rewards(task: Task, robot: RobotDescription) -> _Rewards:
    rewards, feet = _Rewards(), robot.with_role("foot")
    for name, section in task.rewards.items():
        getattr(rewards, name).weight = section.weight
    rewards.termination.weight /= task.control_dt  # per event, as ours counts it
    rewards.track_lin_vel.params["std"] = task.rewards["track_lin_vel"].params["std"]
    rewards.track_ang_vel.params["std"] = task.rewards["track_ang_vel"].params["std"]
    rewards.single_stance.params |= {
        "threshold": task.rewards["single_stance"].params["limit"],
        "sensor_cfg": SceneEntityCfg("contact_forces", body_names=feet),
    }
    rewards.feet_slide.params |= {
        "sensor_cfg": SceneEntityCfg("contact_forces", body_names=feet, preserve_order=True),
        "asset_cfg": SceneEntityCfg("robot", body_names=feet, preserve_order=True),
    }
    return rewards


@configclass
class _Terminations:
    time_out = TerminationTermCfg(func=mdp.time_out, time_out=True)
    fall_by_height: TerminationTermCfg | None = None
    fall_by_tilt: TerminationTermCfg | None = None


def _terminations(task: Task, robot: RobotDescription) -> _Terminations:
    height = task.terminations["fall_by_height"].params["share"] * robot.standing_height
    tilt = task.terminations["fall_by_tilt"].params["limit"]
    return _Terminations(
        fall_by_height=TerminationTermCfg(func=mdp.root_height_below_minimum, params={"minimum_height": height}),
        fall_by_tilt=TerminationTermCfg(func=mdp.bad_orientation, params={"limit_angle": tilt}),
    )


@configclass
class _Events:
    reset_base: EventTermCfg | None = None
    reset_joints: EventTermCfg | None = None


def _events(task: Task) -> _Events:
    yaw = tuple(task.randomisation["initial_root"].params["yaw"])
    offset = tuple(task.randomisation["initial_joint_pos"].params["offset"])
    return _Events(
        reset_base=EventTermCfg(
            func=mdp.reset_root_state_uniform,
            mode="reset",
            params={"pose_range": {"yaw": yaw}, "velocity_range": {}},
        ),
        reset_joints=EventTermCfg(
            func=mdp.reset_joints_by_offset,
            mode="reset",
            params={"position_range": offset, "velocity_range": (0.0, 0.0)},
        ),
    )


def runner_cfg(seed: int, device: str) -> RslRlOnPolicyRunnerCfg:
    """rsl_rl's configuration with the shared settings of PPO."""
    model = {"activation": PPO["activation"], "obs_normalization": PPO["normalise_observations"]}
    return RslRlOnPolicyRunnerCfg(
        seed=seed,
        device=device,
        num_steps_per_env=PPO["num_steps"],
        max_iterations=10**6,
        save_interval=10**6,
        experiment_name="humanoid_peer",
        obs_groups={"actor": ["policy"], "critic": ["policy"]},
        actor=RslRlMLPModelCfg(
            hidden_dims=PPO["actor_hidden"],
            distribution_cfg=RslRlMLPModelCfg.GaussianDistributionCfg(init_std=PPO["init_noise_std"]),
            **model,
        ),
        critic=RslRlMLPModelCfg(hidden_dims=PPO["critic_hidden"], **model),
        algorithm=RslRlPpoAlgorithmCfg(
            value_loss_coef=PPO["value_loss_coef"] / 2,
            use_clipped_value_loss=PPO["clip_value_loss"],
            clip_param=PPO["clip_range"],
            entropy_coef=PPO["entropy_coef"],
            num_learning_epochs=PPO["num_epochs"],
            num_mini_batches=PPO["num_minibatches"],
            learning_rate=PPO["learning_rate"],
            schedule=PPO["schedule"],
            gamma=PPO["gamma"],
            lam=PPO["gae_lambda"],
            desired_kl=PPO["desired_kl"],
            max_grad_norm=PPO["max_grad_norm"],
        ),
    )
