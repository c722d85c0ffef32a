"""What the viewport shows, without a window: shapes, overlays, previews, and the environments of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from humanoid_rl_ext.env.snapshot import Snapshot
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.kinematics import Kinematics
from humanoid_rl_ext.robot.visuals import Visual, read_visuals
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.viewport import overlays
from humanoid_rl_ext.ui.viewport.model import ViewportModel
from humanoid_rl_ext.ui.viewport.overlays import Anatomy, Seen, Trail
from humanoid_rl_ext.ui.viewport.shapes import Surface
from humanoid_rl_ext.ui.viewport.sketch import Sketch, convex_hull, inside
from humanoid_rl_ext.ui.workbench import Workbench

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float32)
SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
TRIANGLES = np.array([(s[0], s[i], s[i + 1]) for s in SIDES for i in (1, 2)], dtype=np.int32)
AT_ORIGIN = np.array([[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]])


def cube(edge: float, colour: tuple[float, float, float] = (1.0, 0.5, 0.0)) -> Visual:
    return Visual(0, CUBE * edge / 2, TRIANGLES, colour)


class QuietHost:
    """A host without a window."""

    def interacted(self) -> None: ...
    def setting(self, name: str, default: object = None) -> object:
        return default

    def remember(self, name: str, value: object) -> None: ...


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    draft = Draft.load("walker_run")
    for path, value in (("run.num_envs", 3), ("run.device", "cpu"), ("run.save_interval", 1000)):
        draft.edit(path, value)
    workbench = Workbench(QuietHost(), draft)  # type: ignore[arg-type]
    yield workbench
    workbench.close()


def pump_until(bench: Workbench, condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end, bench.message
        bench.pump(0.005)


def test_a_cube_shows_three_sides_as_quadrilaterals_and_the_lit_one_is_brightest():
    faces = Surface([cube(0.1)]).seen(AT_ORIGIN, np.array([2.0, -2.0, 2.0]))
    assert faces.counts.tolist() == [4, 4, 4]
    red = faces.colours[::4] & 0xFF
    tops = [faces.positions[faces.corners[4 * side : 4 * side + 4], 2].min() for side in range(3)]
    assert int(np.argmax(red)) == int(np.argmax(tops))


def test_a_turned_body_shows_its_other_sides():
    flipped = np.array([[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]])  # half a turn about x
    surface = Surface([cube(0.1)])
    top = surface.seen(flipped, np.array([0.0, 0.0, 5.0]))
    assert top.counts.tolist() == [4]
    assert surface.points[top.corners, 2] == pytest.approx([-0.05] * 4)
    assert top.positions[top.corners, 2] == pytest.approx([1.05] * 4)


def test_what_lies_inside_another_piece_is_left_out():
    assert len(Surface([cube(0.1), cube(0.04)]).faces) == len(Surface([cube(0.1)]).faces)


def test_a_long_side_is_split_so_that_it_is_sorted_in_parts():
    assert len(Surface([cube(0.5)]).faces) > 6


def test_the_hull_of_a_square_of_feet_is_the_square():
    square = [[0, 0], [1, 0], [1, 1], [0, 1]]
    hull = convex_hull([*square, [0.5, 0.5], [0.5, 0.0], [0.2, 0.9]])
    assert sorted(map(tuple, hull.tolist())) == sorted(map(tuple, square))
    assert inside([0.5, 0.5], hull) and not inside([1.1, 0.5], hull)


def seen(name: str = "humanoid", **fields: object) -> Seen:
    """A robot that stands, seen by the overlays."""
    robot = load_robot(name)
    kinematics = Kinematics(robot)
    base = [0.0, 0.0, robot.standing_height]
    poses = kinematics.body_poses(base, robot.standing_rotation, kinematics.default_positions)
    snapshot = Snapshot(np.concatenate(poses, axis=1), np.zeros(3), **fields)  # type: ignore[arg-type]
    return Seen(Anatomy(robot, read_visuals(robot)), snapshot, Trail())


def drawn(overlay: Callable[[Sketch, Seen], None], view: Seen) -> Sketch:
    sketch = Sketch(np.array([3.0, 0.0, 1.0]))
    overlay(sketch, view)
    return sketch


def test_a_standing_humanoid_is_balanced_on_the_outline_of_both_soles():
    sketch = drawn(overlays.balance, seen())
    outline = sketch.areas[0].corners
    assert np.ptp(outline[:, 1]) == pytest.approx(0.18 + 0.1, abs=0.03)
    assert sketch.dots[-1].colour == overlays.SAFE


def test_a_robot_in_the_air_is_not_balanced():
    view = seen()
    view.snapshot.body_pose[:, 2] += 0.5
    sketch = drawn(overlays.balance, view)
    assert not sketch.areas and sketch.dots[-1].colour == overlays.UNSAFE


def test_half_the_weight_is_an_arrow_of_a_quarter_metre_from_the_sole_upwards():
    force = np.zeros((22, 3))
    robot = load_robot("humanoid")
    foot = robot.body_names.index("left_foot")
    force[foot, 2] = 0.5 * 45.0 * overlays.GRAVITY
    sketch = drawn(overlays.contacts, seen(contact_force=force))
    assert len(sketch.lines) == 1
    assert sketch.lines[0].start[2] == pytest.approx(0.0, abs=0.01)
    assert sketch.areas[0].corners[0, 2] - sketch.lines[0].start[2] == pytest.approx(0.25)


def test_a_commanded_velocity_points_along_the_heading():
    fields = {"base_velocity": np.zeros(6), "commands": {"velocity": np.array([1.0, 0.0, 0.0])}}
    sketch = drawn(overlays.velocity, seen(**fields))
    assert len(sketch.areas) == 1  # no arrow for a robot that stands still
    tip = sketch.areas[0].corners[0]
    assert tip - sketch.lines[0].start == pytest.approx([overlays.SPEED_LENGTH, 0.0, 0.0], abs=1e-6)


def test_a_joint_at_its_limit_is_red_and_sits_where_the_joint_is():
    robot = load_robot("humanoid")
    effort = np.zeros(21)
    knee = robot.joint_names.index("left_knee")
    effort[knee] = -robot.joints[knee].effort_limit
    view = seen(joint_effort=effort)
    sketch = drawn(overlays.torques, view)
    assert sketch.dots[1].colour == overlays.share_colour(1.0)
    shank = robot.body_names.index("left_shank")
    assert sketch.dots[1].centre == pytest.approx(view.snapshot.body_pose[shank, :3], abs=1e-6)


def test_a_target_is_drawn_where_it_is():
    sketch = drawn(overlays.target, seen(commands={"target": np.array([1.0, 2.0, 0.8])}))
    assert sketch.dots[0].centre == pytest.approx([1.0, 2.0, 0.8])


def test_a_trail_forgets_what_is_old_and_what_was_before_a_reset():
    trail = Trail()
    for time_s in (0.0, 1.0, 2.5):
        trail.add(time_s, np.full((2, 3), time_s))
    assert [time_s for time_s, _ in trail.points] == [1.0, 2.5]
    view = Seen(seen().anatomy, seen().snapshot, trail)
    assert len(drawn(overlays.trajectory, view).lines) == 2
    trail.add(0.1, np.zeros((2, 3)))
    assert len(trail.points) == 1


def test_a_preview_shows_the_standing_robot_and_bends_its_joints(bench):
    model = ViewportModel(bench)
    assert model.caption == "reading the robot"
    pump_until(bench, model.look)
    assert "preview without physics" in model.caption
    first = model.look().snapshot.body_pose.copy()
    assert first[0, 2] == pytest.approx(bench.robot.standing_height)
    joint = bench.robot.joints[0]
    model.set_preview_joint(joint.name, joint.default + 0.3)
    moved = model.look().snapshot.body_pose
    child = bench.robot.body_names.index(joint.child)
    assert not np.allclose(moved[child], first[child])
    model.clear_preview()
    assert model.look().snapshot.body_pose == pytest.approx(first)
    model.destroy()


def test_where_somebody_else_draws_only_what_was_posed_or_is_at_work_is_shown(bench):
    model = ViewportModel(bench, only_posed=True)
    pump_until(bench, lambda: bench.robot is not None)
    assert model.look() is None and not model.previewing and model.caption == ""
    joint = bench.robot.joints[0]
    model.set_preview_joint(joint.name, joint.default + 0.3)
    pump_until(bench, model.look)
    assert model.previewing and "preview" in model.caption
    bench.start()
    pump_until(bench, lambda: bench.session is not None)
    assert not model.previewing and not model.idle
    pump_until(bench, model.look)
    assert model.env is bench.session.env and model.caption.startswith("watched environment")
    model.destroy()


def test_arrow_heads_are_drawn_for_the_eye_that_looks(bench):
    model = ViewportModel(bench)
    pump_until(bench, model.look)
    model.overlays.add("balance")
    eye = np.array([1.0, 2.0, 3.0])
    assert model.sketch(model.seen, eye).eye is eye
    model.destroy()


def test_an_edited_joint_keeps_the_picture_and_moves_the_pose(bench):
    model = ViewportModel(bench)
    pump_until(bench, model.look)
    before = model.look().snapshot.body_pose
    joint, old = bench.robot.joints[1], bench.robot
    bench.edit("robot.joints", {joint.name: {"default": joint.default + 0.2}})
    pump_until(bench, lambda: bench.robot is not old)
    assert not np.allclose(model.look().snapshot.body_pose, before)
    model.destroy()


def test_another_robot_is_framed_anew(bench):
    model = ViewportModel(bench)
    pump_until(bench, model.look)
    near = model.camera.distance
    bench.set_robot("cartpole")
    pump_until(bench, lambda: model.look() and model.robot.name == "cartpole" and model.surface is not None)
    assert model.camera.distance > near
    model.destroy()


def test_environments_of_a_run_can_be_picked_and_are_followed(bench):
    model = ViewportModel(bench)
    pump_until(bench, model.look)
    bench.start()
    pump_until(bench, lambda: bench.session is not None and bench.session.env_steps > 0)
    pump_until(bench, lambda: model.look() and model.env is not None)
    env = bench.session.env
    assert model.index == bench.session.watched_env == env.num_envs
    assert model.caption.startswith("watched environment")
    model.choose(1)
    assert "environment 1 of 3, training policy, t " in model.caption
    shown = model.look().snapshot
    assert shown.body_pose == pytest.approx(env.engine.state.body_pose[1].numpy())
    assert np.linalg.norm(model.camera.target[:2] - shown.body_pose[0, :2]) < 1.0
    model.choose(99)
    assert model.index == model.num_envs - 1
    model.pause_or_resume()
    assert bench.state == "paused" and model.paused
    model.pause_or_resume()
    assert bench.state == "training"
    model.set_speed(0.25)
    assert bench.slow_motion == 0.25
    model.destroy()
