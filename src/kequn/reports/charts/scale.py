"""Round numbers for an axis."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kequn.reports.charts.svg import element, line, text, width_of

Shown = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level across a chart, with its name."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on the pixels from `bottom` up to `top`."""

    low: float
    high: float
    bottom: float
    top: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


def step_of(span: float, parts: int) -> float:
    """A round step (1, 2, 2.5 or 5 times a power of ten) that cuts a span into about so many parts.

    >>> step_of(97, 4), step_of(0.9, 4)
    (25.0, 0.25)
    """
    raw = span / parts
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= raw * 0.999)


def scale_of(values: Sequence[float], *, bottom: float, top: float, from_zero: bool = False, parts: int = 4) -> Scale:
    """A scale that holds all values, on round numbers; from zero where lengths are compared."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = low - (abs(low) or 1.0) * 0.5, high + (abs(high) or 1.0) * 0.5
    step = step_of(high - low, parts)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(one * step, 12) for one in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], bottom, top, ticks)


def grid(scale: Scale, *, left: float, right: float, shown: Shown) -> str:
    """The lines of the ticks with their numbers at the left; zero is drawn stronger."""
    drawn = []
    for tick in scale.ticks:
        y = scale.place(tick)
        drawn.append(line(left, y, right, y, "kqc-axis" if tick == 0 else "kqc-grid"))
        drawn.append(text(shown(tick), left - 8, y + 4, anchor="end", class_="kqc-quiet"))
    return "".join(drawn)


def places(count: int, left: float, right: float) -> list[float]:
    """The middles of `count` equal parts between two pixels."""
    part = (right - left) / max(count, 1)
    return [left + part * (one + 0.5) for one in range(count)]


def category_row(categories: Sequence[str], xs: Sequence[float], y: float) -> str:
    """The words under the axis, every so many left out where they would touch."""
    room = xs[1] - xs[0] if len(xs) > 1 else 1e9
    widest = max((width_of(one) for one in categories), default=0.0) + 10
    every = max(1, math.ceil(widest / room))
    last = len(categories) - 1
    return "".join(
        text(word, x, y, anchor="middle", class_="kqc-quiet")
        for one, (word, x) in enumerate(zip(categories, xs, strict=True))
        if (last - one) % every == 0
    )


def right_edge(width: float, left: float, categories: Sequence[str]) -> float:
    """How far to the right the columns may reach, so that the last word under the axis is whole."""
    part = (width - left) / max(len(categories), 1)
    return width - max(10.0, (width_of(categories[-1]) - part) / 2 + 4 if categories else 0.0)


def threshold_marks(thresholds: Sequence[Threshold], scale: Scale, *, left: float, right: float) -> str:
    """Broken lines with their names at the right; a name that would cover another stands to the left of it."""
    drawn, before, x = [], -math.inf, right
    for one in sorted(thresholds, key=lambda mark: -mark.value):
        y = scale.place(one.value)
        at = y - 5 if y > scale.top + 14 else y + 14
        x = x if at - before < 14 else right
        drawn.append(line(left, y, right, y, "kqc-threshold"))
        drawn.append(text(one.name, x, at, anchor="end", class_="kqc-threshold-text"))
        before, x = at, x - width_of(one.name) - 10
    return "".join(drawn)


def legend(names: Sequence[str], *, left: float, y: float) -> str:
    """A row of colour marks with the names of the series."""
    drawn, x = [], left
    for place, name in enumerate(names):
        drawn.append(
            element("rect", x=float(x), y=float(y - 9), width=10.0, height=10.0, rx=2.0, class_=f"kqc-f{place}")
        )
        drawn.append(text(name, x + 15, y))
        x += 15 + width_of(name) + 18
    return "".join(drawn)
