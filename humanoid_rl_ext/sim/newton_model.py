"""N copies of one robot as a Newton model with its MuJoCo-Warp solver, from the same USD text that PhysX loads."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import warp as wp

wp.config.log_level = wp.LOG_WARNING  # before Warp starts: its banner would go to standard output

import newton  # noqa: E402
from newton.solvers import SolverMuJoCo  # noqa: E402
from pxr import Usd  # noqa: E402

from humanoid_rl_ext.errors import EngineError  # noqa: E402
from humanoid_rl_ext.robot.description import RobotDescription  # noqa: E402
from humanoid_rl_ext.sim import scene  # noqa: E402
from humanoid_rl_ext.sim.contact_material import on_ground  # noqa: E402
from humanoid_rl_ext.sim.engine import SceneSettings  # noqa: E402
from humanoid_rl_ext.sim.newton_terrain import CONTACTS_PER_SHAPE, LEAST_CONTACTS, TerrainContacts, add_terrain  # noqa: E402
from humanoid_rl_ext.sim.ordering import Ordering, canonical_names, match  # noqa: E402

UNLIMITED = 1e6
"""Limit (rad, m) that stands for none: MuJoCo gives a joint whose limits are infinite no limit that could be set."""

NO_EFFORT_LIMIT = 1e9
ROBOT_GROUP, GROUND_GROUP = -1, 1
"""Newton's collision groups: members of a negative group touch everything but each other. A team's robots have -1, -2,
and so on."""

PLANE_CONTACTS = {"SPHERE": 1, "ELLIPSOID": 1, "CAPSULE": 2, "BOX": 8}
"""Contact points that a shape can have with a plane; 4 for the others (cylinders, cones, hulls of meshes)."""
CLEAR_OF_THE_GROUND = 10.0
"""Height (m) at which robots are built: contacts they have then would widen the room for contacts."""
SELF_CONTACTS = 16
"""Contact points that the robot's own bodies are expected to have with each other at a time."""
TEAM_CONTACTS = 24
"""Contact points that each robot of a team is expected to have with the others at a time."""
ROWS_PER_CONTACT = 4
"""A contact with friction is a pyramid of four edges."""


@dataclass(slots=True)
class NewtonModel:
    """A model, its solver, and how their layouts relate to the description's order."""

    model: Any
    solver: Any
    state: Any
    floating: bool
    joint_order: Ordering | None
    """Between the model's degrees of freedom behind the base and the described joints; None where they agree."""
    body_order: Ordering | None
    colliders: torch.Tensor
    """(shapes,) int64 described body of each collider of the robot, on the device."""
    friction: torch.Tensor
    """(shapes,) friction of each collider's own material, on the device."""
    terrain: TerrainContacts | None
    """Who detects contacts on uneven ground; on a plane MuJoCo does it itself."""

    def advance(self, dt: float) -> None:
        """One sub-step (s)."""
        contacts = None if self.terrain is None else self.terrain.detect(self.state)
        self.solver.step(self.state, self.state, None, contacts, dt)


def build(description: RobotDescription, settings: SceneSettings, device: torch.device) -> NewtonModel:
    """All copies of the robot at the world's origin in the description's zero pose, and the ground.

    Raises:
        EngineError: when Newton cannot load the robot, or holds other joints or bodies than the description.
    """
    scene.check_teams(settings)
    try:
        with _quietly():
            robot = _read(description, settings)
            joint_names, dofs = _dof_names(robot, description)
            body_names = _body_names(robot, description)
            joints = match("joints", joint_names, description.joint_names, device)
            bodies = match("bodies", body_names, description.body_names, device)
            _describe_joints(robot, description, joint_names, dofs)
            _describe_bodies(robot, description, body_names)
            friction = torch.tensor(robot.shape_material_mu, dtype=torch.float32, device=device)
            _describe_contact(robot, description, settings, body_names)
            place = {name: index for index, name in enumerate(description.body_names)}
            owners = [place[body_names[body]] for body in robot.shape_body]
            colliders = torch.tensor(owners, dtype=torch.int64, device=device)
            model, solver, state = _start(robot, settings, device)
            terrain = None
            if settings.terrain is not None:
                terrain = TerrainContacts(model, settings.num_envs, solver.mjw_data.naconmax // settings.num_envs)
    except (ValueError, RuntimeError, KeyError, NotImplementedError) as error:
        raise EngineError(f"Newton cannot build {description.name}: {str(error).strip().splitlines()[0]}") from error
    return NewtonModel(model, solver, state, not description.fixed_base, joints, bodies, colliders, friction, terrain)


def add_ground(builder: Any, settings: SceneSettings) -> None:
    """Adds the ground that all environments share, once the robots are in."""
    config = newton.ModelBuilder.ShapeConfig(
        mu=settings.dynamic_friction, gap=0.0, margin=0.0, collision_group=GROUND_GROUP
    )
    if settings.terrain is None:
        builder.add_ground_plane(cfg=config, label=scene.GROUND)
    else:
        add_terrain(builder, settings.terrain, config, scene.GROUND)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Newton prints and warns about what it does not understand; the description decides, not the file."""
    import warnings

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _read(description: RobotDescription, settings: SceneSettings) -> Any:
    """A builder with one robot; what the file says about contact and MuJoCo beyond shapes is left out."""
    text = scene.compose(description, replace(settings, ground=False, team_size=1))
    stage = Usd.Stage.CreateInMemory()
    stage.GetRootLayer().ImportFromString(text)
    robot = newton.ModelBuilder()
    robot.add_usd(
        stage,
        root_path="/World",
        xform=wp.transform((0.0, 0.0, 0.0 if description.fixed_base else CLEAR_OF_THE_GROUND), (0.0, 0.0, 0.0, 1.0)),
        joint_ordering="bfs",
        only_load_enabled_rigid_bodies=True,
        load_sites=False,
        load_visual_shapes=False,
        load_static_visual_shapes=False,
        skip_mesh_approximation=True,
        parse_mujoco_options=False,
        convert_mjc_equality_constraints=False,
    )
    return robot


def _relative(label: str) -> str:
    return label.removeprefix(scene.ROBOT).removeprefix("/")


def _dof_names(robot: Any, description: RobotDescription) -> tuple[list[str], list[int]]:
    """Names in the description's spelling and indices of the degrees of freedom behind the base, in Newton's order."""
    names, dofs = [], []
    for index, label in enumerate(robot.joint_label):
        if robot.joint_type[index] == newton.JointType.FREE:
            continue
        name, start, count = label.rpartition("/")[2], robot.joint_qd_start[index], sum(robot.joint_dof_dim[index])
        for dof in range(start, start + count):
            along = [abs(part) for part in robot.joint_axis[dof]]
            axis = along.index(max(along))
            names.append(name if count == 1 else f"{name}:{axis}")
            dofs.append(dof)
    return canonical_names(names, description.joint_names), dofs


def _body_names(robot: Any, description: RobotDescription) -> list[str]:
    name_at = {body.path: body.name for body in description.bodies}
    return [name_at.get(_relative(label), label.rpartition("/")[2]) for label in robot.body_label]


def _describe_joints(robot: Any, description: RobotDescription, names: Sequence[str], dofs: Sequence[int]) -> None:
    joint_of = {joint.name: joint for joint in description.joints}
    for name, dof in zip(names, dofs, strict=True):
        joint = joint_of[name]
        robot.joint_target_mode[dof] = int(newton.JointTargetMode.POSITION)
        robot.joint_target_ke[dof], robot.joint_target_kd[dof] = joint.stiffness, joint.damping
        robot.joint_armature[dof] = joint.armature
        robot.joint_friction[dof] = joint.friction
        robot.joint_damping[dof] = joint.passive_damping
        robot.joint_limit_lower[dof] = max(joint.lower, -UNLIMITED)
        robot.joint_limit_upper[dof] = min(joint.upper, UNLIMITED)
        robot.joint_limit_ke[dof] = robot.joint_limit_kd[dof] = 0.0  # MuJoCo's own: critically damped, see the docs
        robot.joint_effort_limit[dof] = NO_EFFORT_LIMIT  # written with the gains, see newton_properties


def _describe_bodies(robot: Any, description: RobotDescription, names: Sequence[str]) -> None:
    body_of = {body.name: body for body in description.bodies}
    for index, name in enumerate(names):
        body = body_of[name]
        xx, yy, zz, xy, xz, yz = body.inertia
        robot.body_mass[index] = body.mass
        robot.body_com[index] = wp.vec3(*body.com)
        robot.body_inertia[index] = wp.mat33(xx, xy, xz, xy, yy, yz, xz, yz, zz)


def _describe_contact(
    robot: Any, description: RobotDescription, settings: SceneSettings, body_names: Sequence[str]
) -> None:
    """Everything may touch the ground; of the robot's bodies, the described pairs may touch where asked for."""
    shapes = range(robot.shape_count)
    for shape in shapes:
        robot.shape_collision_group[shape] = GROUND_GROUP if settings.self_collision else ROBOT_GROUP
        robot.shape_gap[shape] = robot.shape_margin[shape] = 0.0
        # MuJoCo takes the robot's friction alone, which has priority: it is told what the contact has.
        robot.shape_material_mu[shape] = on_ground("dynamic_friction", robot.shape_material_mu[shape], settings)
    if settings.self_collision:
        allowed = {frozenset(pair) for pair in description.self_collision_pairs}
        for a in shapes:
            for b in range(a + 1, robot.shape_count):
                pair = frozenset(body_names[robot.shape_body[shape]] for shape in (a, b))
                if pair not in allowed:
                    robot.add_shape_collision_filter_pair(a, b)


def _start(robot: Any, settings: SceneSettings, device: torch.device) -> tuple[Any, Any, Any]:
    """Model, solver and state of all copies."""
    builder = newton.ModelBuilder()
    SolverMuJoCo.register_custom_attributes(builder)
    # Without an offset: the first reset puts the copies where they belong, for a fraction of the price.
    builder.replicate(robot if settings.team_size == 1 else _team(robot, settings), settings.num_scenes)
    if settings.ground:
        add_ground(builder, settings)
    model = builder.finalize(device=str(device))
    wp.to_torch(model.gravity)[:] = torch.tensor(settings.gravity)
    contacts, rows = _capacity(robot, settings)
    solver = SolverMuJoCo(
        model,
        separate_worlds=True,
        use_mujoco_contacts=settings.terrain is None,
        njmax=rows,
        nconmax=contacts,
        iterations=settings.newton.iterations,
        ls_iterations=settings.newton.line_search_iterations,
        integrator="implicitfast",
        include_sites=False,
    )
    solver.mjw_model.opt.warn_overflow = False  # the engine looks for itself, see newton_overflow
    wp.to_torch(solver.mjw_model.geom_priority)[:] = torch.as_tensor(solver.mj_model.geom_bodyid > 0).to(device)
    state = model.state()
    newton.eval_fk(model, model.joint_q, model.joint_qd, state)
    return model, solver, state


def _team(robot: Any, settings: SceneSettings) -> Any:
    """A builder with all robots of one world, far from each other as yet."""
    team = newton.ModelBuilder()
    for mate in range(settings.team_size):
        if not settings.self_collision:
            robot.shape_collision_group[:] = [ROBOT_GROUP - mate] * robot.shape_count
        place = wp.transform((0.0, mate * CLEAR_OF_THE_GROUND, 0.0), (0.0, 0.0, 0.0, 1.0))
        team.add_builder(robot, xform=place, label_prefix=f"mate_{mate}")
    return team


def _capacity(robot: Any, settings: SceneSettings) -> tuple[int, int]:
    """Contact points and constraint rows of one world: all that its shapes and joints can make."""
    robots = settings.team_size
    if settings.terrain is None:
        on_ground = sum(PLANE_CONTACTS.get(newton.GeoType(kind).name, 4) for kind in robot.shape_type)
    else:
        on_ground = max(LEAST_CONTACTS, CONTACTS_PER_SHAPE * robot.shape_count)
    each = on_ground * settings.ground + SELF_CONTACTS * settings.self_collision + TEAM_CONTACTS * (robots > 1)
    contacts = settings.newton.max_contacts or max(1, robots * each)
    rows = ROWS_PER_CONTACT * contacts + 2 * robots * robot.joint_dof_count + 8  # a joint: its limit and its friction
    return contacts, settings.newton.max_constraints or rows
