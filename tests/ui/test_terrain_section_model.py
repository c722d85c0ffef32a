"""The terrain editor without a window: flat or a grid, kinds, the picture, what is built when."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from quiet import QuietHost

from humanoid_rl_ext.sim.terrain import build_terrain
from humanoid_rl_ext.task.loading import edited, load_task
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.task.model import TaskModel
from humanoid_rl_ext.ui.terrain.model import TerrainModel, spread
from humanoid_rl_ext.ui.terrain.preview import PATIENCE, TerrainPreview, fitted
from humanoid_rl_ext.ui.terrain.relief import Relief, draw_relief
from humanoid_rl_ext.ui.workbench import Workbench

KINDS = "scene.terrain.kinds"


@pytest.fixture
def bench(monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setattr("humanoid_rl_ext.ui.workbench.load_robot", lambda *given: None)
    workbench = Workbench(QuietHost(), Draft.load("humanoid_walk_rough"))
    workbench.edit("scene.terrain.cell_size", 4.0)
    yield workbench
    workbench.close()


@pytest.fixture
def model(bench) -> TerrainModel:
    return TerrainModel(TaskModel(bench))


def relief_of(kinds: dict, width: int = 60, height: int = 40, **fields) -> Relief:
    section = {"kinds": kinds, "rows": 3, "columns": 2, "cell_size": 4.0, "border": 1.0, "platform": 1.0, **fields}
    terrain = build_terrain(edited(load_task("humanoid_walk"), "scene.terrain", section).scene.terrain)
    assert terrain is not None
    return draw_relief(terrain, width, height)


def settle(preview: TerrainPreview, bench: Workbench, now: float) -> None:
    """Waits for the picture of the draft as it is."""
    preview.update(now)
    preview.update(now + 2 * PATIENCE)
    end = time.perf_counter() + 20.0
    while preview.busy:
        assert time.perf_counter() < end
        bench.background.poll()


def test_flat_ground_gets_the_kinds_back_that_it_had(model):
    model.add("gaps")
    before = list(model.section.kinds)
    assert model.is_grid and model.make_flat() == "" and model.section.flat and model.summary == "flat"
    assert model.make_grid() == "" and list(model.section.kinds) == before
    assert model.summary == "10 x 20, 8 kinds"


def test_a_grid_starts_with_the_kinds_of_the_preset_or_with_usual_ones(model, bench):
    bench.edit(KINDS, {})
    model.make_grid()
    assert list(model.section.kinds) == list(bench.draft.preset.scene.terrain.kinds)
    bench.load_task("humanoid_walk")
    assert not model.is_grid
    model.make_grid()
    assert {"random_rough", "stairs_up"} < set(model.section.kinds)


def test_making_it_flat_is_one_change_that_can_be_undone(model, bench):
    before = bench.draft.task
    model.make_flat()
    bench.undo()
    assert bench.draft.task == before


def test_a_kind_can_stand_in_the_table_several_times(model):
    model.add("gaps")
    model.add("gaps")
    model.add("gaps")
    assert [(name, kind.spec.name) for name, kind in model.section.kinds.items()][-3:] == [
        ("gaps", "gaps"),
        ("gaps_2", "gaps"),
        ("gaps_3", "gaps"),
    ]
    entry = model.entries()[-1]
    assert {spec.path.rpartition(".")[2] for spec in entry.specs} == {"width", "ground", "depth"}
    model.remove(entry)
    assert "gaps_3" not in model.section.kinds


def test_every_field_of_the_terrain_has_a_heading_and_is_found_by_the_search(model, bench):
    shown = [spec.path.rpartition(".")[2] for specs in model.fields().values() for spec in specs]
    assert sorted(shown) == sorted(set(type(model.section).model_fields) - {"kinds"})
    found = dict(model.task.find("cell size"))
    assert [spec.path for spec in found["Terrain"]] == ["scene.terrain.cell_size"]
    assert "Terrain: Stairs up" in dict(model.task.find("height of a step"))
    assert not [spec for spec in model.task.group_specs("Scene") if "terrain" in spec.path]


def test_the_picture_is_level_where_the_ground_is_and_bright_where_it_faces_the_light():
    relief = relief_of({"pyramid": {"params": {"rise": [0.4, 0.4]}}}, 280, 200, columns=1, rows=1, border=0.0)
    grey = relief.pixels[..., :3].sum(axis=-1, dtype=int)
    rows, columns = grey.shape
    assert grey[rows // 2, columns // 8] > grey[rows // 2, -columns // 8], "light comes from the left"
    assert grey[rows // 8, columns // 2] > grey[-rows // 8, columns // 2], "and from above"
    assert relief.low == 0.0 and relief.high == pytest.approx(0.4 * 1.5)


def test_up_in_the_picture_is_y_and_to_the_right_is_x():
    kinds = {"pyramid": {"params": {"rise": [0.0, 0.5]}}, "inverted_pyramid": {"params": {"rise": [0.0, 0.5]}}}
    relief = relief_of(kinds, border=0.2)
    red = relief.pixels[..., 0].astype(int)
    height, width = red.shape
    hill, hollow = red[height * 3 // 4, width * 5 // 6], red[height // 4, width * 5 // 6]
    first = red[height * 3 // 4, width // 6]
    assert hill > first > hollow, "hills, in the first column, are below; levels rise to the right"
    assert [name for name, _, _ in relief.bands] == ["inverted_pyramid", "pyramid"]
    assert relief.bands[0][1:] == pytest.approx((0.0, 0.5), abs=0.02)
    assert relief.levels == pytest.approx((1 / 6, 1 / 2, 5 / 6), abs=0.02)
    assert relief.columns == {"pyramid": 1, "inverted_pyramid": 1} and relief.size == pytest.approx((12.4, 8.4))


def test_the_scale_of_colours_goes_from_the_highest_to_the_lowest_point():
    relief = relief_of({"stairs_up": {}, "stairs_down": {}})
    level = relief.pixels[0, 0]
    assert relief.scale.shape == (40, 1, 4) and (relief.pixels[..., 3] == 255).all()
    middle = relief.scale[19:21, 0].astype(int).mean(axis=0)
    assert np.abs(middle - level).max() <= 8, "level ground, as on the border, is in the middle"
    assert relief.scale[0, 0, 0] > level[0] > relief.scale[-1, 0, 0]


def test_a_small_field_keeps_its_samples():
    assert relief_of({"waves": {}}, 900, 900, resolution=1.0, border=2.0).pixels.shape == (12, 16, 4)


def test_the_picture_follows_the_draft_a_moment_after_an_edit(bench):
    preview = TerrainPreview(bench, 100, 200)
    settle(preview, bench, 0.0)
    first = preview.relief
    assert first is not None and preview.reason == "" and max(first.pixels.shape[:2]) <= 200
    bench.edit("scene.terrain.friction", 0.5)
    settle(preview, bench, 1.0)
    assert preview.relief is first, "the picture does not depend on friction"
    bench.edit("scene.terrain.seed", 7)
    preview.update(2.0)
    assert preview.busy and preview.relief is first
    settle(preview, bench, 2.0)
    assert preview.relief is not None and preview.relief is not first
    bench.edit(KINDS, {})
    settle(preview, bench, 3.0)
    assert preview.relief is None and preview.reason == ""


def test_what_cannot_be_built_is_told_and_forgotten_once_it_can(bench):
    preview = TerrainPreview(bench, 100, 200)
    bench.edit("scene.terrain.columns", 3)
    settle(preview, bench, 0.0)
    assert preview.reason == "columns: 3 columns are too few for 7 kinds of ground" and preview.relief is None
    bench.edit("scene.terrain.cell_size", 100.0)
    bench.edit("scene.terrain.columns", 200)
    settle(preview, bench, 1.0)
    assert preview.reason.endswith("use fewer or smaller cells, or a coarser resolution")
    bench.edit("scene.terrain.cell_size", 4.0)
    bench.edit("scene.terrain.columns", 7)
    settle(preview, bench, 2.0)
    assert preview.reason == "" and preview.relief is not None


def test_labels_keep_their_distance_and_stay_inside():
    assert spread([20.0, 40.0, 60.0], 10.0, 80.0) == [20.0, 40.0, 60.0]
    assert spread([1.0, 2.0, 79.0], 10.0, 80.0) == [5.0, 15.0, 75.0]
    assert spread([10.0, 76.0, 78.0], 10.0, 80.0) == [10.0, 65.0, 75.0]
    assert spread([5.0, 5.0, 5.0], 10.0, 20.0) == [5.0, 15.0, 25.0], "there is not room for all"


def test_the_picture_fits_its_box_in_proportion():
    assert fitted((90.0, 170.0), (214, 340)) == (180, 340)
    assert fitted((800.0, 8.0), (214, 340)) == (214, 2)
