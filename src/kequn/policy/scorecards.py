"""A scorecard document turned into decision tables and formulas.

Each characteristic gives whole points up to its weight; the weights sum to the stated total. The score is the share
of points earned of those that could be earned with what is known, times one hundred; it is unknown where too little
is known. A characteristic whose fact is missing gives nothing and asks for nothing: it is left out on both sides.
"""

from collections.abc import Mapping
from typing import Any

from kequn.domain.errors import Place
from kequn.policy.documents import Complaints


def scorecard_parts(body: Mapping[str, Any], place: Place, complaints: Complaints) -> dict[str, list[dict[str, Any]]]:
    """`tables` of points and `definitions` of the score, as documents would hold them."""
    characteristics = body.get("characteristics", [])
    _check_weights(body, place, complaints)
    tables = [_points_table(row, place, complaints) for row in characteristics]
    return {"tables": tables, "definitions": _sums(body)}


def _check_weights(body: Mapping[str, Any], place: Place, complaints: Complaints) -> None:
    total = sum(row.get("weight", 0) for row in body.get("characteristics", []))
    if total != body.get("total"):
        complaints.add(
            place, "weights", "权重合计不符", "weights do not sum to the total", found=total, allowed=body.get("total")
        )
    share = body.get("known_share_min")
    if not isinstance(share, int | float) or not 0 < share <= 1:
        complaints.add(
            place,
            "known_share_min",
            "已知比例不对",
            "the share that must be known is wrong",
            found=share,
            allowed="0 to 1",
        )


def _points_table(row: Mapping[str, Any], place: Place, complaints: Complaints) -> dict[str, Any]:
    bands = row.get("bands", [])
    where = Place(place.file, place.sheet, None, str(row.get("fact", "")))
    points = [band[1] for band in bands]
    if not all(isinstance(point, int) and not isinstance(point, bool) for point in points):
        complaints.add(where, "points", "得分应为整数", "points must be whole numbers", found=points)
    elif points and max(points) != row.get("weight"):
        complaints.add(
            where,
            "weight",
            "最高分应等于权重",
            "the best band must earn the weight",
            found=max(points),
            allowed=row.get("weight"),
        )
    return {
        "name": f"points_{row.get('fact', '')}",
        "zh": f"{row.get('zh', '')}得分" if row.get("zh") else "",
        "en": f"Points: {row.get('en', '')}" if row.get("en") else "",
        "kind": "points",
        "type": "number",
        "unit": "points",
        "hit": "unique",
        "inputs": [row.get("fact", "")],
        "rows": [{"when": {row.get("fact", ""): band[0]}, "then": band[1]} for band in bands],
    }


def _sums(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [(f"points_{row.get('fact', '')}", row.get("weight", 0)) for row in body.get("characteristics", [])]
    earned = " + ".join(f"coalesce({name}, 0)" for name, _ in names)
    possible = " + ".join(f"case when {name} is null then 0 else {weight} end" for name, weight in names)
    floor = body.get("known_share_min", 0) * body.get("total", 0)
    return [
        {
            "name": "points_earned",
            "zh": "已得分",
            "en": "Points earned",
            "unit": "points",
            "formula": earned,
            "output": False,
        },
        {
            "name": "points_possible",
            "zh": "可得分",
            "en": "Points possible",
            "unit": "points",
            "formula": possible,
            "output": False,
        },
        {
            "name": "score_known_share",
            "zh": "评分已知比例",
            "en": "Share of the scorecard known",
            "unit": "ratio",
            "formula": f"points_possible / {body.get('total', 0)}",
        },
        {
            "name": "score",
            "zh": "评分",
            "en": "Score",
            "kind": "score",
            "unit": "points",
            "formula": f"case when points_possible >= {floor} then 100 * points_earned / points_possible end",
        },
    ]
