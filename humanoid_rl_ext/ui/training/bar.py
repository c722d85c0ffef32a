"""The run bar: start, pause, stop, save, how far the run is, and what there is to say; always in view."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.training.progress import Action, Figures, Progress, brief
from humanoid_rl_ext.ui.workbench import Workbench

REFRESH_S = 0.25
HEIGHT, BUTTONS, TRACK, TEXT = 90, 26, 16, 18
"""Heights of the bar and its rows before ``px``."""
FIGURES = {
    "rate": "Environment steps per second, all environments together, over the last 10 s",
    "left": "Time left at this rate",
    "elapsed": "Time this run has been working since it was started or taken up again",
    "memory": "Most memory that the process has used",
}
LABELS = {"info": "small", "warning": "warning", "error": "error"}


class RunBar:
    """Built once, above the tabs."""

    def __init__(self, workbench: Workbench) -> None:
        self.progress = Progress(workbench)
        self._workbench = workbench
        self._built, self._next_refresh = False, 0.0
        self._figures: dict[str, ui.Label] = {}
        self._disconnect = [
            workbench.state_changed.connect(self._hurry),
            workbench.message_changed.connect(self._hurry),
            workbench.draft_changed.connect(lambda path: self._hurry()),
        ]

    def build(self) -> None:
        """Builds the bar inside the current frame."""
        with ui.HStack(height=px(HEIGHT)):
            ui.Spacer(width=px(6))
            with ui.VStack(spacing=px(3)):
                ui.Spacer(height=0)
                self._build_buttons()
                self._line = ui.Label("", name="muted", height=px(TEXT), elided_text=True, identifier="bar.line")
                self._build_figures()
                self._build_message()
                ui.Spacer()
            ui.Spacer(width=px(6))
        self._built = True
        self._refresh()

    def update(self, now: float) -> None:
        """Shows what is new: at once after a change, else four times a second."""
        self.progress.poll()
        if self._built and now >= self._next_refresh:
            self._next_refresh = now + REFRESH_S
            self._refresh()

    def destroy(self) -> None:
        """Ends the connections to the workbench."""
        self.progress.destroy()
        for disconnect in self._disconnect:
            disconnect()

    def _hurry(self) -> None:
        self._next_refresh = 0.0

    def _build_buttons(self) -> None:
        def button(name: str, width: ui.Length, pressed: Callable[[], object], style: str = "") -> ui.Button:
            def press() -> None:
                pressed()
                self._hurry()

            return ui.Button(name.title(), width=width, name=style, identifier=f"bar.{name}", clicked_fn=press)

        progress = self.progress
        with ui.HStack(height=px(BUTTONS), spacing=px(theme.SPACING)):
            self._start = button("start", ui.Fraction(1.6), self._workbench.start, "primary")
            self._pause = button("pause", ui.Fraction(1), progress.press_pause)
            self._stop = button("stop", ui.Fraction(1), progress.press_stop)
            self._save = button("save", ui.Fraction(1), progress.press_save)

    def _build_figures(self) -> None:
        self._run = ui.VStack(height=px(TRACK + TEXT + 1), spacing=px(1), visible=False)
        with self._run:
            with ui.ZStack(height=px(TRACK)):
                ui.Rectangle(name="plot")
                with ui.HStack():
                    self._bar = ui.Rectangle(
                        width=ui.Percent(0),
                        style={"background_color": theme.ACCENT_DIM, "border_radius": px(3)},
                    )
                    ui.Spacer()
                self._done = ui.Label(
                    "",
                    alignment=ui.Alignment.CENTER,
                    identifier="bar.done",
                    tooltip="How much of the step budget is used; learning iterations",
                    style={"font_size": px(theme.FONT_SMALL), "color": theme.TEXT},
                )
            with ui.HStack(height=px(TEXT)):
                for name, help in FIGURES.items():
                    self._figures[name] = ui.Label(
                        "", name="small", alignment=ui.Alignment.CENTER, identifier=f"bar.{name}", tooltip=help
                    )

    def _build_message(self) -> None:
        self._message_row = ui.HStack(height=0, spacing=px(theme.SPACING), visible=False)
        with self._message_row:
            self._message = ui.Label("", height=px(TEXT), elided_text=True, identifier="bar.message")
            self._problem = ui.Label("", name="error", height=0, word_wrap=True, identifier="bar.problem")
            with ui.VStack(width=px(18)):
                ui.Button(
                    "x",
                    name="flat",
                    height=px(TEXT),
                    identifier="bar.dismiss",
                    tooltip="Takes the message away",
                    clicked_fn=lambda: self._workbench.say(""),
                    style={"padding": 0},
                )
                ui.Spacer()

    def _refresh(self) -> None:
        progress, message = self.progress, self._workbench.message
        for button, action in (
            (self._start, progress.start),
            (self._pause, progress.pause),
            (self._stop, progress.stop),
            (self._save, progress.save),
        ):
            _show_action(button, action)
        figures = progress.figures()
        wrong = bool(message.text) and (message.kind == "error" or (message.kind == "warning" and figures is None))
        self._run.visible = figures is not None and not wrong
        self._line.visible = figures is None and not wrong
        _set(self._line, progress.line)
        if figures is not None:
            self._show_figures(figures)
        self._message_row.visible = bool(message.text)
        self._message.visible, self._problem.visible = not wrong, wrong
        label = self._problem if wrong else self._message
        label.name = LABELS[message.kind]
        _set(label, brief(message) if wrong else message.text)
        if label.tooltip != message.text:
            label.tooltip = message.text

    def _show_figures(self, figures: Figures) -> None:
        self._bar.width = ui.Percent(100 * figures.progress)
        _set(self._done, f"{figures.done},  {figures.iteration}")
        for name, label in self._figures.items():
            _set(label, getattr(figures, name))


def _show_action(button: ui.Button, action: Action) -> None:
    _set(button, action.text)
    if button.enabled != action.enabled:
        button.enabled = action.enabled
    if button.tooltip != action.help:
        button.tooltip = action.help


def _set(widget: ui.Label | ui.Button, text: str) -> None:
    if widget.text != text:
        widget.text = text
