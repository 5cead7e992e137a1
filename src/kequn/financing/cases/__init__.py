"""Worked cases: a category and its inputs in, the figures of that category out; what has no answer is said.

The vocabulary is the one of the published case files: `cases[].id`, `category`, `inputs`. Nothing else of a case is
read.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from kequn.domain.errors import Finding, KequnError, Language, Place, Refused, Text
from kequn.domain.projectfinance.accruals import BeyondCalendar
from kequn.financing.cases import cash, debt, loans, offers
from kequn.financing.cases.answers import Answer
from kequn.financing.cases.inputs import CaseRefused, Inputs
from kequn.financing.rules import china_calendar, concentration_shares
from kequn.policy.pack import Pack

Solver = Callable[[Inputs], Answer]


def solvers(pack: Pack, as_of: date, language: Language) -> dict[str, Solver]:
    """What answers each category, with the calendar and the shares of capital of a policy pack."""
    calendar, shares = china_calendar(pack, as_of), concentration_shares(pack, as_of)

    def told(solver: Callable[[Inputs, Language], Answer]) -> Solver:
        return lambda inputs: solver(inputs, language)

    return {
        "construction_idc": cash.construction,
        "curved_dscr": told(debt.curved_dscr),
        "day_count": loans.day_count,
        "debt_sizing_vs_pysam": told(debt.debt_sizing),
        "irr": cash.irr,
        "limit": lambda inputs: offers.limit(inputs, shares),
        "multi_tranche": told(debt.multi_tranche),
        "pricing": offers.pricing,
        "repayment_schedule": lambda inputs: loans.repayment_schedule(inputs, calendar),
        "sculpting": told(debt.sculpting),
        "sculpting_no_redraw": told(debt.sculpting_no_redraw),
        "sculpting_with_tax": told(debt.sculpting_with_tax),
        "waterfall": told(cash.waterfall),
        "xirr": cash.xirr,
    }


def solve_cases(document: object, pack: Pack, as_of: date, language: Language) -> dict[str, Answer]:
    """The answers of a document of cases by their id, in its order. Refused where the document is not one."""
    known = solvers(pack, as_of, language)
    return {str(case["id"]): _answered(case, known, language) for case in _cases(document)}


def failures(answers: Mapping[str, Answer]) -> tuple[Finding, ...]:
    """The cases that could not be solved, as findings."""
    return tuple(
        Finding(
            f"case.{answer['error']['code']}", Text(answer["error"]["message"], answer["error"]["message"]), Place(key)
        )
        for key, answer in answers.items()
        if "error" in answer
    )


def _cases(document: object) -> Sequence[Mapping[str, Any]]:
    cases = document.get("cases") if isinstance(document, Mapping) else None
    if not isinstance(cases, list):
        raise Refused(Text("文件应含 cases 列表", "the file must hold a list `cases`"))
    ids = [str(case.get("id")) if isinstance(case, Mapping) and case.get("id") is not None else "" for case in cases]
    wrong = [place for place, key in enumerate(ids) if not key or ids.index(key) != place]
    if wrong:
        findings = tuple(
            Finding("case.id", Text("案例编号缺失或重复", "the id of the case is missing or stands twice"),
                    Place("cases", row=place + 1), found=ids[place])
            for place in wrong
        )  # fmt: skip
        raise Refused(Text("案例编号有误", "the ids of the cases are wrong"), findings)
    return cases


def _answered(case: Mapping[str, Any], known: Mapping[str, Solver], language: Language) -> Answer:
    try:
        solver = _solver(case.get("category"), known)
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            return _finite(solver(_inputs(case.get("inputs"))))
    except ArithmeticError:
        text = Text("数值超出可计算的范围", "the numbers are out of the range that can be worked out")
        return {"error": {"code": "out_of_range", "message": text.in_language(language)}}
    except CaseRefused as refused:
        return {"error": {"code": refused.code, "message": refused.text.in_language(language)}}
    except BeyondCalendar as refused:
        return {"error": {"code": "out_of_range", "message": refused.text.in_language(language)}}
    except KequnError as refused:
        return {"error": {"code": "unsolvable", "message": refused.text.in_language(language)}}


def _finite(answer: Answer) -> Answer:
    """The answer; an infinity or a NaN in it means that the case is out of range."""
    waiting: list[object] = [answer]
    while waiting:
        one = waiting.pop()
        if isinstance(one, float) and not math.isfinite(one):
            raise OverflowError
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list | tuple) else ()
    return answer


def _solver(category: object, known: Mapping[str, Solver]) -> Solver:
    if isinstance(category, str) and category in known:
        return known[category]
    listed = ", ".join(known)
    text = Text(f"没有类别 {category!r}；可选 {listed}", f"no category {category!r}; there is {listed}")
    raise CaseRefused("unknown_category", text)


def _inputs(inputs: object) -> Inputs:
    if not isinstance(inputs, Mapping):
        raise CaseRefused("missing_input", Text("缺少 inputs", "the case has no inputs"))
    return Inputs(inputs)
