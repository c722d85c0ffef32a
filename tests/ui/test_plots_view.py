"""The plots under a real mouse: curves are drawn, read, switched off, compared and saved, at two sizes."""

from __future__ import annotations

import time

import numpy as np
import pytest
from layout import flaws
from numpy.random import default_rng
from omni import ui
from omni.ui import _ui
from PIL import Image
from test_plots_model import learned, mark, metrics_at, run_folder, workbench  # noqa: F401

from humanoid_rl_ext.train.metrics import MetricHistory
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots.axis import value_text
from humanoid_rl_ext.ui.plots.view import PlotsView

SIZES = {1: (840, 230), 1.5: (1270, 700)}


@pytest.fixture
def plots(workbench, driver, monkeypatch, request):  # noqa: F811
    """The plots in a window of their own: (view, window)."""
    scale = getattr(request, "param", 1)
    monkeypatch.setattr(theme, "_scale", float(scale))
    view = PlotsView(workbench)
    width, height = SIZES[scale]
    flags = ui.WINDOW_FLAGS_NO_SCROLLBAR | ui.WINDOW_FLAGS_NO_MOVE
    window = ui.Window(f"plots at {scale}", width=width, height=height, position_x=0, position_y=0, flags=flags)
    window.frame.style = theme.style()
    with window.frame:
        view.build()

    def each_frame() -> None:
        workbench.background.poll()
        view.update(time.perf_counter())

    driver.each_frame = each_frame
    yield view, window
    driver.each_frame = lambda: None
    view.destroy()
    window.destroy()


@pytest.mark.parametrize("plots", [1, 1.5], indirect=True)
def test_every_group_looks_right(driver, pictures, workbench, plots, tmp_path):  # noqa: F811
    view, window = plots
    found = []

    async def look(group: str, name: str) -> None:
        await driver.click(driver.find(window, id=f"plots.group.{group}"))
        await driver.frames(14)
        await driver.screenshot(pictures / f"plots_{theme.scale():g}_{name}.png")
        found.extend(f"{name}: {flaw}" for flaw in flaws(window))
        found.extend(f"{name}: {chart.chart.title} is empty" for chart in view.views if not chart.figure.samples)

    async def use() -> None:
        await driver.frames(12)
        assert "Start a run" in driver.find(window, id="plots.return.reason").text
        await driver.screenshot(pictures / f"plots_{theme.scale():g}_empty.png")
        found.extend(flaws(window))
        learned(workbench, 400)
        mark(workbench, 600_000)
        for group in ("Learning", "Policy", "Rewards", "More"):
            await look(group, group)
        view.model.compare([run_folder(tmp_path, 1), run_folder(tmp_path, 2)])
        await driver.until(lambda: len(view.model.runs) == 3)
        for group in ("Learning", "Rewards"):
            await look(group, f"{group}_compared")

    driver.run(use())
    assert not found, "\n".join(found)


async def point_at(driver, chart, share: float) -> None:
    """Moves the mouse over a chart's plot, to a share of its width."""
    image = chart._image
    x = image.screen_position_x + share * image.computed_width
    _ui._inject_mouse_move(x, image.screen_position_y + image.computed_height / 2)
    await driver.frames(3)


def test_the_mouse_reads_values_and_edits_off_the_curve(driver, pictures, workbench, plots):  # noqa: F811
    view, window = plots

    async def use() -> None:
        view.model.set_smoothing(0.0)
        learned(workbench, 101)
        mark(workbench, 4096 * 51)
        await driver.frames(14)
        chart = view.views[0]
        reading, value = (driver.find(window, id=f"plots.return.{name}") for name in ("reading", "value."))
        newest = value.text
        await point_at(driver, chart, 0.3)
        assert chart._cursor.visible and not chart._tip.visible
        assert reading.text == "at 127k" and value.text == value_text(metrics_at(31)["episode/return"])
        await point_at(driver, chart, 0.5)
        assert chart._tip.visible
        assert driver.find(window, id="plots.return.edit").text == "weight of alive 0.5 -> 1.0"
        cursor = chart._image.screen_position_x + chart._cursor.offset_x.value
        assert abs(cursor - chart._image.screen_position_x - 0.5 * chart._image.computed_width) < 3.0
        await shoot(driver, pictures / "plots_hover.png")
        await driver.park_mouse()
        assert not chart._cursor.visible and not chart._tip.visible
        assert value.text == newest and reading.text == ""

    driver.run(use())


async def shoot(driver, path) -> None:
    """A screenshot with the mouse where it is."""
    assert _ui._schedule_screenshot(str(path))
    await driver.frames(3)
    assert _ui._poll_screenshot_done() and _ui._get_screenshot_result().get("success")


def test_clicks_switch_curves_runs_and_charts(driver, workbench, plots, tmp_path):  # noqa: F811
    view, window = plots
    model = view.model

    async def use() -> None:
        learned(workbench, 60)
        await driver.click(driver.find(window, id="plots.group.Rewards"))
        await driver.frames(6)
        await driver.click(driver.find(window, id="plots.rewards.legend.reward/alive"))
        await driver.frames(3)
        assert model.hidden == {"reward/alive"} and len(view.views[0].figure.samples) == 6
        assert driver.find(window, id="plots.rewards.value.reward/alive").text == "off"
        run = run_folder(tmp_path, 1, 50)
        model.compare([run])
        await driver.click(driver.find(window, id="plots.group.Learning"))
        await driver.until(lambda: [len(chart.figure.samples) for chart in view.views if chart.figure] == [2, 2, 2])
        await driver.click(driver.find(window, id=f"plots.run.{run}"))
        await driver.frames(6)
        assert [curve.visible for curve in view.views[0].figure.curves] == [True, False]
        await driver.click(driver.find(window, id=f"plots.run.remove.{run}"))
        await driver.frames(6)
        assert model.compared == [] and not driver.find_all(window, id=f"plots.run.{run}")
        await driver.click(driver.find(window, id="plots.group.More"))
        await driver.frames(3)
        driver.find(window, id="plots.add").model.get_item_value_model().set_value(2)
        await driver.frames(8)
        assert [chart.chart.title for chart in view.views] == ["Forward speed", "Power", "Steps per second"]
        await driver.click(driver.find(window, id="plots.steps_per_second.remove"))
        await driver.frames(4)
        assert len(view.views) == 2
        driver.find(window, id="plots.span").model.get_item_value_model().set_value(1)
        driver.find(window, id="plots.smoothing").model.set_value(0.25)
        await driver.frames(6)
        assert model.span == "Last half" and model.smoothing == 0.25
        assert view.views[0].figure.x_limits[0] > 100_000

    driver.run(use())


def test_buttons_save_what_is_shown(driver, workbench, plots, tmp_path):  # noqa: F811
    _, window = plots

    async def use() -> None:
        learned(workbench, 30)
        await driver.frames(6)
        for name in ("png", "csv"):
            workbench.host.file = tmp_path / f"learning.{name}"
            await driver.click(driver.find(window, id=f"plots.save_{name}"))
        await driver.until(lambda: not workbench.background.busy)
        assert Image.open(tmp_path / "learning.png").width > 1000
        assert (tmp_path / "learning.csv").read_text(encoding="utf-8").startswith("run,env_steps,episode/return")

    driver.run(use())


@pytest.mark.parametrize(("seconds", "rounds"), [(0.0, (3, 4, 5)), (0.02, (1,))])
def test_new_data_is_drawn_four_times_a_second_and_less_often_where_that_takes_long(
    driver,
    workbench,  # noqa: F811
    plots,
    monkeypatch,
    seconds,
    rounds,
):
    view, _ = plots
    clock = [1000.0]
    driver.each_frame = lambda: view.update(clock[0])
    drawn = []

    def note(chart) -> None:
        """Lets drawing a chart take so many seconds, as it says."""
        draw = chart.refresh

        def refresh() -> float:
            drawn.append(clock[0])
            draw()
            return seconds

        monkeypatch.setattr(chart, "refresh", refresh)

    async def use() -> None:
        learned(workbench, 30)
        await driver.frames(12)
        for chart in view.views:
            note(chart)
        for _ in range(2):  # the pace is that of the round before
            clock[0] += 10.0
            workbench.metrics_added.emit(metrics_at(31))
            await driver.frames(8)
        drawn.clear()
        clock[0] += 10.0
        for _ in range(100):
            clock[0] += 0.01
            workbench.metrics_added.emit(metrics_at(31))
            await driver.frames(1)
        assert len(drawn) / len(view.views) in rounds
        clock[0] += 10.0
        await driver.frames(8)
        drawn.clear()
        await driver.frames(20)
        assert not drawn

    driver.run(use())


def test_a_chart_of_ten_thousand_iterations_costs_no_more_than_one_of_a_thousand(driver, workbench, plots):  # noqa: F811
    view, _ = plots

    def history(iterations: int) -> MetricHistory:
        made = MetricHistory(iterations)
        noise = default_rng(0).normal(0.0, 0.1, iterations)
        for index, value in enumerate(np.sin(np.linspace(0.0, 6.0, iterations)) + noise):
            made.append({"env_steps": 100 * index, "episode/return": value})
        return made

    async def use() -> None:
        await driver.frames(6)
        costs: dict[int, list[float]] = {1000: [], 10_000: []}
        histories = {iterations: history(iterations) for iterations in costs}
        for _ in range(40):
            for iterations, seconds in costs.items():
                workbench.history = histories[iterations]
                seconds.append(view.views[0].refresh())
        assert min(costs[10_000]) < 1.3 * min(costs[1000]), {n: min(seconds) for n, seconds in costs.items()}

    driver.run(use())


def test_a_window_of_another_size_has_charts_of_another_size(driver, workbench, plots):  # noqa: F811
    view, window = plots

    async def use() -> None:
        learned(workbench, 30)
        await driver.frames(8)
        before = view.views[0]._size
        window.width, window.height = 1200, 400
        await driver.frames(10)
        larger = view.views[0]._size
        window.width, window.height = 840, 230
        await driver.frames(10)
        assert larger[0] > before[0] and larger[1] > before[1] and view.views[0]._size == before

    driver.run(use())
