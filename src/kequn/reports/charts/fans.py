"""A fan over periods: bands between quantiles of a simulation, and the middle as a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from kequn.reports.charts.scale import (
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
from kequn.reports.charts.svg import drawing, element, number, text, width_of


@dataclass(frozen=True, slots=True)
class Band:
    """The values between two quantiles, period by period; None is not defined and leaves a gap."""

    name: str
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


def fan(
    *,
    title: str,
    categories: Sequence[str],
    bands: Sequence[Band],
    middle: tuple[str, tuple[float | None, ...]],
    shown: Shown,
    thresholds: Sequence[Threshold] = (),
    width: float = 720,
    height: float = 280,
) -> str:
    """The bands from the widest to the narrowest, the middle over them, thresholds as broken lines."""
    ends = [value for one in bands for value in (*one.low, *one.high) if value is not None]
    known = [*ends, *(value for value in middle[1] if value is not None), *(one.value for one in thresholds)]
    scale = scale_of(known, bottom=height - 28, top=34.0)
    left = max((width_of(shown(tick)) for tick in scale.ticks), default=20.0) + 14
    right = right_edge(width, left, categories)
    xs = places(len(categories), left, right)
    drawn = [
        legend([middle[0]], left=left, y=16),
        text(" · ".join(one.name for one in bands), left + 40 + width_of(middle[0]), 16, class_="kqc-quiet"),
        grid(scale, left=left, right=right, shown=shown),
        category_row(categories, xs, height - 8),
    ]
    for one in bands:
        for run in _runs(one):
            forth = [(xs[at], scale.place(high)) for at, _low, high in run]
            back = [(xs[at], scale.place(low)) for at, low, _high in reversed(run)]
            path = "".join(f"{'L' if n else 'M'}{number(x)} {number(y)}" for n, (x, y) in enumerate([*forth, *back]))
            drawn.append(element("path", d=f"{path}Z", class_="kqc-band kqc-f0"))
    points = [(x, scale.place(value)) for x, value in zip(xs, middle[1], strict=True) if value is not None]
    path = "".join(f"{'L' if at else 'M'}{number(x)} {number(y)}" for at, (x, y) in enumerate(points))
    drawn.append(element("path", d=path, class_="kqc-line kqc-s0") if path else "")
    drawn.append(threshold_marks(thresholds, scale, left=left, right=right))
    return drawing("".join(drawn), title=title, width=width, height=height)


def _runs(band: Band) -> list[list[tuple[int, float, float]]]:
    """The stretches of a band in which both ends are known."""
    found: list[list[tuple[int, float, float]]] = [[]]
    for at, (low, high) in enumerate(zip(band.low, band.high, strict=True)):
        if low is None or high is None:
            found.append([])
        else:
            found[-1].append((at, low, high))
    return [one for one in found if len(one) > 1]
