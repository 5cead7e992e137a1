"""Lying bars: classes compared by one number."""

from collections.abc import Sequence
from dataclasses import dataclass

from kequn.reports.charts.svg import drawing, element, hint, linked, shortened, text, width_of

ROW = 26.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One class: its length and how its number is written; `href` opens what it was made from."""

    label: str
    value: float | None
    shown: str
    href: str = ""


def bars(*, title: str, rows: Sequence[Bar], width: float = 640) -> str:
    """One bar a row, the longest as wide as there is room, the number beside it. Unknown has no bar, only its word.

    Values must not be negative; raises ValueError.
    """
    if any(one.value is not None and one.value < 0 for one in rows):
        raise ValueError("bars compare amounts that are not negative")
    longest = max((one.value for one in rows if one.value is not None), default=0.0) or 1.0
    label_room = min(max((width_of(one.label) for one in rows), default=0.0) + 10, width * 0.36)
    shown_room = max((width_of(one.shown) for one in rows), default=0.0) + 12
    room = width - label_room - shown_room
    drawn = []
    for place, one in enumerate(rows):
        y = place * ROW
        length = room * (one.value or 0.0) / longest
        inside = hint(f"{one.label} {one.shown}")
        inside += text(shortened(one.label, label_room - 8), 0, y + 17)
        if one.value:
            size = {"width": max(length, 1.0), "height": ROW - 10}
            inside += element("rect", x=label_room, y=y + 5, rx=2.0, class_="kqc-f0", **size)
        inside += text(one.shown, label_room + length + 6, y + 17, class_="kqc-quiet")
        drawn.append(linked(element("g", inside), one.href))
    height = max(len(rows), 1) * ROW
    return drawing("".join(drawn), title=title, width=width, height=height, has_links=any(one.href for one in rows))
