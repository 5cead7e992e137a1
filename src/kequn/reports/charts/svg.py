"""The few elements a chart is drawn with. Every text and every attribute is escaped here and nowhere else."""

import unicodedata
from functools import cache
from xml.sax.saxutils import escape, quoteattr

FONT_SIZE = 12.0
COLOURS = 5  # past five, colours can no longer be told apart in both themes and in print

PAPER_STYLE = """
text { font-family: 'Noto Sans SC'; font-size: 12px; fill: #1f2937 }
.kqc-quiet { fill: #5b6573 }
.kqc-strong { font-weight: 700 }
.kqc-grid { stroke: #e3e7ec; stroke-width: 1; fill: none }
.kqc-axis { stroke: #8a94a3; stroke-width: 1; fill: none }
.kqc-threshold { stroke: #b42318; stroke-width: 1.2; stroke-dasharray: 5 4; fill: none }
.kqc-threshold-text { fill: #b42318 }
.kqc-line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round }
.kqc-s0 { stroke: #1d5fa8 } .kqc-s1 { stroke: #b35c00 } .kqc-s2 { stroke: #2f7d4f } .kqc-s3 { stroke: #7a4aa3 }
.kqc-s4 { stroke: #5b6573 }
.kqc-f0 { fill: #1d5fa8 } .kqc-f1 { fill: #b35c00 } .kqc-f2 { fill: #2f7d4f } .kqc-f3 { fill: #7a4aa3 }
.kqc-f4 { fill: #5b6573 }
.kqc-h0 { fill: #f4f6f9 } .kqc-h1 { fill: #dbe7f4 } .kqc-h2 { fill: #b4cfe9 } .kqc-h3 { fill: #7faed9 }
.kqc-h4 { fill: #2f6fb3 } .kqc-h5 { fill: #174a85 }
.kqc-on-light { fill: #1f2937 }
.kqc-on-dark { fill: #ffffff }
.kqc-link { fill-opacity: .38 }
.kqc-band { fill-opacity: .2 }
"""


def element(name: str, inside: str = "", /, **attributes: str | float) -> str:
    """One element; `class_` becomes `class` and `text_anchor` becomes `text-anchor`."""
    said = "".join(
        f' {_name(key)}="{number(value)}"' if isinstance(value, float) else f" {_name(key)}={quoteattr(str(value))}"
        for key, value in attributes.items()
    )
    return f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said}/>"


@cache
def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def number(value: float) -> str:
    """Coordinates with one decimal: nobody sees more, and the text stays small and the same everywhere."""
    rounded = round(value, 1)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


def text(said: str, x: float, y: float, *, anchor: str = "start", class_: str = "") -> str:
    more = {"class_": class_} if class_ else {}
    return element("text", escape(said), x=float(x), y=float(y), text_anchor=anchor, **more)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def hint(said: str) -> str:
    """What a pointer resting on the part is told, and what a screen reader reads."""
    return element("title", escape(said))


def linked(inside: str, href: str) -> str:
    return element("a", inside, href=href) if href else inside


def drawing(inside: str, *, title: str, width: float, height: float, has_links: bool = False) -> str:
    """The whole chart. A picture to a screen reader, unless there are links in it to walk through."""
    return element(
        "svg",
        inside,
        xmlns="http://www.w3.org/2000/svg",
        class_="kqc",
        role="group" if has_links else "img",
        aria_label=title,
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=float(width),
        height=float(height),
    )


def on_paper(svg: str) -> str:
    """The same chart with the colours of print inside it, for reports."""
    start = svg.index(">") + 1
    return svg[:start] + element("style", PAPER_STYLE) + svg[start:]


def width_of(said: str) -> float:
    """About how wide a text is: a Chinese character is as wide as it is high, a Latin one a little over half.

    >>> width_of("营业收入") > width_of("abcd")
    True
    """
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in said)
    return FONT_SIZE * (wide + 0.56 * (len(said) - wide))


def shortened(said: str, room: float) -> str:
    """A text that fits the room, with an ellipsis where something was left out."""
    if width_of(said) <= room:
        return said
    kept = said
    while kept and width_of(kept + "…") > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"
