"""Reading the inputs of a case. What is missing or cannot be is refused with the name of the input."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from kequn.domain.errors import KequnError, Text
from kequn.domain.projectfinance.arrays import Array

_PER_YEAR = {"month": 12, "quarter": 4, "semi": 2, "half": 2, "annual": 1, "year": 1}


class CaseRefused(KequnError):
    """A case that cannot be answered; the code is stable, the sentence is for a person."""

    def __init__(self, code: str, text: Text) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one case by name. A key that is absent or null does not apply."""

    values: Mapping[str, Any]

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def _value(self, name: str) -> Any:
        if not self.has(name):
            raise CaseRefused("missing_input", Text(f"缺少输入 {name}", f"the input {name} is missing"))
        return self.values[name]

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number; the default where the key does not apply."""
        if default is not None and not self.has(name):
            return default
        return _number(name, self._value(name))

    def at_least(self, name: str, low: float, default: float | None = None) -> float:
        """A number not below `low`."""
        found = self.number(name, default)
        if found < low:
            raise bad(name, found, f"至少 {low:g}", f"at least {low:g}")
        return found

    def above(self, name: str, low: float, default: float | None = None) -> float:
        """A number above `low`."""
        found = self.number(name, default)
        if found <= low:
            raise bad(name, found, f"大于 {low:g}", f"above {low:g}")
        return found

    def share(self, name: str, default: float | None = None) -> float:
        """A fraction from 0 to 1."""
        found = self.at_least(name, 0.0, default)
        if found > 1.0:
            raise bad(name, found, "0 到 1 之间的小数", "a fraction from 0 to 1")
        return found

    def count(self, name: str, default: int | None = None) -> int:
        """A whole number, not below nil."""
        found = self.at_least(name, 0.0, None if default is None else float(default))
        if found != int(found):
            raise bad(name, found, "整数", "a whole number")
        return int(found)

    def rate(self, name: str, default: float | None = None) -> float:
        """A rate above -100 %."""
        return self.above(name, -1.0, default)

    def numbers(self, name: str) -> Array:
        """A list of at least one finite number."""
        found = self._value(name)
        if not isinstance(found, Sequence) or isinstance(found, str) or not found:
            raise bad(name, found, "非空数列", "a list of numbers, not empty")
        return np.array([_number(f"{name}[{place}]", one) for place, one in enumerate(found)])

    def spread(self, name: str, periods: int, default: float | None = None) -> Array:
        """A number for all periods, or a list of one value a period."""
        if isinstance(self.values.get(name), Sequence) and not isinstance(self.values[name], str):
            found = self.numbers(name)
            if len(found) != periods:
                raise bad(name, f"{len(found)} values", f"{periods} 个值", f"{periods} values, one a period")
            return found
        return np.full(periods, self.number(name, default))

    def text(self, name: str, default: str | None = None) -> str:
        if default is not None and not self.has(name):
            return default
        found = self._value(name)
        if not isinstance(found, str):
            raise bad(name, found, "文本", "a text")
        return found

    def day(self, name: str) -> date:
        return as_date(name, self._value(name))

    def rows(self, name: str, width: int) -> list[Sequence[Any]]:
        """A list of rows of a fixed width."""
        found = self._value(name)
        if not isinstance(found, Sequence) or isinstance(found, str) or not found:
            raise bad(name, found, "非空列表", "a list, not empty")
        for place, row in enumerate(found):
            if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != width:
                raise bad(f"{name}[{place}]", row, f"{width} 项", f"{width} entries")
        return list(found)

    def per_year(self) -> int:
        """Periods in a year, from `periods_per_year`, `frequency` or the words of `period`; one where neither says."""
        if self.has("periods_per_year"):
            return int(self.above("periods_per_year", 0.0))
        words = self.text("frequency", "") or self.text("period", "annual")
        for word, number in _PER_YEAR.items():
            if word in words.lower():
                return number
        raise bad("period", words, "monthly quarterly semiannual annual", "monthly, quarterly, semiannual or annual")


def bad(name: str, found: object, zh: str, en: str) -> CaseRefused:
    """The refusal of an input that is there but cannot be."""
    shown = f"{found:g}" if isinstance(found, float) else repr(found)
    return CaseRefused("bad_input", Text(f"{name} 为 {shown}；应为{zh}", f"{name} is {shown}; expected {en}"))


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise bad(name, value, "有限的数值", "a finite number")
    return float(value)


def as_date(name: str, value: object) -> date:
    """A day written as YYYY-MM-DD."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise bad(name, value, "YYYY-MM-DD 日期", "a date as YYYY-MM-DD") from None
