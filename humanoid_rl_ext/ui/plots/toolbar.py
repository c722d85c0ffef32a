"""The row above the charts: which, how smooth, how far back, which runs; and save."""

from __future__ import annotations

from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.plots import export
from humanoid_rl_ext.ui.plots.charts import GROUPS
from humanoid_rl_ext.ui.plots.model import MOST_SMOOTHING, SPANS, PlotsModel
from humanoid_rl_ext.ui.theme import px

ADD = "Add ..."
LETTERS = 96
"""Letters of compared runs' names that fit in one row of a narrow window."""


class Toolbar:
    """Buttons for everything that the plots can do; ``update`` shows what has changed."""

    def __init__(self, model: PlotsModel) -> None:
        self._model = model
        self._tabs: dict[str, ui.Button] = {}
        self._choices: list[str] = []
        self._shown_at = -1
        self._shown_runs: list[tuple[str, bool]] = []

    def build(self) -> None:
        """Builds the toolbar inside the current container."""
        with ui.VStack(height=0, spacing=px(2)):
            with (
                ui.Frame(height=px(theme.ROW_HEIGHT), horizontal_clipping=True),
                ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)),
            ):
                for group, help in GROUPS.items():
                    self._tabs[group] = ui.Button(
                        group,
                        width=px(68),
                        identifier=f"plots.group.{group}",
                        tooltip=help,
                        clicked_fn=lambda group=group: self._model.open(group),
                    )
                self._picker = ui.Frame(width=px(124), visible=False, build_fn=self._build_picker)
                ui.Spacer()
                self._build_smoothing()
                self._build_span()
                ui.Label("Save", name="small", width=0)
                for name, help, save in (
                    ("PNG", "Save these charts as a picture", self._save_png),
                    ("CSV", "Save the curves that are shown, as they were measured, as a table", self._save_csv),
                ):
                    ui.Button(
                        name,
                        width=px(46),
                        identifier=f"plots.save_{name.lower()}",
                        tooltip=help,
                        clicked_fn=save,
                    )
            self._runs = ui.Frame(height=0, build_fn=self._build_runs)

    def update(self) -> None:
        """Shows what has changed; cheap when nothing has."""
        model = self._model
        choices = model.choices() if model.group == "More" else []
        if choices != self._choices:
            self._choices, self._picker.visible = choices, bool(choices)
            self._picker.rebuild()
        if self._shown_at != model.choice_version:
            self._shown_at = model.choice_version
            for group, tab in self._tabs.items():
                tab.name = "on" if group == model.group else "flat"
            runs = [(run.key, run.key in model.hidden) for run in model.chips]
            if runs != self._shown_runs:
                self._shown_runs = runs
                self._runs.rebuild()

    def _build_smoothing(self) -> None:
        tooltip = "Weight of the past in the moving average that is drawn; 0 draws what was measured"
        ui.Label("Smoothing", name="small", width=px(70), tooltip=tooltip)
        slider = ui.FloatSlider(
            min=0.0,
            max=MOST_SMOOTHING,
            step=0.01,
            format="%.2f",
            width=px(90),
            style={"padding": px(4)},
            identifier="plots.smoothing",
            tooltip=tooltip,
        )
        slider.model.set_value(self._model.smoothing)

        def choose(model: Any) -> None:
            self._model.workbench.host.interacted()
            self._model.set_smoothing(model.as_float)

        slider.model.add_value_changed_fn(choose)

    def _build_span(self) -> None:
        names = list(SPANS)
        combo = ui.ComboBox(
            names.index(self._model.span),
            *names,
            width=px(100),
            style={"padding": px(4)},
            identifier="plots.span",
            tooltip="Which part of the runs is shown",
        )
        combo.model.add_item_changed_fn(
            lambda model, _: self._model.set_span(names[model.get_item_value_model().as_int])
        )

    def _build_picker(self) -> None:
        combo = ui.ComboBox(
            0,
            ADD,
            *self._choices,
            style={"padding": px(4)},
            identifier="plots.add",
            tooltip="Add a chart of any metric to these",
        )

        def choose(model: Any, _: Any) -> None:
            index = model.get_item_value_model().as_int
            if index:
                self._model.pick(self._choices[index - 1])

        combo.model.add_item_changed_fn(choose)

    def _build_runs(self) -> None:
        chips = self._model.chips
        letters = max(6, LETTERS // max(len(chips), 1) - 6)
        height = px(theme.ROW_HEIGHT - 2) if chips else 0
        with ui.HStack(height=height):
            for run in chips:
                shown = run.key not in self._model.hidden
                name = run.name if len(run.name) <= letters else f"{run.name[: letters - 3]}..."
                with ui.ZStack(width=0):
                    ui.Button(
                        name="flat",
                        height=height,
                        identifier=f"plots.run.{run.key}",
                        tooltip=f"{run.path or 'The run at work, or the last one'}\nClick to show or hide it",
                        clicked_fn=lambda key=run.key: self._model.toggle(key),
                    )
                    with ui.HStack(width=0, spacing=px(5)):
                        ui.Spacer(width=0)
                        with ui.VStack(width=px(9)):
                            ui.Spacer()
                            ui.Rectangle(height=px(9), style={"background_color": run.color if shown else theme.BORDER})
                            ui.Spacer()
                        ui.Label(name, name="small", width=0)
                        ui.Spacer(width=px(2))
                if run.path is not None:
                    ui.Button(
                        "x",
                        name="flat",
                        width=px(20),
                        identifier=f"plots.run.remove.{run.key}",
                        tooltip="Compare with this run no longer",
                        clicked_fn=lambda key=run.key: self._model.remove(key),
                    )
            ui.Spacer()

    def _save_png(self) -> None:
        model = self._model
        model.workbench.host.pick_new_file(
            "Save the charts", f"{model.group.lower()}.png", lambda path: export.save_png(model, path)
        )

    def _save_csv(self) -> None:
        model = self._model
        model.workbench.host.pick_new_file(
            "Save the curves", f"{model.group.lower()}.csv", lambda path: export.save_csv(model, path)
        )
