"""The heat map as a PNG: tasks × metrics above, last good × first failed step below. Drawn by Pillow, nothing else."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from workers.evaluation import figures
from workers.evaluation.matrices import COLUMNS, KINDS, RATES, Cell, Row, Transition, state_order

Colour = tuple[int, int, int]

PAPER: Colour = (255, 255, 255)
INK: Colour = (32, 33, 36)
FAINT: Colour = (120, 124, 130)
LINE: Colour = (222, 224, 228)
GREY: Colour = (240, 241, 243)
BAD: Colour = (214, 96, 77)
MIDDLE: Colour = (250, 236, 200)
GOOD: Colour = (90, 174, 97)
LITTLE: Colour = (239, 243, 255)
MUCH: Colour = (107, 153, 214)

RAMPS = (
    ("rate", "0%", "100%", (BAD, MIDDLE, GOOD)),
    ("amount", "little", "much", (LITTLE, MUCH)),
)
TOO_FEW = "grey: fewer than 5, or an interval wider than 40 points"
LABEL, WIDE, HIGH = 250, 104, 34
EDGE = 24


@dataclass(frozen=True)
class Fonts:
    small: ImageFont.FreeTypeFont | ImageFont.ImageFont
    plain: ImageFont.FreeTypeFont | ImageFont.ImageFont
    title: ImageFont.FreeTypeFont | ImageFont.ImageFont


def png(title: str, rows: Sequence[Row], moves: Sequence[Transition]) -> bytes:
    """One picture with both matrices."""
    fonts = Fonts(ImageFont.load_default(11), ImageFont.load_default(13), ImageFont.load_default(18))
    states = state_order({s for m in moves for s in (m.last_good, m.first_failed)})
    goods = state_order({m.last_good for m in moves})
    failed = state_order({m.first_failed for m in moves})
    upper = EDGE + 58 + HIGH * len(rows) + (HIGH + 8) * len({row.kind for row in rows}) + HIGH
    lower = 96 + HIGH * max(1, len(goods)) if moves else 70
    width = EDGE * 2 + LABEL + WIDE * max(len(COLUMNS), len(failed))
    image = Image.new("RGB", (width, upper + lower + EDGE), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((EDGE, EDGE), title, INK, fonts.title)
    _legend(draw, EDGE + 28, fonts)
    _heat(draw, rows, EDGE + 50, fonts)
    _moves(draw, moves, goods, failed, upper + 10, fonts, bool(states))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def colour(column: str, cell: Cell, most: float) -> Colour:
    """Rates from bad to good; amounts by their share of the column's largest; grey where there is too little."""
    if cell.value is None or cell.few:
        return GREY
    if column in RATES:
        if cell.value < 0.5:
            return mix(BAD, MIDDLE, cell.value * 2)
        return mix(MIDDLE, GOOD, cell.value * 2 - 1)
    return mix(LITTLE, MUCH, cell.value / most if most else 0.0)


def largest(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    """By kind of row and column: the amount that is drawn darkest."""
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        for column, cell in row.cells.items():
            if cell.value is not None and not cell.few:
                key = (row.kind, column)
                found[key] = max(found.get(key, 0.0), cell.value)
    return found


def _heat(draw: ImageDraw.ImageDraw, rows: Sequence[Row], top: int, fonts: Fonts) -> None:
    most = largest(rows)
    for i, column in enumerate(COLUMNS):
        _centred(draw, (EDGE + LABEL + i * WIDE, top), column, FAINT, fonts.plain)
    y = top + HIGH
    kind = ""
    for row in rows:
        if row.kind != kind:
            y += 8 if kind else -HIGH
            kind = row.kind
            draw.text((EDGE, y + 9), KINDS[kind], FAINT, fonts.plain)
            y += HIGH
        draw.text((EDGE, y + 9), _short(row.title, 34), INK, fonts.plain)
        for i, column in enumerate(COLUMNS):
            cell = row.cells[column]
            left = EDGE + LABEL + i * WIDE
            box = (left + 1, y + 1, left + WIDE - 1, y + HIGH - 1)
            draw.rectangle(box, colour(column, cell, most.get((row.kind, column), 0.0)))
            faint = cell.value is None or cell.few
            _centred(draw, (left, y + 1), figures.cell(column, cell), FAINT if faint else INK, fonts.plain)
            if cell.n:
                _centred(draw, (left, y + 16), f"n {cell.n}", FAINT if faint else INK, fonts.small)
        y += HIGH


def _legend(draw: ImageDraw.ImageDraw, top: int, fonts: Fonts) -> None:
    left = float(EDGE)
    for name, low, high, ramp in RAMPS:
        words = f"{name} {low}"
        draw.text((left, top), words, FAINT, fonts.small)
        left += draw.textlength(words, font=fonts.small) + 6
        for i in range(60):
            at = i / 59 * (len(ramp) - 1)
            first = min(int(at), len(ramp) - 2)
            draw.line((left + i, top, left + i, top + 12), mix(ramp[first], ramp[first + 1], at - first))
        draw.text((left + 66, top), high, FAINT, fonts.small)
        left += 72 + draw.textlength(high, font=fonts.small) + 20
    draw.text((left, top), f"each cell with its n; {TOO_FEW}", FAINT, fonts.small)


def _moves(
    draw: ImageDraw.ImageDraw,
    moves: Sequence[Transition],
    goods: Sequence[str],
    failed: Sequence[str],
    top: int,
    fonts: Fonts,
    any_failed: bool,
) -> None:
    said = "investigations that failed: the last good step (rows) by the first failed step (columns)"
    draw.text((EDGE, top), said, INK, fonts.plain)
    if not any_failed:
        draw.text((EDGE, top + 24), "nothing failed", FAINT, fonts.plain)
        return
    counts = {(m.last_good, m.first_failed): len(m.keys) for m in moves}
    most = max(counts.values())
    for i, state in enumerate(failed):
        _centred(draw, (EDGE + LABEL + i * WIDE, top + 24), _short(state.replace("_", " "), 16), FAINT, fonts.small)
    for j, good in enumerate(goods):
        y = top + 48 + j * HIGH
        draw.text((EDGE, y + 9), good.replace("_", " "), INK, fonts.plain)
        for i, bad in enumerate(failed):
            left, count = EDGE + LABEL + i * WIDE, counts.get((good, bad), 0)
            box = (left + 1, y + 1, left + WIDE - 1, y + HIGH - 1)
            draw.rectangle(box, mix(GREY, BAD, count / most) if count else PAPER, LINE)
            if count:
                _centred(draw, (left, y + 8), str(count), INK, fonts.plain)


def _centred(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    ink: Colour,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    draw.text((at[0] + (WIDE - draw.textlength(text, font=font)) / 2, at[1]), text, ink, font)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    part = min(1.0, max(0.0, share))
    return tuple(round(x + (y - x) * part) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]  # three


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
