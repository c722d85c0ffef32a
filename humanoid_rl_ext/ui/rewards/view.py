"""The Rewards section: a table of what the robot is rewarded for, with what each part earns while training."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.buttons import BUTTON
from humanoid_rl_ext.ui.fields.row import MARK_WIDTH
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.rewards.model import RewardsModel
from humanoid_rl_ext.ui.rewards.picker import Picker
from humanoid_rl_ext.ui.rewards.row import (
    BAR,
    GAP,
    MEAN_HELP,
    PERCENT,
    TREND,
    VALUE,
    RewardRow,
    figure,
    header,
    percent,
    set_text,
)
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

REFRESH_S = 0.25
NOTE = "Edits act at once while training; each is logged and marked in the plots."


class RewardsSection:
    """One tab of the panel."""

    title = "Rewards"

    def __init__(self, workbench: Workbench) -> None:
        self.model = RewardsModel(workbench)
        self._shape = self.model.shape()
        self._rows: list[RewardRow] = []
        self._gone: list[RewardRow] = []
        self._opened: set[str] = set()
        self._changed: set[str] = set()
        self._built, self._fresh, self._next_refresh = False, False, 0.0
        self._disconnect = [
            workbench.draft_changed.connect(self._changed.add),
            workbench.metrics_added.connect(lambda metrics: self._age()),
            workbench.state_changed.connect(self._age),
        ]

    def build(self) -> None:
        """Builds the section inside the current frame."""
        with ui.HStack(height=0):
            ui.Spacer(width=px(4))
            with ui.VStack(height=0, spacing=px(theme.SPACING)):
                ui.Spacer(height=0)
                self._build_tools()
                self._picker = Picker(self.model, lambda: self._show_picker(False))
                self._list = ui.VStack(height=0, spacing=px(theme.SPACING))
                with self._list:
                    ui.Label(NOTE, name="small", word_wrap=True, height=0)
                    header()
                    self._table = ui.Frame(height=0, build_fn=self._build_table)
                    self._build_total()
                ui.Spacer(height=px(8))
            ui.Spacer(width=px(4))
        self._built = True
        self.model.prepare()

    def update(self, now: float) -> None:
        """Takes over edits at once, and new figures four times a second."""
        if not self._built:
            return
        if self._changed:
            paths = set(self._changed)
            self._changed.clear()
            self._take_over(paths)
        if not self._fresh and now >= self._next_refresh:
            self._fresh, self._next_refresh = True, now + REFRESH_S
            self._show_figures()

    def destroy(self) -> None:
        """Ends the connections to the workbench."""
        for disconnect in self._disconnect:
            disconnect()

    def _age(self) -> None:
        self._fresh = False

    def _take_over(self, paths: set[str]) -> None:
        shape = self.model.shape()
        if shape != self._shape:
            self._shape = shape
            self._gone, self._rows = self._rows, []  # the table is built anew in the next frame
            self._table.rebuild()
            self._picker.renew()
        else:
            for row in self._rows:
                row.refresh(paths)
        self._say("")
        self._show_undo()
        self._fresh = False

    def _build_tools(self) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            self._add = ui.Button(
                "Add reward ...",
                width=px(120),
                identifier="rewards.add",
                tooltip="Shows the reward terms that can be added, or the table again",
                clicked_fn=lambda: self._show_picker(not self._picker.shown),
            )
            self._undo = ui.Button("Undo", width=px(70), identifier="rewards.undo", clicked_fn=self._take_back)
            ui.Spacer()
        self._problem = ui.Label(
            "", name="error", word_wrap=True, height=0, visible=False, identifier="rewards.problem"
        )
        self._show_undo()

    def _build_table(self) -> None:
        release([self._gone, self._rows])
        self._gone, self._rows = [], []
        with ui.VStack(height=0, spacing=px(1)):
            for row in self.model.rows():
                self._rows.append(RewardRow(self.model, row, self._opened, self._say))
        self._fresh = False

    def _build_total(self) -> None:
        ui.Line(height=px(2))
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(GAP)):
            ui.Label("Mean episode return", tooltip="All rewards together: the sum of the means above")
            self._total = ui.Label(
                "-",
                width=px(VALUE),
                alignment=ui.Alignment.RIGHT_CENTER,
                identifier="rewards.total",
                tooltip=MEAN_HELP,
                style={"font_size": px(theme.FONT_SMALL), "color": theme.TEXT},
            )
            self._net = ui.Label(
                "",
                width=px(BAR + GAP + PERCENT),
                alignment=ui.Alignment.RIGHT_CENTER,
                identifier="rewards.net",
                tooltip="Sum of the shares: 100 % where nothing is blamed, 0 % where blame eats up all praise",
                style={"font_size": px(theme.FONT_SMALL), "color": theme.TEXT},
            )
            ui.Spacer(width=px(TREND + BUTTON + MARK_WIDTH + 2 * GAP))

    def _show_picker(self, shown: bool) -> None:
        self._picker.show(shown)
        self._add.name = "on" if shown else ""
        self._list.visible = not shown

    def _take_back(self) -> None:
        self._say(self.model.undo())

    def _say(self, reason: str) -> None:
        if self._problem.text != reason:
            self._problem.text = reason
            self._problem.visible = bool(reason)

    def _show_undo(self) -> None:
        text = self.model.undo_help
        self._undo.enabled = bool(text)
        self._undo.tooltip = text or "There is nothing to undo"

    def _show_figures(self) -> None:
        earned = self.model.earned()
        largest = max((abs(one.share) for one in earned.values() if one.share), default=1.0)
        for row in self._rows:
            row.show(earned[row.name], largest, self.model.trend(row.name))
        total = self.model.total(earned)
        set_text(self._total, figure(total.value))
        set_text(self._net, percent(total.share))
