"""A table whose cells are shaded by their share: where a book is concentrated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kequn.reports.charts.svg import drawing, element, hint, linked, shortened, text, width_of

ROW, HEAD = 30.0, 28.0
SHADES = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """One crossing: the number that shades it and how it is written; `href` opens what it was made from."""

    value: float
    shown: str
    href: str = ""


def heat_map(
    *,
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[int, int], Cell],
    width: float = 640,
) -> str:
    """Cells by (row, column); one that is missing stays empty. The darkest shade is the largest value."""
    largest = max((one.value for one in cells.values()), default=0.0) or 1.0
    label_room = min(max((width_of(one) for one in rows), default=0.0) + 10, width * 0.3)
    wide = (width - label_room) / max(len(columns), 1)
    drawn = [
        text(shortened(name, wide - 6), label_room + wide * (place + 0.5), 17, anchor="middle", class_="kqc-quiet")
        for place, name in enumerate(columns)
    ]
    for row, name in enumerate(rows):
        y = HEAD + row * ROW
        drawn.append(text(shortened(name, label_room - 8), 0, y + 19))
        for column, head in enumerate(columns):
            one = cells.get((row, column))
            if one is not None:
                drawn.append(_cell(one, f"{name} · {head}", label_room + wide * column, y, wide, one.value / largest))
    height = HEAD + max(len(rows), 1) * ROW
    has_links = any(one.href for one in cells.values())
    return drawing("".join(drawn), title=title, width=width, height=height, has_links=has_links)


def _cell(one: Cell, where: str, x: float, y: float, wide: float, share: float) -> str:
    shade = 0 if share <= 0 else min(SHADES - 1, 1 + int(share * (SHADES - 1)))
    inside = hint(f"{where} {one.shown}")
    inside += element("rect", x=x + 1, y=y + 1, width=wide - 2, height=ROW - 2, rx=2.0, class_=f"kqc-h{shade}")
    words = "kqc-on-dark" if shade >= SHADES - 2 else "kqc-on-light"
    inside += text(shortened(one.shown, wide - 6), x + wide / 2, y + 19, anchor="middle", class_=words)
    return linked(element("g", inside), one.href)
