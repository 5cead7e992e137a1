"""Migration between two dates as bands from the classes at the left to the classes at the right."""

from collections.abc import Sequence
from dataclasses import dataclass

from kequn.reports.charts.svg import COLOURS, drawing, element, hint, number, shortened, text

NODE, GAP, HEAD, FOOT = 12.0, 14.0, 26.0, 10.0
ROOM = 150.0  # for the words on either side


@dataclass(frozen=True, slots=True)
class Flow:
    """How many went from the class `source` at the left to the class `target` at the right, and how that is said."""

    source: int
    target: int
    value: float
    shown: str


def sankey(
    *,
    title: str,
    classes: Sequence[str],
    flows: Sequence[Flow],
    heads: tuple[str, str],
    width: float = 640,
    height: float = 360,
) -> str:
    """The same classes at both sides, in one order, each as high as its count; bands keep that measure.

    Flows must be positive; classes with none on a side are left out on that side. A band has the colour of where it
    came from, so that one sees at a glance what a class has become.
    """
    sums = (_sums(flows, "source", len(classes)), _sums(flows, "target", len(classes)))
    total = sum(sums[0]) or 1.0
    most = max(sum(1 for one in side if one) for side in sums) or 1
    per_one = (height - HEAD - FOOT - GAP * (most - 1)) / total
    tops = tuple(_tops(side, per_one) for side in sums)
    xs = (ROOM, width - ROOM - NODE)
    drawn = [
        text(heads[0], xs[0], 15, class_="kqc-strong"),
        text(heads[1], xs[1] + NODE, 15, anchor="end", class_="kqc-strong"),
    ]
    drawn += _bands(flows, classes, tops, per_one, xs)
    for side in (0, 1):
        drawn += [
            _node(classes[place], sums[side][place], tops[side][place], per_one, side, xs[side], place)
            for place in range(len(classes))
            if sums[side][place]
        ]
    return drawing("".join(drawn), title=title, width=width, height=height)


def _sums(flows: Sequence[Flow], end: str, count: int) -> list[float]:
    sums = [0.0] * count
    for one in flows:
        sums[getattr(one, end)] += one.value
    return sums


def _tops(sums: Sequence[float], per_one: float) -> list[float]:
    tops, y = [], HEAD
    for one in sums:
        tops.append(y)
        y += one * per_one + GAP if one else 0.0
    return tops


def _bands(
    flows: Sequence[Flow],
    classes: Sequence[str],
    tops: tuple[list[float], ...],
    per_one: float,
    xs: tuple[float, float],
) -> list[str]:
    used = ([0.0] * len(classes), [0.0] * len(classes))
    bend, drawn = (xs[1] - xs[0]) / 2, []
    for one in sorted(flows, key=lambda flow: (flow.source, flow.target)):
        thick = one.value * per_one
        left = tops[0][one.source] + used[0][one.source]
        right = tops[1][one.target] + used[1][one.target]
        used[0][one.source] += thick
        used[1][one.target] += thick
        x0, x1 = xs[0] + NODE, xs[1]
        path = (
            f"M{number(x0)} {number(left)}C{number(x0 + bend)} {number(left)} {number(x1 - bend)} {number(right)} "
            f"{number(x1)} {number(right)}V{number(right + thick)}C{number(x1 - bend)} {number(right + thick)} "
            f"{number(x0 + bend)} {number(left + thick)} {number(x0)} {number(left + thick)}Z"
        )
        said = hint(f"{classes[one.source]} → {classes[one.target]} {one.shown}")
        drawn.append(element("path", said, d=path, class_=f"kqc-link kqc-f{one.source % COLOURS}"))
    return drawn


def _node(name: str, value: float, top: float, per_one: float, side: int, x: float, place: int) -> str:
    high = max(value * per_one, 1.0)
    middle = top + high / 2 + 4
    drawn = element("rect", x=x, y=top, width=NODE, height=high, class_=f"kqc-f{place % COLOURS}")
    said = shortened(f"{name} {value:,.0f}", ROOM - 12)
    if side == 0:
        return drawn + text(said, x - 8, middle, anchor="end")
    return drawn + text(said, x + NODE + 8, middle)
