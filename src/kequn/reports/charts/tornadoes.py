"""A tornado: what a step down and a step up of each driver does to one measure, the widest swing on top."""

from collections.abc import Sequence
from dataclasses import dataclass

from kequn.reports.charts.scale import Shown, legend, scale_of
from kequn.reports.charts.svg import drawing, element, hint, line, shortened, text, width_of

ROW, HEAD = 24.0, 30.0


@dataclass(frozen=True, slots=True)
class Arm:
    """One driver: the measure a step down and a step up; None where it is not defined."""

    label: str
    at_down: float | None
    at_up: float | None
    hint: str


def tornado_chart(
    *, title: str, middle: float, arms: Sequence[Arm], names: tuple[str, str], shown: Shown, width: float = 720
) -> str:
    """Bars from the middle to each side, one row a driver; `names` say what the two colours are."""
    known = [value for one in arms for value in (one.at_down, one.at_up) if value is not None]
    room = min(max((width_of(one.label) for one in arms), default=0.0) + 12, width * 0.34)
    height = HEAD + ROW * max(len(arms), 1) + 22
    scale = scale_of([*known, middle], bottom=room + 10, top=width - 60)
    centre, foot = scale.place(middle), height - 22
    drawn = [legend(names, left=room + 10, y=16)]
    for tick in scale.ticks:
        x = scale.place(tick)
        drawn.append(line(x, HEAD, x, foot, "kqc-grid"))
        drawn.append(text(shown(tick), x, height - 6, anchor="middle", class_="kqc-quiet"))
    for place, one in enumerate(arms):
        y = HEAD + place * ROW
        inside = hint(one.hint) + text(shortened(one.label, room - 8), 0, y + 16)
        for side, value in enumerate((one.at_down, one.at_up)):
            if value is not None:
                x = scale.place(value)
                inside += element(
                    "rect", x=min(x, centre), y=y + 4, width=max(abs(x - centre), 0.5), height=ROW - 9,
                    class_=f"kqc-f{side}",
                )  # fmt: skip
        drawn.append(element("g", inside))
    drawn.append(line(centre, HEAD - 4, centre, foot, "kqc-axis"))
    return drawing("".join(drawn), title=title, width=width, height=height)
