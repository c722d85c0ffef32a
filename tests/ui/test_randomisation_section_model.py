"""What the Randomisation table says and draws, without a window."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from quiet import QuietHost

from humanoid_rl_ext.env.failure_map import FailureRate
from humanoid_rl_ext.env.sampling import warp
from humanoid_rl_ext.task.schema import RandomisationSection
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.plots.colors import rgba
from humanoid_rl_ext.ui.randomisation.figure import NUM_BINS, density, distribution_figure, failure_figure
from humanoid_rl_ext.ui.randomisation.model import RandomisationModel, failure_charts
from humanoid_rl_ext.ui.randomisation.painter import paint
from humanoid_rl_ext.ui.task.model import TaskModel
from humanoid_rl_ext.ui.workbench import Workbench


@pytest.fixture
def model(monkeypatch) -> RandomisationModel:
    monkeypatch.setattr("humanoid_rl_ext.ui.workbench.load_robot", lambda *given: None)
    return RandomisationModel(TaskModel(Workbench(QuietHost(), Draft.load("humanoid_walk"))))


def entry(model: RandomisationModel, name: str):
    return next(entry for entry in model.entries() if entry.path == f"randomisation.{name}")


def field(model: RandomisationModel, name: str, field: str):
    return next(spec for spec in entry(model, name).specs if spec.path.endswith(f".{field}"))


@pytest.mark.parametrize("distribution", ["uniform", "normal", "log_uniform"])
def test_the_curve_is_what_environments_draw(distribution):
    section = RandomisationSection(distribution=distribution, deviations=1.5)
    low, high = 0.5, 2.0
    x, y = density(section, low, high)
    assert np.trapezoid(y, x) == pytest.approx(1.0, abs=1e-3)
    drawn = torch.linspace(0.0, 1.0, 200_001, dtype=torch.float64)[:-1]
    place = warp(section, torch.tensor([low, high], dtype=torch.float64), torch.device("cpu"))
    samples = low + (high - low) * (drawn if place is None else place(drawn)).numpy()
    heights, edges = np.histogram(samples, 16, (low, high), density=True)
    middles = (edges[:-1] + edges[1:]) / 2
    assert heights == pytest.approx(np.interp(middles, x, y), rel=0.02)


def test_a_histogram_of_even_samples_is_as_high_as_the_uniform_curve():
    samples = np.linspace(0.8, 1.2, 16_000)
    figure = distribution_figure(RandomisationSection(), 0.8, 1.2, samples)
    level = figure.curve[len(figure.curve) // 2][1]
    assert len(figure.bars) == NUM_BINS
    assert [bar.height for bar in figure.bars] == pytest.approx([level] * NUM_BINS, rel=0.01)
    assert figure.bars[0].left == pytest.approx(figure.ends[0]) and figure.bars[-1].right == pytest.approx(
        figure.ends[1]
    )


def test_samples_from_before_an_edit_widen_the_picture():
    figure = distribution_figure(RandomisationSection(), 0.9, 1.1, np.array([0.85, 1.0, 1.0]))
    assert figure.bars[0].left < figure.ends[0] and figure.bars[0].height > 0
    assert figure.curve[0][0] == pytest.approx(figure.ends[0])
    assert figure.bars[-1].right == pytest.approx(figure.ends[1])


def test_choices_are_bars_as_high_as_their_odds():
    section = RandomisationSection(distribution="choice", choices=[0.2, 1.0, 1.0, 0.6])
    figure = distribution_figure(section, 0.2, 1.0, np.array([0.2, 0.2, 0.6, 1.0]))
    expected, now = figure.outlines, figure.bars
    assert expected[2].height == pytest.approx(2 * expected[0].height)
    assert now[0].height == pytest.approx(2 * now[1].height) and len(now) == 3


def test_rates_are_bars_and_few_episodes_are_pale():
    row = FailureRate([float(edge) for edge in range(17)], [10, 2, *[0] * 14], [5, 1, *[0] * 14])
    figure = failure_figure(row, 1.0, 0.5)
    assert [(bar.height, bar.faint) for bar in figure.bars] == [(0.5, False), (0.5, True)]
    assert figure.level == 0.5


def test_all_charts_of_the_map_have_one_scale_and_the_worst_values_are_told():
    edges = [0.5 + index / 16 for index in range(17)]
    mild = FailureRate(edges, [10] * 16, [1] * 16)
    steep = FailureRate(edges, [10] * 16, [4, 4, 4, 4, *[0] * 12])
    found = failure_charts({"mass": mild, "joint_damping": steep})
    assert found.episodes == 160 and found.caption.startswith("Episodes: 160, 10% failed (dashed). Full bar: 50%")
    assert [chart.label for chart in found.charts] == ["Mass", "Joint damping"]
    assert found.charts[0].figure.bars[0].height == pytest.approx(0.1 / 0.5)
    assert found.charts[1].figure.bars[0].height == pytest.approx(0.4 / 0.5)
    assert found.charts[1].help == "Fails most from 0.6875 to 0.75: 40% of episodes"
    assert failure_charts({}).charts == ()


def test_the_picture_has_bars_where_the_figure_has():
    figure = failure_figure(FailureRate([float(edge) for edge in range(17)], [9] * 16, [9] * 8 + [0] * 8), 1.0, 0.5)
    pixels = np.asarray(paint(figure, 320, 40, color=theme.WARNING)).astype(int)
    background = np.array(rgba(theme.FIELD)[:3])
    left, right = pixels[20, 30:150, :3], pixels[30, 170:290, :3]
    assert np.abs(left - background).max(axis=1).mean() > 60
    assert np.abs(right - background).max() < 10


def test_terms_of_several_ranges_offer_only_what_they_take(model):
    assert field(model, "initial_root", "distribution").choices == ("uniform", "normal")
    assert field(model, "initial_root", "mode").choices == ("reset",)
    assert model.obstacle(entry(model, "initial_root"), field(model, "initial_root", "mode"))
    assert [ranged.param for ranged in model.ranges(entry(model, "initial_root"))] == ["yaw", "lin_vel_x", "lin_vel_y"]


def test_choosing_from_values_is_one_edit_that_undo_takes_back(model):
    model.workbench.edit("randomisation.friction", {})
    before = model.workbench.draft.task
    assert model.binding(entry(model, "friction"), field(model, "friction", "distribution")).type("choice")
    assert model.workbench.draft.value("randomisation.friction.choices") == [0.5, 1.0, 1.5]
    assert model.range_text(entry(model, "friction")) == "3 values"
    assert model.obstacle(entry(model, "friction"), field(model, "friction", "scale"))
    model.workbench.undo()
    assert model.workbench.draft.task == before


def test_a_log_uniform_range_at_zero_is_refused_with_its_reason(model):
    model.workbench.edit("randomisation.action_delay", {})
    binding = model.binding(entry(model, "action_delay"), field(model, "action_delay", "distribution"))
    assert not binding.type("log_uniform")
    assert binding.reason == "must lie above zero for a log-uniform distribution"


def test_fields_that_mean_nothing_are_not_shown(model):
    model.workbench.edit("randomisation.mass", {})
    shown = [spec.label for spec in entry(model, "mass").specs if model.shows(entry(model, "mass"), spec)]
    assert shown == ["Bodies", "Scale", "Each", "Mode", "Distribution"]
    model.workbench.edit("randomisation.mass.mode", "interval")
    model.workbench.edit("randomisation.mass.distribution", "normal")
    shown = [spec.label for spec in entry(model, "mass").specs if model.shows(entry(model, "mass"), spec)]
    assert shown[-3:] == ["Interval", "Distribution", "Deviations"]


def test_a_preset_is_two_edits_and_says_what_it_adds(model):
    before, preset = model.workbench.draft.task, model.presets()["common"]
    adds = model.adds(preset)
    assert "mass, friction" in adds and "noise on 7 observations" in adds
    assert model.apply(preset) == "" and model.adds(preset) == ""
    assert [change.path for change in model.workbench.undoable] == ["randomisation", "observations.policy"]
    assert model.task.undo_help == "Undo the last change of observations.policy"
    model.workbench.undo()
    model.workbench.undo()
    assert model.workbench.draft.task == before


def test_what_goes_through_the_host_is_named(model, monkeypatch):
    quantities = {"mass": SimpleNamespace(batched=True), "friction": SimpleNamespace(batched=False)}
    env = SimpleNamespace(
        randomiser=SimpleNamespace(quantities=quantities),
        engine=SimpleNamespace(name="newton"),
        device=torch.device("cpu"),
        task=model.workbench.draft.task,
    )
    assert "engine takes only from the host" in model.batching
    monkeypatch.setattr(RandomisationModel, "env", env)
    assert model.batching == "newton on cpu: applied from the host every 0.5 s: mass."
    quantities["mass"].batched = False
    assert model.batching == "newton on cpu: none needs it, all change as soon as they are due."


def test_samples_are_summed_up_and_their_absence_is_explained(model, monkeypatch):
    model.workbench.edit("randomisation.mass", {})
    assert model.caption(entry(model, "mass"), None) == "While training: the environments' values as bars."
    assert "one moment" in model.caption(entry(model, "initial_root"), None)
    assert model.caption(entry(model, "mass"), np.array([[0.9], [1.1]])) == (
        "Bars: the 2 environments now: 0.9 to 1.1, mean 1."
    )
    model.workbench.edit("randomisation.mass.params.scale", [1.0, 1.0])
    assert "Nothing varies" in model.caption(entry(model, "mass"), None)
    assert model.range_text(entry(model, "mass")) == "always 1"
