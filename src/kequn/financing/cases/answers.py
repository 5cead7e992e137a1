"""Answers as plain numbers, lists and nulls; null stands for what is not defined."""

from collections.abc import Sequence
from typing import Any

from kequn.domain.errors import Language, Text
from kequn.domain.projectfinance.arrays import Array, defined

Answer = dict[str, Any]


def series_of(values: Array) -> list[float | None]:
    """A series, null where a ratio is not defined."""
    return [defined(float(one)) for one in values]


def with_warnings(answer: Answer, periods: Sequence[int], text: Text, language: Language) -> Answer:
    """The answer with one warning for each period (counted from 1); unchanged where there is none."""
    if not periods:
        return answer
    said = [{"period": period, "message": text.in_language(language)} for period in periods]
    return {**answer, "warnings": [*answer.get("warnings", ()), *said]}
