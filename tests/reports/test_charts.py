"""Charts say what the numbers say: lengths keep their measure, unknown is a gap, texts are escaped."""

import xml.etree.ElementTree as ET

import pytest

from kequn.reports.charts import Bar, Cell, Flow, Series, Threshold, bars, columns, heat_map, lines, on_paper, sankey
from kequn.reports.charts.scale import scale_of, step_of

SVG = "{http://www.w3.org/2000/svg}"


def percent(value: float) -> str:
    return f"{value:.0%}"


def parts(svg: str, name: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(SVG + name))


def test_every_chart_is_well_formed_and_escapes_what_it_is_told():
    evil = '<script>alert("x")</script> & 华东'
    charts = [
        lines(title=evil, categories=[evil], series=[Series(evil, (0.5,))], shown=percent),
        columns(title=evil, categories=[evil], series=[Series(evil, (0.5,))], shown=percent),
        bars(title=evil, rows=[Bar(evil, 1.0, evil, href='/x?"><script>')]),
        heat_map(title=evil, rows=[evil], columns=[evil], cells={(0, 0): Cell(1.0, evil)}),
        sankey(title=evil, classes=[evil], flows=[Flow(0, 0, 3.0, evil)], heads=(evil, evil)),
    ]
    for svg in charts:
        assert not parts(svg, "script")
        assert ET.fromstring(svg).get("aria-label") == evil
        assert ET.fromstring(on_paper(svg)).find(SVG + "style") is not None


def test_a_bar_twice_as_large_is_twice_as_long():
    widths = [
        float(one.get("width"))
        for one in parts(bars(title="t", rows=[Bar("a", 50, "50"), Bar("b", 100, "100")]), "rect")
    ]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.2)


def test_an_unknown_bar_has_a_word_and_no_length():
    svg = bars(title="t", rows=[Bar("a", None, "unknown"), Bar("b", 10, "10")])
    assert len(parts(svg, "rect")) == 1
    assert "unknown" in svg


def test_a_negative_bar_is_refused():
    with pytest.raises(ValueError, match="negative"):
        bars(title="t", rows=[Bar("a", -1, "-1")])


def test_a_line_breaks_where_a_period_is_unknown():
    svg = lines(title="t", categories=list("abcd"), series=[Series("s", (1.0, None, 2.0, 3.0))], shown=str)
    assert parts(svg, "path")[0].get("d").count("M") == 2
    assert len(parts(svg, "circle")) == 3


def test_a_threshold_lies_inside_the_chart_even_far_from_the_values():
    svg = lines(
        title="t", categories=["a"], series=[Series("s", (0.1,))], shown=str, thresholds=[Threshold("max", 9.0)]
    )
    mark = next(one for one in parts(svg, "line") if one.get("class") == "kqc-threshold")
    assert 0 < float(mark.get("y1")) < 260


def test_losses_hang_below_zero():
    svg = columns(title="t", categories=["a", "b"], series=[Series("s", (2.0, -2.0))], shown=str)
    gain, loss = (one for one in parts(svg, "rect") if one.get("rx") is None)
    assert float(gain.get("y")) + float(gain.get("height")) == pytest.approx(float(loss.get("y")), abs=0.2)


def test_a_sixth_series_is_refused():
    six = [Series(str(one), (1.0,)) for one in range(6)]
    with pytest.raises(ValueError, match="at most 5"):
        lines(title="t", categories=["a"], series=six, shown=str)


def test_bands_of_a_sankey_keep_their_measure():
    flows = [Flow(0, 0, 30, ""), Flow(0, 1, 10, ""), Flow(1, 1, 20, "")]
    nodes = [
        float(one.get("height"))
        for one in parts(sankey(title="t", classes=["A", "B"], flows=flows, heads=("x", "y")), "rect")
    ]
    left_a, left_b, right_a, right_b = nodes
    assert left_a == pytest.approx(2 * left_b, abs=0.2)
    assert left_a + left_b == pytest.approx(right_a + right_b, abs=0.2)


def test_the_largest_cell_is_the_darkest_and_a_missing_one_is_empty():
    svg = heat_map(title="t", rows=["r", "s"], columns=["a", "b"], cells={(0, 0): Cell(1, "1"), (1, 1): Cell(9, "9")})
    assert [one.get("class") for one in parts(svg, "rect")] == ["kqc-h1", "kqc-h5"]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 7.7), (1e8, 3.3e9), (5.0, 5.0), (0.0, 0.0)])
def test_ticks_are_round_and_hold_the_values(low, high):
    scale = scale_of([low, high], bottom=100, top=0)
    assert scale.low <= low <= high <= scale.high
    assert 2 <= len(scale.ticks) <= 8


def test_steps_are_round():
    assert [step_of(span, 4) for span in (1, 3, 9, 30)] == [0.25, 1.0, 2.5, 10.0]
