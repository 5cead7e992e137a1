"""`kequn explain`: why a customer stands where it stands, and what would change it."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kequn.cli.records import answer_json, ready

if TYPE_CHECKING:
    from kequn.apps.assessments.explaining import Known
    from kequn.domain.rules.explaining import Reason
    from kequn.policy.telling import Teller

RATING = ("score", "pd", "grade", "credit_tier")
SHOWN_KINDS = ("dimension", "score", "segment", "signal", "strategy", "price")


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def explain(
    customer: Annotated[str, typer.Argument(help="The customer's code or unified social credit code.")],
    segment: Annotated[str, typer.Option(help="Explain this segment.")] = "",
    warning: Annotated[str, typer.Option(help="Explain this warning signal.")] = "",
    rating: Annotated[bool, typer.Option("--rating", help="Explain score, PD, grade and credit tier.")] = False,
    finding: Annotated[str, typer.Option(help="Explain any finding by its name, such as size.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="The date; else that of the last published run.")] = "",
    lang: Annotated[str, typer.Option(help="zh or en.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Say why: each condition with what was found, which facts are missing, and the nearest changes."""
    person = ready(as_user=as_user)
    from kequn.apps.assessments.explaining import known_of
    from kequn.apps.customers.selectors import find
    from kequn.domain.errors import Misuse, Refused, Text
    from kequn.policy.telling import Teller

    found = find(person=person, code=customer)
    if found is None:
        raise Refused(Text(f"没有您可以查看的客户 {customer}", f"there is no customer {customer} that you may see"))
    known = known_of(customer=found, as_of=_date(as_of))
    teller = Teller(known.pack, known.plan, _language(lang))
    wanted = [name for name in (segment, warning, finding) if name] + (list(RATING) if rating else [])
    names = {one.name for one in known.plan.definitions}
    for name in wanted:
        if name not in names:
            raise Misuse(Text(f"政策中没有 {name}", f"the policy defines no {name}"))
    answer = {"customer": found.code, "name": found.name, "as_of": known.as_of} | (
        {"findings": [_told(known, teller, name) for name in wanted]} if wanted else _all(known, teller)
    )
    if as_json:
        answer_json(answer)
    else:
        _show(answer)


def _language(lang: str) -> Any:
    from kequn.cli import language

    return lang if lang in {"zh", "en"} else language()


def _date(text: str) -> date:
    from kequn.apps.assessments.selectors import latest_published
    from kequn.apps.assessments.services import default_as_of
    from kequn.domain.errors import Misuse, Text

    if not text:
        run = latest_published()
        return run.as_of if run else default_as_of()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Misuse(Text(f"--as-of {text} 不是日期", f"--as-of {text} is not a date like 2026-09-30")) from error


def _told(known: "Known", teller: "Teller", name: str) -> dict[str, Any]:
    reason = known.reason(name)
    return {
        **_reason(reason, teller),
        "changes": [
            {"fact": one.fact, "row": one.row, "before": one.before, "after": one.after, "answer": one.answer,
             "text": teller.change(one, name)}
            for one in known.changes(name)
        ],
    }  # fmt: skip


def _reason(reason: "Reason", teller: "Teller") -> dict[str, Any]:
    from kequn.domain.rules.rendering import render_text

    return {
        "finding": reason.name,
        "label": teller.name(reason.name),
        "answer": reason.answer,
        "said": teller.value(reason.name, reason.answer),
        "conditions": [
            {"text": teller.condition(one), "answer": one.answer, "verdict": teller.verdict(reason.name, one.answer),
             "facts": {render_text(read.term): read.value if read.rows is None else read.rows for read in one.readings},
             "found": [teller.reading(reading) for reading in one.readings]}
            for one in reason.conditions
        ],
        "missing": list(reason.missing),
        "missing_said": teller.missing(reason),
        "because": [_reason(one, teller) for one in reason.because],
    }  # fmt: skip


def _all(known: "Known", teller: "Teller") -> dict[str, Any]:
    answers = known.answers()
    findings = [
        {"finding": one.name, "kind": one.kind, "label": teller.name(one.name), "answer": answers[one.name],
         "said": teller.value(one.name, answers[one.name])}
        for one in known.plan.definitions
        if one.kind in SHOWN_KINDS and one.output and answers.get(one.name) not in (None, False)
    ]  # fmt: skip
    return {"findings": findings}


def _show(answer: dict[str, Any]) -> None:
    print(f"{answer['customer']} {answer['name']} · {answer['as_of']}")
    for one in answer["findings"]:
        _show_reason(one, 0)
        for change in one.get("changes", ()):
            print(f"    → {change['text']}")


def _show_reason(one: dict[str, Any], depth: int) -> None:
    margin = "  " * depth
    print(f"{margin}{one['label']}: {one['said']}")
    for condition in one.get("conditions", ()):
        print(f"{margin}  - {condition['text']}: {condition['verdict']} ({'; '.join(condition['found'])})")
    if one.get("missing"):
        print(f"{margin}  ? {', '.join(one['missing_said'])}")
    for below in one.get("because", ()):
        _show_reason(below, depth + 1)
