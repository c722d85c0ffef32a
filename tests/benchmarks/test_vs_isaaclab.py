"""What the comparison with Isaac Lab makes of its measurements, and the task that both sides are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.vs_isaaclab import processes, report
from benchmarks.vs_isaaclab.policy_file import axes, load_policy, save_policy
from benchmarks.vs_isaaclab.processes import Plan, measure
from benchmarks.vs_isaaclab.shared import PPO, SIDES, TASK, robot_usd, shared_task
from benchmarks.vs_isaaclab.standing import judge
from humanoid_rl_ext.env.make import task_robot
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec
from humanoid_rl_ext.learn import PPOSettings, make_learner


def result(side: str, num_envs: int = 100, **changes: Any) -> dict[str, Any]:
    figures: dict[str, Any] = {"startup_s": [5.0], "physics_s": [0.01], "env_s": [0.02], "iteration_s": [0.6]}
    checks = {"memory_mb": 1000.0, "sanity": {"ok": True}, "finite": True}
    return {"side": side, "num_envs": num_envs, "device": "cuda:0", **figures, **checks, **changes}


def run(*results: dict[str, Any], machine: str = "GPU", **more: Any) -> dict[str, Any]:
    return {"machine": machine, "date": "2026-11-21", "versions": {"torch": "2"}, "results": list(results), **more}


def standing(
    force: float = 98.1, feet: float = 98.1, height: float = 1.0, sink: float = 0.0, speed: float = 0.0
) -> dict:
    """Sixty steps of a robot of 10 kg, 1 m tall, whose centre of mass speeds up by ``speed`` (m/s) in each step."""
    steps = range(60)
    return {
        "force": [force for _ in steps],
        "feet_force": [feet for _ in steps],
        "height": [height for _ in steps],
        "feet_height": [0.05 - sink * min(1.0, step / 20) for step in steps],
        "velocity": [speed * step for step in steps],
    }


def test_a_robot_whose_feet_carry_its_weight_stands():
    found = judge(standing(), mass=10.0, dt=1 / 60, standing_height=1.0)
    assert found["ok"] and found["weight"] == pytest.approx(1.0) and found["on_feet"] == pytest.approx(1.0)


def test_a_robot_that_speeds_up_downwards_is_expected_to_press_less():
    half_gravity = -0.5 * 9.81 / 60
    assert judge(standing(49.05, 49.05, speed=half_gravity), 10.0, 1 / 60, 1.0)["ok"]
    assert not judge(standing(speed=half_gravity), 10.0, 1 / 60, 1.0)["ok"]


@pytest.mark.parametrize(
    "wrong",
    [{"force": 94.0, "feet": 94.0}, {"feet": 90.0}, {"height": 0.85}, {"sink": 0.03}, {"force": 0.0, "feet": 0.0}],
    ids=["too light", "on its hands", "too low", "sinking", "in the air"],
)
def test_a_robot_that_does_not_stand_on_its_feet_is_found_out(wrong):
    assert not judge(standing(**wrong), 10.0, 1 / 60, 1.0)["ok"]


def test_a_state_that_is_not_finite_does_not_stand():
    assert not judge(standing(force=float("nan")), 10.0, 1 / 60, 1.0)["ok"]


def test_rates_follow_from_medians():
    found = report.figures(result("ours-newton", physics_s=[0.01, 0.02, 0.9], iteration_s=[0.8, 0.6, 0.1]))
    assert found["physics_rate"] == pytest.approx(100 / 0.02)
    assert found["learning_rate"] == pytest.approx(100 * PPO["num_steps"] / 0.6)
    assert found["of_physics"] == pytest.approx(24 * 0.02 / 0.6)


def test_the_table_compares_with_isaac_lab_on_the_same_engine_and_size():
    rows = [
        result("isaaclab-newton", iteration_s=[1.5]),
        result("isaaclab-newton", 200, iteration_s=[9.0]),
        result("isaaclab-ovphysx", iteration_s=[7.0]),
        result("ours-newton", iteration_s=[0.5]),
    ]
    row = next(line for line in report.table(rows).splitlines() if SIDES["ours-newton"].title in line)
    assert "| 3.00 |" in row and row.endswith("| yes |")


def test_the_table_says_so_when_robots_do_not_stand_or_go_non_finite():
    for bad in ({"sanity": {"ok": False}}, {"finite": False}):
        assert "**no**" in report.table([result("ours-newton", **bad)])


def test_merging_pools_the_measurements_of_one_machine_and_keeps_others_apart():
    first = run(result("ours-newton", physics_s=[1.0, 2.0]), returns=[{"side": "ours-newton"}])
    second = run(result("ours-newton", physics_s=[3.0], memory_mb=1500.0, finite=False), result("isaaclab-newton"))
    other = run(result("ours-newton", physics_s=[9.0]), machine="another GPU")
    merged = report.merge([first, second, other])
    pooled, peer, apart = merged["results"]
    assert pooled["physics_s"] == [1.0, 2.0, 3.0] and pooled["memory_mb"] == 1500.0 and not pooled["finite"]
    assert peer["side"] == "isaaclab-newton" and apart["physics_s"] == [9.0]
    assert merged["returns"] == [{"side": "ours-newton"}] and merged["machine"] == "GPU + another GPU"
    assert first["results"][0]["physics_s"] == [1.0, 2.0]
    assert report.merge([merged])["results"] == merged["results"]


def test_a_difference_between_seeds_counts_only_beyond_their_noise():
    assert "within" in report.against([10.0, 11.0, 12.0], [10.5, 11.5, 12.5])
    assert "beyond" in report.against([10.0, 10.1, 10.2], [12.0, 12.1, 12.2])
    assert "no telling" in report.against([10.0], [12.0])


def test_the_share_of_a_return_kept_is_taken_seed_by_seed():
    entry = {"trained": "ours-newton-default", "iterations": 1}
    entries = [
        {**entry, "evaluated": evaluated, "seed": seed, "return": value}
        for evaluated, seed, value in (
            ("ours-newton-default", 1, 20.0),
            ("ours-newton-default", 2, 30.0),
            ("ours-newton", 1, 19.0),
            ("ours-newton", 2, 29.0),
        )
    ]
    assert "| 24.00 | 25.00 | 96.0% |" in report.cross_table(entries)


def test_the_figure_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "cost.png"
    report.plot(run(result("ours-newton"), result("ours-newton", 400, iteration_s=[1.0])), path)
    assert path.stat().st_size > 5000


def test_axes_are_told_apart_by_their_place_whatever_an_engine_calls_them():
    assert axes(["thigh:x", "knee", "thigh:z"]) == axes(["thigh:0", "knee", "thigh:1"])
    assert axes(["thigh:0", "knee", "thigh:2"]) == [("thigh", 0), ("knee", 0), ("thigh", 1)]


def test_a_stored_policy_acts_the_same_where_joints_stand_in_another_order(tmp_path):
    there, here = ["hip:x", "hip:y", "knee"], ["knee", "hip:0", "hip:1"]
    spec = EnvSpec(2, {"policy": 12 + 9}, ActionSpec("box", 3, tuple(there)), 100, {"policy": ("",) * 21})
    settings = PPOSettings()
    learner = make_learner("ppo", spec, settings)
    path = str(tmp_path / "policy.pt")
    save_policy(path, learner, spec, settings, there)
    obs = torch.randn(2, 21, generator=torch.Generator().manual_seed(1))
    base, blocks = obs[:, :12], obs[:, 12:].view(2, 3, 3)
    order = [2, 0, 1]  # of the joints here, in the policy's own order
    moved = torch.cat((base, blocks[..., order].reshape(2, 9)), dim=-1)
    wanted = learner.act_deterministic({"policy": obs})[:, order]
    torch.testing.assert_close(load_policy(path, here, "cpu")(moved), wanted)


def test_the_shared_robot_has_the_same_drive_on_every_joint_and_no_collision_groups(tmp_path, monkeypatch):
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    task = shared_task()
    robot = task_robot(task)
    assert len(robot.joints) == 21 and robot.total_mass == pytest.approx(40.84, abs=0.01)
    drives = {(j.stiffness, j.damping, j.armature, j.effort_limit, j.default) for j in robot.joints}
    assert drives == {(60.0, 6.0, 0.02, 200.0, 0.0)}
    codes = {warning.code for warning in robot.warnings}
    assert not codes & {"collision_groups", "no_drive"}
    assert Path(task.robot.source) == robot_usd() and task.name == "humanoid_peer" and TASK.is_file()
    assert task.max_episode_length == 1200


class FakeSide:
    """Stands in for a started process: answers at once, or fails at a given command."""

    def __init__(self, name: str, num_envs: int, plan: Plan) -> None:
        self.name, self.startup, self.closed = name, 3.0, False

    def wait_until_started(self) -> None:
        if self.name == "ours-newton":
            raise processes.SideError("engine 'newton' is unknown")

    def ask(self, command: str, **options: Any) -> dict[str, Any]:
        order.append((self.name, command))
        if self.name == "ours-ovphysx" and command == "ppo" and options["iterations"] == 7:
            raise processes.SideError("lost")
        return {"sanity": {"ok": True}, "env": {"seconds": 0.2, "finite": True}}.get(command, {"seconds": 0.1})

    def memory_mb(self, device: str) -> None:
        return None

    def close(self) -> None:
        closed.append(self.name)


order: list[tuple[str, str]] = []
closed: list[str] = []


def test_sides_are_measured_in_turn_and_a_side_that_fails_is_left_out_with_a_line(monkeypatch):
    monkeypatch.setattr(processes, "SideProcess", FakeSide)
    order.clear(), closed.clear()
    said: list[str] = []
    names = ["isaaclab-ovphysx", "ours-newton", "ours-ovphysx", "ours-ovphysx-default"]
    found = measure(names, 8, Plan("cpu", rounds=2, iterations=7), said.append)
    assert [entry["side"] for entry in found] == ["isaaclab-ovphysx", "ours-ovphysx-default"]
    assert found[0]["physics_s"] == [0.1, 0.1] and found[0]["iteration_s"] == [0.1, 0.1]
    assert any("engine 'newton' is unknown" in line for line in said) and any("lost" in line for line in said)
    rounds = [name for name, command in order if command == "physics"][3:]  # after one warm-up of each
    assert rounds == ["isaaclab-ovphysx", "ours-ovphysx", "ours-ovphysx-default", "isaaclab-ovphysx", names[3]]
    assert sorted(closed) == sorted(names)
