"""Shows the terrain from above: the picture, kinds and levels at its edges, the colours' heights beside it."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.numbers import format_number
from humanoid_rl_ext.ui.fields.spec import humanised
from humanoid_rl_ext.ui.terrain.model import TerrainModel, spread
from humanoid_rl_ext.ui.terrain.preview import TerrainPreview, fitted
from humanoid_rl_ext.ui.terrain.relief import Relief
from humanoid_rl_ext.ui.theme import px

NAMES, WIDTH, HEIGHT, SCALE, VALUES = 112, 214, 340, 8, 44
"""Sizes before ``px``: names of kinds, the box that the picture fits in, the scale of colours and its heights."""
LINE = 15
"""Room that a line of small text takes, before ``px``."""
LEVEL_ROOM = 20
"""Least distance between two numbers of levels, before ``px``."""
SMALL = {"background_color": theme.BORDER}


class TerrainPicture:
    """Built in the current frame; ``update`` once per frame while it is on the screen."""

    def __init__(self, model: TerrainModel) -> None:
        self.preview = TerrainPreview(model.workbench, int(px(WIDTH)), int(px(HEIGHT)))
        self._version, self._edges = -1, ""
        self._pictures: tuple[ui.ByteImageProvider, ui.ByteImageProvider] | None = None
        with ui.VStack(height=0, spacing=px(2)):
            self._reason = ui.Label(
                "", name="error", word_wrap=True, height=0, visible=False, identifier="scene.terrain:reason"
            )
            self._stack = ui.VStack(height=0)
            self._caption = ui.Label(
                "", name="small", word_wrap=True, height=px(LINE + 3), identifier="scene.terrain:caption"
            )

    def update(self, now: float) -> bool:
        """Takes over what the preview has; whether that was anything new."""
        self.preview.update(now)
        if self.preview.version == self._version:
            return False
        self._version = self.preview.version
        relief, reason = self.preview.relief, self.preview.reason
        self._reason.text = f"No terrain: {reason}" if reason else ""
        self._reason.visible = bool(reason)
        edges = "" if relief is None else repr((relief.size, relief.bands, relief.levels, relief.low, relief.high))
        if edges != self._edges:
            self._edges = edges
            self._stack.clear()
            self._pictures = None
            if relief is not None:
                with self._stack:
                    self._pictures = self._build(relief)
        if relief is not None and self._pictures is not None:
            for provider, pixels in zip(self._pictures, (relief.pixels, relief.scale), strict=True):
                provider.set_data_array(pixels, [pixels.shape[1], pixels.shape[0]])
        self._caption.text = self._words()
        return True

    def _words(self) -> str:
        relief = self.preview.relief
        if self.preview.busy:
            return "Building the terrain ..."
        if relief is None:
            return ""
        along_x, along_y = (format_number(round(length, 1)) for length in relief.size)
        return f"Heights {relief.low:.2f} to {relief.high:.2f} m. {along_x} m by {along_y} m, seen from above."

    def _build(self, relief: Relief) -> tuple[ui.ByteImageProvider, ui.ByteImageProvider]:
        width, height = fitted(relief.size, self.preview.box)
        names = [(name, top, bottom) for name, top, bottom in relief.bands]
        tall = max(height, len(names) * px(LINE))
        above = (tall - height) / 2
        with ui.HStack(height=tall, spacing=0):
            with ui.ZStack(width=px(NAMES), height=tall):
                middles = [above + (top + bottom) / 2 * height for _, top, bottom in names]
                for (name, _, _), place in zip(names, spread(middles, px(LINE), tall), strict=True):
                    with ui.Placer(offset_y=place - px(LINE) / 2):
                        ui.Label(
                            humanised(name),
                            name="small",
                            width=px(NAMES - 6),
                            height=px(LINE),
                            alignment=ui.Alignment.RIGHT_CENTER,
                            elided_text=True,
                            identifier=f"scene.terrain:band:{name}",
                        )
            with ui.ZStack(width=px(6), height=tall):
                for _, top, bottom in names:
                    with ui.Placer(offset_y=above + top * height + 1):
                        ui.Rectangle(width=px(3), height=max(1, (bottom - top) * height - 2), style=SMALL)
            picture = self._image(width, height, above, "scene.terrain:picture")
            ui.Spacer(width=px(10))
            scale = self._image(px(SCALE), height, above, "scene.terrain:scale")
            self._build_heights(relief, height, tall, above)
            ui.Spacer()
        with ui.HStack(height=px(LINE + 3)):
            ui.Spacer(width=px(NAMES + 6))
            self._build_levels(relief, width)
        return picture, scale

    def _image(self, width: float, height: float, above: float, identifier: str) -> ui.ByteImageProvider:
        provider = ui.ByteImageProvider()
        with ui.VStack(width=width):
            ui.Spacer(height=above)
            ui.ImageWithProvider(
                provider,
                width=width,
                height=height,
                fill_policy=ui.IwpFillPolicy.IWP_STRETCH,
                identifier=identifier,
            )
            ui.Spacer()
        return provider

    def _build_heights(self, relief: Relief, height: float, tall: float, above: float) -> None:
        """The highest, the level and the lowest height beside their colours."""
        values = [(relief.high, 0.0)]
        if relief.low < 0.0 < relief.high and height > 4 * px(LINE):
            values.append((0.0, 0.5))
        values.append((relief.low, 1.0))
        with ui.ZStack(width=px(VALUES), height=tall):
            middles = [above + share * height for _, share in values]
            for (value, _), place in zip(values, spread(middles, px(LINE), tall), strict=True):
                with ui.Placer(offset_x=px(5), offset_y=place - px(LINE) / 2):
                    ui.Label(f"{value:.2f}" if value else "0 m", name="small", height=px(LINE), width=px(VALUES - 5))

    def _build_levels(self, relief: Relief, width: float) -> None:
        """Numbers of levels below their middles, as many as there is room for."""
        levels = relief.levels
        apart = (levels[1] - levels[0]) * width if len(levels) > 1 else width
        every = next(step for step in (1, 2, 5, 10, 20, 50, 100) if step * apart >= px(LEVEL_ROOM) or step == 100)
        with ui.ZStack(width=width + px(VALUES), height=px(LINE + 3)):
            for level in range(0, len(levels), every):
                with ui.Placer(offset_x=levels[level] * width - px(LEVEL_ROOM) / 2):
                    ui.Label(
                        str(level),
                        name="small",
                        width=px(LEVEL_ROOM),
                        alignment=ui.Alignment.CENTER,
                        identifier=f"scene.terrain:level:{level}",
                    )
            with ui.Placer(offset_x=width + px(4)):
                ui.Label("level", name="small", width=px(40))
