"""One edited value without a widget: the text that stands in the field, why it is refused, whether it was changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.errors import HumanoidRLError, TaskError
from humanoid_rl_ext.ui.draft import MISSING
from humanoid_rl_ext.ui.fields.numbers import scrub_step
from humanoid_rl_ext.ui.fields.spec import FieldSpec

if TYPE_CHECKING:
    from humanoid_rl_ext.ui.workbench import Workbench


def no_default() -> Any:
    """The default of a value that has none."""
    return MISSING


class Binding:
    """Ties a spec to where its value lives; a wrong text stays in ``texts`` with its ``reason`` and is not written.

    ``write`` may raise TaskError (or another error of ours, or ValueError) with the reason. ``read`` and ``default``
    may return ``MISSING``, for a value that has gone and for one without a default.
    """

    def __init__(
        self,
        spec: FieldSpec,
        read: Callable[[], Any],
        write: Callable[[Any], object],
        default: Callable[[], Any] = no_default,
        *,
        waits: Callable[[], bool] = lambda: False,
    ) -> None:
        self.spec, self._read, self._write, self._default, self._waits = spec, read, write, default, waits
        self.reason = ""
        """Why what is shown is not allowed; empty while it is."""
        self._seen = read()
        self.texts = [""] * spec.parts
        """What stands in each field of the row: several for a range or a vector."""
        if self._seen is not MISSING:
            self._show(spec.format(self._seen))

    @property
    def value(self) -> Any:
        """The value as it is now, wrong texts aside."""
        return self._read()

    @property
    def default(self) -> Any:
        """The value that ``reset`` would put back, or ``MISSING``."""
        return self._default()

    @property
    def changed(self) -> bool:
        """Whether the value differs from its default."""
        default = self._default()
        return default is not MISSING and _plain(self._read()) != _plain(default)

    @property
    def waits(self) -> bool:
        """Whether a run is at work that an edit does not reach."""
        return self._waits()

    @property
    def text(self) -> str:
        """What is shown, as one text; the fields of a range or a vector stand between commas."""
        return ", ".join(self.texts) if any(self.texts) else ""

    @property
    def tooltip(self) -> str:
        """Everything about the value: help, unit, what is allowed, its default, when an edit acts."""
        spec, default = self.spec, self._default()
        default = spec.default if default is MISSING else default
        facts = [spec.help]
        if spec.allowed:
            facts.append(f"Allowed: {spec.allowed}")
        elif spec.unit:
            facts.append(f"Unit: {spec.unit}")
        if default is not MISSING:
            facts.append(f"Default: {spec.format(default) or 'none'}")
        if spec.optional and spec.kind not in ("choice", "switch"):
            facts.append("Empty: none")
        if self.waits:
            facts.append("Takes effect in the next run")
        return "\n".join([*filter(None, facts), spec.path])

    def type(self, text: str) -> bool:
        """Takes what the user typed and writes it if it is allowed; whether it was."""
        self._show(text)
        if text == self.spec.format(self._read()):
            self.reason = ""
            return True
        try:
            value = self.spec.parse(text)
        except ValueError as error:
            self.reason = str(error)
            return False
        return self._put(self._unrounded(text, value), text)

    def type_part(self, part: int, text: str) -> bool:
        """As ``type``, for one field of a range or a vector."""
        self.texts[part] = text = text.strip()
        if self.spec.parts > 1 and text:
            try:
                self.spec.parse_one(text)
            except ValueError as error:
                self.reason = str(error)
                return False
        return self.type(self.text)

    def set(self, value: Any) -> bool:
        """Writes a value that no text stands for (a check box, a drag); whether it was allowed."""
        return self._put(value, self.spec.format(value))

    def reset(self) -> None:
        """Puts the default back."""
        default = self._default()
        if default is not MISSING:
            self.set(default)

    def scrubbed(self, start: float, pixels: float) -> float:
        """The number that a drag by ``pixels`` from ``start`` gives: allowed, and round."""
        spec = self.spec
        step = scrub_step(start, spec.low, spec.high, spec.whole)
        value = spec.clamped(start + round(pixels) * step)
        return round(value) if spec.whole else float(f"{value:.6g}")

    def refresh(self) -> bool:
        """Takes over a value that others have changed; whether what is shown changed. A wrong text stays until then."""
        value = self._read()
        if value is MISSING or (value == self._seen and (self.reason or self.text == self.spec.format(value))):
            return False
        self._seen, self.reason = value, ""
        self._show(self.spec.format(value))
        return True

    def _put(self, value: Any, text: str) -> bool:
        try:
            self._write(value)
        except (HumanoidRLError, ValueError) as error:
            self._show(text)
            self.reason = reason_of(error, self.spec.path)
            return False
        self._seen, self.reason = self._read(), ""
        self._show(self.spec.format(self._seen))
        return True

    def _show(self, text: str) -> None:
        parts = self.spec.parts
        texts = [part.strip() for part in text.split(",")] if parts > 1 else [text]
        self.texts = (texts + [""] * parts)[:parts]

    def _unrounded(self, text: str, value: Any) -> Any:
        """The typed list, with the exact old number wherever its text was left alone."""
        old = self._read()
        if not isinstance(value, list) or not isinstance(old, list | tuple) or len(old) != len(value):
            return value
        texts = [part.strip() for part in text.strip("[] ").split(",")]
        return [a if self.spec.format(a) == t else b for a, b, t in zip(old, value, texts, strict=False)]


def bind(workbench: Workbench, spec: FieldSpec) -> Binding:
    """The binding of a value of the draft: read, edited and reset through the workbench."""

    def read() -> Any:
        try:
            return workbench.draft.value(spec.path)
        except TaskError:
            return MISSING

    return Binding(
        spec,
        read,
        lambda value: workbench.edit(spec.path, value),
        lambda: workbench.draft.default(spec.path),
        waits=lambda: workbench.session is not None and not workbench.acts_now(spec.path),
    )


def tried(workbench: Workbench, path: str, value: object) -> str:
    """Edits the draft; why that is not possible, or ''."""
    try:
        workbench.edit(path, value)
    except TaskError as error:
        return reason_of(error, path)
    return ""


def reason_of(error: Exception, path: str) -> str:
    """An error's text without the place, which the field itself shows; a place in another table stays."""
    text = str(error).removeprefix(f"edit '{path}': ").removeprefix("task: ")
    place, _, rest = text.partition(": ")
    return rest if rest and place.split(".")[0] in path.split(".") else text


def touches(changed: str, path: str) -> bool:
    """Whether a change at one path can change the value at another; '' touches everything."""
    return not changed or changed == path or changed.startswith(f"{path}.") or path.startswith(f"{changed}.")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
