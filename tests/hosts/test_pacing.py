"""Frames come when there is something to see or to answer, and leave the rest to training."""

from __future__ import annotations

import pytest

from humanoid_rl_ext.hosts.pacing import Pacing, renders_in_software, scene_in_view, work_until


def test_a_cpu_draws_a_training_robot_about_a_dozen_times_a_second():
    pacing = Pacing(software=True)
    pacing.drawn(10.0)
    assert pacing.due("training") == pytest.approx(10.0 + 1 / 13)
    assert pacing.due("hidden") == pytest.approx(10.25)


def test_a_gpu_draws_it_thirty_times_a_second_and_a_played_one_sixty_times():
    pacing = Pacing(software=False)
    pacing.drawn(10.0)
    assert pacing.due("training") == pytest.approx(10.0 + 1 / 30)
    assert pacing.due("playing") == pytest.approx(10.0 + 1 / 60)


def test_an_input_is_answered_at_once_and_with_fast_frames_for_a_while():
    pacing = Pacing(software=True)
    pacing.drawn(10.0)
    pacing.input_arrived(10.02)
    assert pacing.due("training") <= 10.02 + 1 / 60
    pacing.drawn(10.1)
    assert pacing.interval("training") == pytest.approx(1 / 60)
    pacing.drawn(10.4)
    assert pacing.interval("training") == pytest.approx(1 / 30)
    pacing.drawn(11.0)
    assert pacing.interval("training") == pytest.approx(1 / 13)


def test_a_press_is_answered_before_any_work_and_a_movement_beside_it():
    pacing = Pacing(software=True)
    pacing.input_arrived(10.0)
    assert not pacing.answering(10.01)
    pacing.input_arrived(10.0, pressed=True)
    assert pacing.answering(10.1) and not pacing.answering(10.2)
    pacing.software = False
    assert not pacing.answering(10.1)


def test_work_goes_on_until_the_frame_is_due_and_stops_early_for_an_input():
    now, due, pieces = [0.0], [0.08], []

    def work(left: float) -> None:
        pieces.append(left)
        now[0] += 0.01
        if len(pieces) == 3:  # an input arrives
            due[0] = now[0]

    work_until(lambda: due[0], work, lambda: now[0])
    assert pieces == pytest.approx([0.08, 0.07, 0.06])


def test_what_is_seen_depends_on_the_state_and_on_what_is_open():
    assert scene_in_view("training", True) == "training"
    assert scene_in_view("training", False) == "hidden"
    assert scene_in_view("playing", True) == "playing"
    assert scene_in_view("paused", True) == "still"


def test_the_software_renderer_is_known_by_its_threads(tmp_path):
    for number, name in (("1", "python\n"), ("2", "llvmpipe-0\n")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "comm").write_text(name)
    assert renders_in_software(tmp_path)
    (tmp_path / "2" / "comm").write_text("worker\n")
    assert not renders_in_software(tmp_path)
