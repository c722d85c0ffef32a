"""Height fields: what each kind of ground promises, who gets how many columns, what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import edited, load_task
from humanoid_rl_ext.task.registry import terms

sys.path.insert(0, str(Path(__file__).parent))
from terrains import terrain

MADE = [name for name in terms("terrain") if name != "image"]


def cell(built, row: int = 0, column: int = 0) -> np.ndarray:
    """The samples of one cell."""
    samples = round(built.cell_size / built.resolution)
    i, j = built.border + row * samples, built.border + column * samples
    return built.heights[i : i + samples, j : j + samples]


def test_flat_is_a_word_and_the_default():
    assert load_task("humanoid_walk").scene.terrain.flat
    assert load_task("humanoid_walk", ["scene.terrain=flat"]) == load_task("humanoid_walk")
    with pytest.raises(TaskError, match="'hills' is no terrain"):
        load_task("humanoid_walk", ["scene.terrain=hills"])
    with pytest.raises(TaskError, match="unknown terrain 'stair_up'; did you mean 'stairs_up'"):
        load_task("humanoid_walk_rough", ["scene.terrain.kinds.stair_up={}"])


def test_kinds_of_ground_are_added_and_removed_like_other_terms():
    task = edited(load_task("humanoid_walk"), "scene.terrain.kinds.stairs_up", {"params": {"depth": 0.4}})
    assert task.scene.terrain.kinds["stairs_up"].params == {"height": (0.05, 0.2), "depth": 0.4}
    assert edited(task, "scene.terrain.kinds.stairs_up", None) == load_task("humanoid_walk")
    with pytest.raises(TaskError, match="unknown parameter of 'stairs_up'"):
        edited(task, "scene.terrain.kinds.stairs_up.params", {"dept": 0.4})


def test_the_same_seed_gives_the_same_ground_and_another_one_another():
    kinds = {name: {} for name in ("random_rough", "obstacles", "stepping_stones")}
    one, same, other = (terrain(dict(kinds), rows=2, seed=seed).heights for seed in (3, 3, 4))
    assert one.dtype == np.float32
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    wider = terrain(dict(kinds), rows=4, difficulty=(0.0, 1.0), seed=3)
    assert np.array_equal(cell(wider), cell(terrain(dict(kinds), rows=2, seed=3))), "a cell does not depend on the grid"


@pytest.mark.parametrize("kind", MADE)
def test_every_kind_is_level_where_robots_start_and_grows_with_difficulty(kind):
    built = terrain({kind: {}}, rows=3)
    sizes = []
    for row in range(3):
        ground = cell(built, row)
        middle = len(ground) // 2
        platform = ground[middle - 9 : middle + 10, middle - 9 : middle + 10]
        assert np.ptp(platform) == 0.0
        assert platform[0, 0] == built.origins[row, 0, 2]
        sizes.append(np.std(ground))
        if kind not in ("slope", "stepping_stones"):
            assert not ground[0].any() and not ground[:, 0].any(), "neighbours meet at height 0"
    assert sizes[0] < sizes[-1] and sizes[-1] > 0.03


@pytest.mark.parametrize(("kind", "sign"), [("stairs_down", 1), ("stairs_up", -1)])
def test_stairs_have_the_height_and_depth_asked_for(kind, sign):
    built = terrain({kind: {"height": [0.0, 0.17], "depth": 0.5}}, platform=2.0)
    ground = cell(built)
    along = ground[: len(ground) // 2, len(ground) // 2]
    steps = np.diff(along)
    assert np.allclose(steps[steps != 0], sign * 0.17, atol=1e-6)
    assert (steps != 0).sum() == 6, "(8 m - 2 m) / 2 / 0.5 m"
    assert set(np.diff(np.flatnonzero(steps))) == {5}, "0.5 m of 0.1 m each"


def test_slopes_rise_as_asked_for():
    ground = cell(terrain({"pyramid": {"rise": [0.0, 0.3]}}))
    along = ground[: len(ground) // 2, len(ground) // 2]
    assert np.allclose(np.diff(along)[:29], 0.03, atol=1e-6) and along[-1] == pytest.approx(0.9)


def test_gaps_and_stones_leave_holes_of_the_size_asked_for():
    gaps = cell(terrain({"gaps": {"width": [0.0, 0.4], "ground": 1.0, "depth": 0.8}}))
    along = gaps[40:, 40]
    assert along.min() == pytest.approx(-0.8) and not along[:11].any()
    assert (along[11:15] < 0).all() and not along[15:25].any()
    stones = cell(terrain({"stepping_stones": {"stone": [0.5, 1.0], "gap": [0.1, 0.3], "unevenness": [0, 0]}}))
    assert np.mean(stones < 0) == pytest.approx(0.94 * (1 - (6 / 8) ** 2), abs=0.02), (
        "stones of 0.5 m have 6 samples of 8"
    )


def test_obstacles_cover_the_share_asked_for_on_every_kind():
    asked = {"rows": 2, "obstacle_density": 0.3, "obstacle_height": (0.1, 0.4), "cell_size": 30.0}
    built = terrain({"pyramid": {"rise": [0.0, 0.0]}}, **asked)
    assert not cell(built, 0).any(), "none at difficulty 0"
    assert np.mean(cell(built, 1) > 0) == pytest.approx(0.3, abs=0.06)
    assert 0.3 < cell(built, 1).max() <= 0.4


def test_columns_are_shared_out_and_origins_stand_in_the_middle_of_their_cells():
    built = terrain({"waves": {"share": 3.0}, "stairs_up": {"share": 1.0}}, rows=2, columns=8, cell_size=4.0)
    assert built.column_kinds == ("waves",) * 6 + ("stairs_up",) * 2
    assert built.origins[1, 0, 0] - built.origins[0, 0, 0] == pytest.approx(4.0)
    assert built.origins[0, :, :2].mean(0).tolist() == pytest.approx([-2.0, 0.0], abs=0.11)
    level, column = built.start_cells(40)
    assert column[:9].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0] and level[:9].tolist() == [0] * 8 + [1]
    assert np.array_equal(built.start_origins(40), built.origins[level, column])
    with pytest.raises(TaskError, match="2 columns are too few for 3 kinds"):
        terrain({"waves": {}, "gaps": {}, "slope": {}}, columns=2)


def test_a_height_field_comes_in_from_a_picture(tmp_path):
    from PIL import Image

    values = np.outer(np.linspace(0, 1, 33), np.ones(33))
    np.save(tmp_path / "ramp.npy", values * 7.0 - 2.0)
    Image.fromarray((values * 255).astype(np.uint8)).save(tmp_path / "ramp.png")
    for name in ("ramp.npy", "ramp.png"):
        ground = cell(terrain({"image": {"path": str(tmp_path / name), "height": [0.0, 0.8]}}))
        assert ground[0].max() == pytest.approx(0.0, abs=1e-6)
        assert np.diff(ground[:20, 0]) == pytest.approx(0.01, abs=0.004)
        assert np.ptp(ground[32:49, 32:49]) == 0.0


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("", None, "needs params.path"),
        ("gone.npy", None, "gone.npy: no such file"),
        ("text.txt", b"1 2", "must end in .png or .npy"),
        ("broken.png", b"not a picture", "cannot be read"),
        ("line.npy", np.arange(4.0), "two axes"),
        ("nan.npy", np.full((4, 4), np.nan), "finite"),
        ("level.npy", np.ones((4, 4)), "one height only"),
    ],
)
def test_a_picture_that_is_no_height_field_is_refused(tmp_path, monkeypatch, name, written, said):
    monkeypatch.chdir(tmp_path)
    if isinstance(written, bytes):
        Path(name).write_bytes(written)
    elif written is not None:
        np.save(name, written)
    with pytest.raises(TaskError, match=said):
        terrain({"image": {"path": name}})
