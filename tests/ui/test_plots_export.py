"""What is shown can be taken away: as a picture and as a table."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image
from test_plots_model import learned, mark, metrics_at, model, run_folder, settle, workbench  # noqa: F401

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.colors import rgba
from humanoid_rl_ext.ui.plots.export import PLOT, save_csv, save_png


def test_the_table_has_the_measured_values_of_all_shown_runs(model, workbench, tmp_path):  # noqa: F811
    learned(workbench, 40)
    model.compare([run_folder(tmp_path, 1, 30)])
    settle(workbench)
    save_csv(model, tmp_path / "learning.csv")
    settle(workbench)
    with (tmp_path / "learning.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["run", "env_steps", "episode/return", "episode/length", "episode/success_rate"]
    assert len(rows) == 70 and rows[0]["episode/return"] == ""
    assert rows[9]["run"] == "This run" and int(rows[9]["env_steps"]) == 40960
    assert float(rows[9]["episode/return"]) == metrics_at(10)["episode/return"]
    assert rows[49]["run"] == "walker_run 11-21 10:21"
    assert float(rows[49]["episode/length"]) == metrics_at(10, 1)["episode/length"]
    assert str(tmp_path / "learning.csv") in workbench.message.text


def test_the_table_leaves_out_what_is_switched_off_or_before_the_span(model, workbench, tmp_path):  # noqa: F811
    learned(workbench, 101)
    model.open("Rewards")
    model.toggle("reward/alive")
    model.set_span("Last fifth")
    save_csv(model, tmp_path / "rewards.csv")
    settle(workbench)
    header, *rows = csv.reader((tmp_path / "rewards.csv").read_text(encoding="utf-8").splitlines())
    assert "reward/alive" not in header and "reward/upright" in header
    assert len(rows) == 21


@pytest.mark.parametrize("group", ["Learning", "Policy", "Rewards"])
def test_the_picture_shows_the_curves_of_the_group(model, workbench, tmp_path, pictures, group):  # noqa: F811
    learned(workbench, 300)
    mark(workbench, 400_000)
    model.compare([run_folder(tmp_path, 1, 200)])
    settle(workbench)
    model.open(group)
    path = pictures / f"exported_{group}.png"
    save_png(model, path)
    settle(workbench)
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert picture.shape[1] > PLOT[0] and picture.shape[0] > PLOT[1]
    curve = np.abs(picture - rgba(theme.SERIES[0])[:3]).max(2) < 40
    assert curve.sum() > 1000
    text = np.abs(picture - rgba(theme.TEXT)[:3]).max(2) < 40
    assert text.sum() > 500


def test_a_folder_that_is_not_there_is_said(model, workbench, tmp_path):  # noqa: F811
    learned(workbench, 5)
    for save in (save_csv, save_png):
        save(model, tmp_path / "missing" / "file")
        settle(workbench)
        assert workbench.message.kind == "error" and "could not be written" in workbench.message.text
