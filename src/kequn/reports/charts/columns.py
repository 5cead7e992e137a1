"""Upright columns over periods: amounts side by side."""

from collections.abc import Sequence

from kequn.reports.charts.lines import Series
from kequn.reports.charts.scale import Shown, category_row, grid, legend, places, scale_of
from kequn.reports.charts.svg import COLOURS, drawing, element, hint, width_of


def columns(
    *,
    title: str,
    categories: Sequence[str],
    series: Sequence[Series],
    shown: Shown,
    width: float = 640,
    height: float = 260,
) -> str:
    """At most five series as groups of columns from zero; losses hang below it. Unknown values leave their place empty.

    Raises ValueError for more than five series.
    """
    if len(series) > COLOURS:
        raise ValueError(f"at most {COLOURS} series can be told apart, not {len(series)}")
    known = [value for one in series for value in one.values if value is not None]
    scale = scale_of(known, bottom=height - 28, top=34.0, from_zero=True)
    left = max((width_of(shown(tick)) for tick in scale.ticks), default=20.0) + 14
    right = width - 10
    xs = places(len(categories), left, right)
    group = (right - left) / max(len(categories), 1) * 0.64
    thick = min(group / max(len(series), 1), 34.0)
    zero = scale.place(0.0)
    drawn = [
        legend([one.name for one in series], left=left, y=16),
        grid(scale, left=left, right=right, shown=shown),
        category_row(categories, xs, height - 8),
    ]
    for place, one in enumerate(series):
        offset = (place - len(series) / 2) * thick
        for x, value, category in zip(xs, one.values, categories, strict=True):
            if value is None:
                continue
            y = scale.place(value)
            said = hint(f"{category} · {one.name} {shown(value)}")
            drawn.append(
                element(
                    "rect", said, x=x + offset, y=min(y, zero), width=thick - 2, height=max(abs(zero - y), 0.5),
                    class_=f"kqc-f{place}",
                )
            )  # fmt: skip
    return drawing("".join(drawn), title=title, width=width, height=height)
