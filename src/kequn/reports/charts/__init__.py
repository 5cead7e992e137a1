"""Charts as SVG texts, for pages and for paper alike: no script, no dependency, two themes and print.

Every chart answers one `<svg>` whose parts carry classes (`kqc-…`) and no colour of their own: the style sheet of the
pages colours them in the light and the dark theme, and `on_paper` gives them the colours of print. All texts arrive
in the reader's language; numbers that are unknown leave a gap and are never drawn as zero.
"""

from kequn.reports.charts.bars import Bar, bars
from kequn.reports.charts.columns import columns
from kequn.reports.charts.fans import Band, fan
from kequn.reports.charts.heat_map import Cell, heat_map
from kequn.reports.charts.lines import Series, lines
from kequn.reports.charts.sankey import Flow, sankey
from kequn.reports.charts.scale import Threshold
from kequn.reports.charts.stacks import stacks
from kequn.reports.charts.svg import on_paper
from kequn.reports.charts.tornadoes import Arm, tornado_chart

__all__ = [
    "Arm",
    "Band",
    "Bar",
    "Cell",
    "Flow",
    "Series",
    "Threshold",
    "bars",
    "columns",
    "fan",
    "heat_map",
    "lines",
    "on_paper",
    "sankey",
    "stacks",
    "tornado_chart",
]
