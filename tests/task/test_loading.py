"""Tasks load, merge, override, edit and save; every mistake is one line that names its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import edited, edited_in_turn, load_task, save_task, task_names
from humanoid_rl_ext.task.yaml_source import parse_scalar


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", task_names())
def test_every_preset_loads_and_survives_saving(name: str, tmp_path: Path) -> None:
    task = load_task(name)
    save_task(task, tmp_path / "task.yaml")
    assert load_task(tmp_path / "task.yaml") == task
    assert task.name == name


def test_a_file_changes_what_it_extends_and_keeps_the_rest(write) -> None:
    path = write("extends: humanoid_stand\nname: mine\nrewards:\n  alive: {weight: 3}\n  height: null\n")
    mine, base = load_task(path), load_task("humanoid_stand")
    assert mine.rewards["alive"].weight == 3
    assert mine.rewards["upright"] == base.rewards["upright"]
    assert "height" not in mine.rewards


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("extends: humanoid_stand\nrewards:\n  alive:\n    wieght: 3\n", 4, "did you mean 'weight'?"),
        ("extends: humanoid_stand\nrewards:\n  alife: {weight: 3}\n", 3, "did you mean 'alive'?"),
        ("extends: humanoid_stand\n\nterminatons: {}\n", 3, "did you mean 'terminations'?"),
        ("extends: humanoid_stand\nrewards:\n  upright: {weight: 1, params: {sdt: 1}}\n", 3, "did you mean 'std'?"),
        (
            "extends: humanoid_stand\nrewards:\n  upright:\n    params:\n      std: -1\n",
            5,
            "between 0.01 and 10, not -1",
        ),
        ("extends: humanoid_stand\nsim:\n  decimation: many\n", 3, "valid integer"),
        ("extends: humanoid_stand\nsim: {dt: 7}\n", 2, "less than or equal to 0.1, not 7"),
        ("extends: humanoid_stand\nname: a\nname: b\n", 3, "a second time (first in line 2)"),
        ("extends: humanoid_stand\nrewards:\n  track_lin_vel: {weight: 1}\n", 3, "no command 'velocity'"),
        ("extends: humanoid_stand\nrandomisation:\n  push:\n    interval_s: [4, 2]\n", 4, "[low, high]"),
        ("extends: humanoid_stand\nname: [\n", 3, "not valid YAML"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_file_line_and_fix(write, text: str, line: int, said: str) -> None:
    path = write(text)
    with pytest.raises(TaskError) as error:
        load_task(path)
    message = str(error.value)
    assert f"{path}:{line}:" in message
    assert said in message
    assert "\n" not in message


def test_a_mistake_in_a_base_is_told_with_the_base_file(write, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "name: base\nrobot: {source: humanoid}\nepisode_length_s: 1\n"
        "observations: {policy: {joint_pos: {}}}\nrewards: {alive: {wight: 1}}\n"
    )
    with pytest.raises(TaskError, match=r"base\.yaml:5: rewards\.alive\.weight"):
        load_task(write("extends: base.yaml\nname: mine\n"))


def test_extending_too_deep_is_refused(write, tmp_path: Path) -> None:
    for name, base in (("one", "two.yaml"), ("two", "humanoid_stand")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {base}\n")
    with pytest.raises(TaskError, match="write its fields out"):
        load_task(write("extends: one.yaml\n"))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("rewards.alive.wieght=2", "did you mean 'weight'?"),
        ("sim.dt=-1", "greater than 0, not -1"),
        ("sim.dt", "written path.to.value=number"),
        ("rewards.arms.params.joints=[1]", "override 'rewards.arms"),
        ("robot.source.deeper=1", "single value"),
    ],
)
def test_a_wrong_override_is_quoted(override: str, said: str) -> None:
    with pytest.raises(TaskError) as error:
        load_task("humanoid_stand", [override])
    assert said in str(error.value)
    assert override in str(error.value)


def test_unknown_tasks_get_the_nearest_name() -> None:
    with pytest.raises(TaskError, match="did you mean 'humanoid_stand'"):
        load_task("humanoid_stnd")
    with pytest.raises(TaskError, match="no such task file"):
        load_task("nowhere.yaml")


def test_numbers_are_read_as_a_person_writes_them() -> None:
    assert [parse_scalar(text) for text in ("1e-3", "5e4", ".5", "-2", "true", "on")] == [
        1e-3,
        5e4,
        0.5,
        -2,
        True,
        "on",
    ]


def test_an_edit_gives_a_checked_copy() -> None:
    task = load_task("humanoid_stand")
    assert edited(task, "rewards.alive.weight", 7).rewards["alive"].weight == 7
    assert task.rewards["alive"].weight == 1
    for path, value in (("rewards.alive.weight", "heavy"), ("rewards.alice.weight", 1), ("sim.dt", 0)):
        with pytest.raises(TaskError, match=r"edit 'r?"):
            edited(task, path, value)


def test_an_edit_adds_replaces_and_removes_entries_of_the_tables_of_terms() -> None:
    task = load_task("humanoid_walk")
    for path, value in (
        ("rewards.height", {"weight": 2.0}),
        ("rewards.upright", {"weight": 3.0}),
        ("observations.critic.joint_vel", {"scale": 0.1}),
        ("commands.second", {"term": "target"}),
        ("randomisation.push", {"mode": "interval"}),
        ("metrics.height", {"term": "root_height"}),
        ("terminations.base_contact", {}),
    ):
        changed = edited(task, path, value)
        assert changed != task
        assert ".".join(path.split(".")[:-1]) in {".".join(where[:-1]) for where, _ in changed.sections()}
        if path != "rewards.upright":
            assert edited(changed, path, None) == task
    assert edited(task, "rewards.upright", {"weight": 3.0}).rewards["upright"].params["std"] == 0.4
    assert edited(task, "commands.velocity.resample_s", None).commands["velocity"].resample_s is None
    assert edited(task, "robot", {"source": "walker"}).robot.source == "walker"


def test_agents_come_and_go_one_by_one() -> None:
    task = load_task("humanoid_walk")
    legs = edited(task, "agents.legs", {"joints": ".*(hip|knee|ankle).*"})
    rest = edited(legs, "agents.rest", {"joints": ".*(abdomen|shoulder|elbow).*", "observes": "all"})
    assert list(rest.agents or {}) == ["legs", "rest"]
    assert edited(rest, "agents.rest", None) == legs and edited(legs, "agents.legs", None) == task
    with pytest.raises(TaskError, match="there is no 'arms'"):
        edited(rest, "agents.arms", None)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("rewards.hight", {"weight": 1.0}, "did you mean 'height'"),
        ("rewards.height", {"wieght": 1.0}, "edit 'rewards.height': rewards.height.weight: is missing"),
        ("rewards.uprigth", None, "did you mean 'upright'"),
        ("rewards.height", 2.0, "there is no 'height'"),
        ("rewards.upright", 2.0, "dictionary"),
        ("observations.crtic.joint_vel", {}, "observations.crtic"),
        ("observations.policy", None, "observations.policy"),
        ("nowhere.height", {}, "there is no 'nowhere'"),
    ],
)
def test_an_entry_that_cannot_be_added_or_removed_is_told(path: str, value: object, said: str) -> None:
    task = load_task("humanoid_walk")
    with pytest.raises(TaskError) as error:
        edited(task, path, value)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_the_last_reward_and_the_last_observation_stay() -> None:
    task = load_task("cartpole_balance")
    for table, last in (("rewards", "alive"), ("observations.policy", "joint_pos")):
        entries = list(task.rewards) if table == "rewards" else list(task.observations["policy"])
        less = edited_in_turn(task, [(f"{table}.{name}", None) for name in entries if name != last])
        with pytest.raises(TaskError, match="at least"):
            edited(less, f"{table}.{last}", None)


def test_loading_a_task_imports_neither_torch_nor_a_simulator() -> None:
    code = (
        "import sys; from humanoid_rl_ext.task.loading import load_task; load_task('humanoid_walk');"
        "heavy = {'torch', 'ovphysx', 'pxr', 'newton', 'warp', 'gymnasium'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nextends: nosuch\n", "mine.yaml:2: extends: unknown task 'nosuch'"),
        ("extends: [a]\n", "mine.yaml:1: extends: names one task or file"),
        ("extends: mine.yaml\n", "mine.yaml:1: extends: the file extends itself"),
        ("name: &a [*a]\n", "mine.yaml: an alias"),
    ],
)
def test_a_base_that_cannot_be_had_is_told_with_its_line(write, text: str, said: str) -> None:
    with pytest.raises(TaskError) as error:
        load_task(write(text))
    assert said in str(error.value)
