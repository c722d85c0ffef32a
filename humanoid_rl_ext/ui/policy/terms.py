"""Bars of the reward terms: green to the right of the middle, red to the left."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.policy.bars import TermBars
from humanoid_rl_ext.ui.runs import figures
from humanoid_rl_ext.ui.theme import px

NAME_WIDTH, VALUE_WIDTH, HEIGHT = 130, 66, 18
STYLE = {
    "Rectangle::gain": {"background_color": theme.ACCENT},
    "Rectangle::loss": {"background_color": theme.ERROR},
    "Rectangle::track": {"background_color": theme.FIELD},
}


class TermBarsView:
    """One line per term; lines are rebuilt when terms come or go, and only stretched otherwise."""

    def __init__(self, bars: TermBars) -> None:
        self._bars = bars
        self._names: list[str] = []
        self._lines: list[tuple[ui.ZStack, ui.Placer, ui.Rectangle, ui.Label]] = []

    def build(self) -> None:
        """Builds it inside the current container."""
        with ui.HStack(height=px(HEIGHT), spacing=px(theme.SPACING)):
            self._total = ui.Label("", width=px(NAME_WIDTH), name="small", identifier="policy.terms.total")
            self._scale = ui.Label("", name="small", alignment=ui.Alignment.CENTER)
            ui.Label("per second", width=px(VALUE_WIDTH), name="small", alignment=ui.Alignment.RIGHT_CENTER)
        self._frame = ui.Frame(build_fn=self._build_lines, style=STYLE)

    def update(self) -> None:
        """Shows the present values."""
        if self._bars.names != self._names:
            self._names, self._lines = self._bars.names, []
            self._frame.rebuild()
        scale = f"{self._bars.scale:g}" if self._names else ""
        self._total.text = f"Total {figures.figure(self._bars.total)}" if self._names else "Nothing is played"
        self._scale.text = f"-{scale}  to  {scale}" if self._names else ""
        for bar, (track, placer, rectangle, label) in zip(self._bars.bars(), self._lines, strict=False):
            half = track.computed_width / 2
            length = abs(bar.share) * half
            placer.offset_x = ui.Pixel(half - length if bar.share < 0 else half)
            rectangle.width = ui.Pixel(length)
            rectangle.name = "loss" if bar.share < 0 else "gain"
            label.text = f"{bar.value:.3f}" if abs(bar.value) >= 5e-4 else "0"

    def _build_lines(self) -> None:
        self._lines = []
        with ui.VStack(height=0, spacing=px(2)):
            for name in self._names:
                with ui.HStack(height=px(HEIGHT), spacing=px(theme.SPACING)):
                    ui.Label(figures.shortened(name, 19), width=px(NAME_WIDTH), name="small", tooltip=name)
                    track = ui.ZStack()
                    with track:
                        ui.Rectangle(name="track")
                        with ui.Placer() as placer:
                            rectangle = ui.Rectangle(width=0, height=px(HEIGHT), name="gain")
                    value = ui.Label(
                        "",
                        width=px(VALUE_WIDTH),
                        alignment=ui.Alignment.RIGHT_CENTER,
                        identifier=f"policy.terms.{name}",
                        tooltip="Weight times the term: reward per second in the last steps",
                    )
                    self._lines.append((track, placer, rectangle, value))
