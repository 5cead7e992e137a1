"""Columns stacked over periods: where the cash of each period goes, with a line across for what there was."""

from collections.abc import Sequence

from kequn.reports.charts.lines import Series
from kequn.reports.charts.scale import Shown, category_row, grid, legend, places, right_edge, scale_of
from kequn.reports.charts.svg import COLOURS, drawing, element, hint, number, width_of


def stacks(
    *,
    title: str,
    categories: Sequence[str],
    series: Sequence[Series],
    shown: Shown,
    line: Series | None = None,
    width: float = 720,
    height: float = 280,
) -> str:
    """Parts above zero are stacked upwards, parts below it downwards; `line` is drawn over them in the next colour.

    Unknown parts leave a gap. Raises ValueError for more series than can be told apart.
    """
    if len(series) + (line is not None) > COLOURS:
        raise ValueError(f"at most {COLOURS} series can be told apart")
    count = len(categories)
    tops = [sum(max(one.values[place] or 0.0, 0.0) for one in series) for place in range(count)]
    bottoms = [sum(min(one.values[place] or 0.0, 0.0) for one in series) for place in range(count)]
    crossing = [value for value in line.values if value is not None] if line is not None else []
    scale = scale_of([*tops, *bottoms, *crossing], bottom=height - 28, top=34.0, from_zero=True)
    left = max((width_of(shown(tick)) for tick in scale.ticks), default=20.0) + 14
    right = right_edge(width, left, categories)
    xs = places(count, left, right)
    thick = min((right - left) / max(count, 1) * 0.72, 34.0)
    names = [one.name for one in series] + ([line.name] if line is not None else [])
    drawn = [
        legend(names, left=left, y=16),
        grid(scale, left=left, right=right, shown=shown),
        category_row(categories, xs, height - 8),
    ]
    above, below = [0.0] * count, [0.0] * count
    for place, one in enumerate(series):
        for at, (x, value, category) in enumerate(zip(xs, one.values, categories, strict=True)):
            if not value:
                continue
            held = above if value > 0 else below
            first, held[at] = scale.place(held[at]), held[at] + value
            last = scale.place(held[at])
            said = hint(f"{category} · {one.name} {shown(value)}")
            drawn.append(
                element("rect", said, x=x - thick / 2, y=min(first, last), width=thick,
                        height=max(abs(first - last), 0.3), class_=f"kqc-f{place}")
            )  # fmt: skip
    if line is not None:
        points = [(x, scale.place(value)) for x, value in zip(xs, line.values, strict=True) if value is not None]
        path = "".join(f"{'L' if at else 'M'}{number(x)} {number(y)}" for at, (x, y) in enumerate(points))
        drawn.append(element("path", d=path, class_=f"kqc-line kqc-s{len(series)}") if path else "")
    return drawing("".join(drawn), title=title, width=width, height=height)
