"""Lines over periods: ratios against their thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass

from kequn.reports.charts.scale import (
    Scale,
    Shown,
    Threshold,
    category_row,
    grid,
    legend,
    places,
    right_edge,
    scale_of,
    threshold_marks,
)
from kequn.reports.charts.svg import COLOURS, drawing, element, hint, number, width_of


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each category, in the same order; None is unknown and leaves a gap."""

    name: str
    values: tuple[float | None, ...]


def lines(
    *,
    title: str,
    categories: Sequence[str],
    series: Sequence[Series],
    shown: Shown,
    thresholds: Sequence[Threshold] = (),
    width: float = 640,
    height: float = 260,
) -> str:
    """At most five series over the categories, with thresholds as broken lines.

    `shown` writes a value for the axis and for the hint of each point, with its unit. A chart without any known
    value is drawn with its axis alone. Raises ValueError for more than five series or values of another length.
    """
    if len(series) > COLOURS:
        raise ValueError(f"at most {COLOURS} series can be told apart, not {len(series)}")
    known = [value for one in series for value in one.values if value is not None]
    marks = [one.value for one in thresholds]
    bottom, top = height - 28, 34.0
    scale = scale_of([*known, *marks], bottom=bottom, top=top)
    left = max((width_of(shown(tick)) for tick in scale.ticks), default=20.0) + 14
    right = right_edge(width, left, categories)
    xs = places(len(categories), left, right)
    inside = [
        legend([one.name for one in series], left=left, y=16),
        grid(scale, left=left, right=right, shown=shown),
        category_row(categories, xs, height - 8),
        threshold_marks(thresholds, scale, left=left, right=right),
        *(_drawn(place, one, xs, scale, categories, shown) for place, one in enumerate(series)),
    ]
    return drawing("".join(inside), title=title, width=width, height=height)


def _drawn(place: int, one: Series, xs: Sequence[float], scale: Scale, categories: Sequence[str], shown: Shown) -> str:
    points = [None if value is None else (x, scale.place(value)) for x, value in zip(xs, one.values, strict=True)]
    path, pen_is_down = "", False
    for point in points:
        if point is None:
            pen_is_down = False
            continue
        path += f"{'L' if pen_is_down else 'M'}{number(point[0])} {number(point[1])}"
        pen_is_down = True
    drawn = element("path", d=path, class_=f"kqc-line kqc-s{place}") if path else ""
    for point, value, category in zip(points, one.values, categories, strict=True):
        if point is not None and value is not None:
            said = hint(f"{category} · {one.name} {shown(value)}")
            drawn += element("circle", said, cx=point[0], cy=point[1], r=3.2, class_=f"kqc-f{place}")
    return drawn
