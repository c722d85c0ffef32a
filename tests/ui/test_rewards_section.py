"""The table of rewards in a window: read, typed into, added to and removed from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
from shown import Shown, showing

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.rewards.view import RewardsSection
from humanoid_rl_ext.ui.workbench import Workbench


class ShownRewards(Shown):
    section_type = RewardsSection

    def __init__(self, driver, task: str, size: tuple[int, int] = (440, 650)) -> None:
        super().__init__(driver, task, size)

    def train(self, iterations: int = 70) -> None:
        """Puts as many iterations of made-up episodes into the history."""
        for iteration in range(iterations):
            grown = 1 - math.exp(-iteration / 20)
            metrics = {"episode/episodes": 4.0}
            for index, (name, section) in enumerate(self.bench.draft.task.rewards.items()):
                swing = 1 + 0.1 * math.sin(iteration * (index + 2))
                metrics[f"reward/{name}"] = math.copysign(8.0 * grown * swing / (index + 1), section.weight)
            self.bench.history.append(metrics)
            self.bench.metrics_added.emit(metrics)


@pytest.fixture
def show(driver, tmp_path, monkeypatch) -> Iterator[Callable[..., ShownRewards]]:
    with showing(ShownRewards, driver, tmp_path, monkeypatch) as open_it:
        yield open_it


def test_all_rewards_of_a_humanoid_fit_the_panel(driver, pictures, show):
    from layout import flaws

    async def look() -> None:
        shown = show("humanoid_walk", size=(440, 560))
        shown.train()
        await driver.frames(12)
        await driver.screenshot(pictures / "rewards.png")
        assert flaws(shown.window) == []
        last = shown.widget("rewards.total")
        assert last.screen_position_y + last.computed_height < 564

    driver.run(look())


def test_at_twice_the_scale_everything_is_twice_as_large(driver, pictures, show):
    from layout import flaws

    async def look() -> None:
        theme.set_scale(2.0)
        shown = show("cartpole_balance", size=(880, 700))
        shown.train()
        await driver.frames(12)
        await driver.click(shown.widget("rewards.pole_angle:open"))
        await driver.frames(4)
        await driver.screenshot(pictures / "rewards_2.png")
        assert flaws(shown.window) == []

    driver.run(look())


def test_figures_appear_with_the_first_episodes(driver, show):
    async def look() -> None:
        shown = show()
        await driver.frames(8)
        assert shown.widget("rewards.alive:value").text == "-" and not shown.there("rewards.alive:trend")
        metrics = {"episode/episodes": 2.0, "reward/alive": 6.0, "reward/termination": -2.0}
        for _ in range(2):
            shown.bench.history.append(metrics)
        shown.bench.metrics_added.emit(metrics)
        await driver.frames(8)
        assert shown.widget("rewards.alive:value").text == "6.000"
        assert shown.widget("rewards.alive:share").text == "75 %"
        assert shown.widget("rewards.termination:share").text == "-25 %"
        assert shown.widget("rewards.total").text == "4.000"
        assert shown.there("rewards.alive:trend")

    driver.run(look())


def test_a_weight_is_typed_and_a_wrong_one_is_refused_in_place(driver, pictures, show):
    async def use() -> None:
        shown = show()
        await driver.frames(6)
        field = shown.widget("rewards.alive.weight")
        await driver.type_into(field, "0.75")
        assert shown.bench.draft.value("rewards.alive.weight") == 0.75
        await driver.type_into(field, "much")
        assert shown.bench.draft.value("rewards.alive.weight") == 0.75
        assert "number" in shown.widget("rewards.alive:reason").text and field.name == "invalid"
        await driver.screenshot(pictures / "rewards_refused.png")
        await driver.type_into(field, "0.5")
        assert not shown.there("rewards.alive:reason") and shown.bench.draft.value("rewards.alive.weight") == 0.5
        await driver.click(shown.widget("rewards.alive:reset"))
        assert shown.bench.draft.value("rewards.alive.weight") == 1.0 and field.model.as_string == "1"

    driver.run(use())


def test_a_reward_is_switched_off_and_its_parameters_are_edited(driver, show):
    async def use() -> None:
        shown = show()
        await driver.frames(6)
        await driver.click(shown.widget("rewards.pole_angle.enabled"))
        assert shown.bench.draft.value("rewards.pole_angle.enabled") is False
        assert not shown.there("rewards.pole_angle.params.joints")
        await driver.click(shown.widget("rewards.pole_angle:open"))
        await driver.frames(4)
        await driver.type_into(shown.widget("rewards.pole_angle.params.joints"), ".*")
        assert shown.bench.draft.value("rewards.pole_angle.params.joints") == ".*"

    driver.run(use())


def test_a_reward_is_found_added_removed_and_brought_back(driver, pictures, show):
    from layout import flaws

    async def use() -> None:
        shown = show()
        await driver.frames(6)
        await driver.click(shown.widget("rewards.add"))
        await driver.frames(4)
        await driver.screenshot(pictures / "rewards_picker.png")
        assert flaws(shown.window) == []
        await driver.type_into(shown.widget("rewards.search"), "power")
        assert shown.there("rewards.add.energy") and not shown.there("rewards.add.effort")
        await driver.click(shown.widget("rewards.add.energy"))
        await driver.frames(6)
        assert shown.bench.draft.task.rewards["energy"].weight == -0.0002
        assert shown.widget("rewards.energy.weight").model.as_string == "-0.0002"
        await driver.click(shown.widget("rewards.energy:remove"))
        await driver.frames(6)
        assert "energy" not in shown.bench.draft.task.rewards and not shown.there("rewards.energy.weight")
        await driver.click(shown.widget("rewards.undo"))
        await driver.frames(6)
        assert shown.there("rewards.energy.weight")

    driver.run(use())


def test_the_last_reward_stays_and_the_reason_is_shown(driver, show):
    async def use() -> None:
        shown = show()
        for name in list(shown.bench.draft.task.rewards)[1:]:
            shown.bench.edit(f"rewards.{name}", None)
        await driver.frames(6)
        await driver.click(shown.widget("rewards.alive:remove"))
        await driver.frames(3)
        assert shown.there("rewards.alive.weight") and shown.widget("rewards.problem").text

    driver.run(use())


def test_edits_made_elsewhere_are_shown(driver, show):
    async def use() -> None:
        shown = show()
        await driver.frames(6)
        shown.bench.edit("rewards.alive.weight", 3.0)
        await driver.frames(3)
        assert shown.widget("rewards.alive.weight").model.as_string == "3"
        assert "3 becomes 1" in shown.widget("rewards.undo").tooltip
        shown.bench.load_task("walker_run")
        await driver.frames(6)
        assert shown.there("rewards.forward_velocity.weight") and not shown.there("rewards.pole_angle.weight")
        assert not shown.widget("rewards.undo").enabled

    driver.run(use())


def work_until(bench: Workbench, condition: Callable[[], bool]) -> None:
    """Trains without drawing until something holds."""
    for _ in range(2000):
        if condition():
            return
        bench.pump(0.02)
    raise AssertionError(bench.message)


def test_on_a_real_run_a_reward_is_added_earns_and_the_means_sum_to_the_return(driver, pictures, show):
    async def use() -> None:
        shown = show()
        bench = shown.bench
        bench.draft.edit("run.num_envs", 16)
        bench.start()
        await driver.until(lambda: bench.session is not None, 120.0)
        work_until(bench, lambda: shown.section.model.earned()["alive"].value is not None)
        await driver.frames(6)
        assert shown.widget("rewards.alive:value").text != "-"
        returned = bench.history.mean_over_episodes("episode/return", 10)
        means = [one.value for one in shown.section.model.earned().values()]
        assert sum(means) == pytest.approx(returned, rel=1e-4)
        await driver.click(shown.widget("rewards.add"))
        await driver.frames(4)
        await driver.type_into(shown.widget("rewards.search"), "power")
        await driver.click(shown.widget("rewards.add.energy"))
        assert (
            bench.session.task.rewards["energy"].weight == -0.0002 and bench.marks[-1].change.path == "rewards.energy"
        )
        work_until(bench, lambda: shown.section.model.earned()["energy"].value is not None)
        await driver.frames(8)
        assert shown.widget("rewards.energy:value").text != "-"
        await driver.screenshot(pictures / "rewards_training.png")

    driver.run(use())
