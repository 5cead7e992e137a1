"""`kequn bench rerating`: how long ratings take over a whole book, and one from an event to its suggestion.

It changes the book that it measures, so it works on an invented one alone; give it a copy.
"""

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from kequn.cli.demonstration import SOURCE
from kequn.cli.records import ready
from kequn.domain.errors import Refused, Text
from kequn.engine.bench.measure import measured, said

EVERY = 100  # so-manieth rated customer falls into arrears
ALL = 100_000
LIVE = 20  # events, one after another


def rerating(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rate and re-rate the invented book of KEQUN_HOME (a copy: it is changed), and time single events."""
    person = ready()
    _refuse_a_real_book()
    report = {
        "first": _first(person), "all_rated": _all_rated(), "changed": _changed(person), "again": _again(person),
        "live": _live(person),
    }  # fmt: skip
    print(json.dumps(report, indent=1, default=str) if as_json else _told(report))


def _refuse_a_real_book() -> None:
    from kequn.apps.ingest.models import ImportBatch

    if ImportBatch.objects.exclude(source=SOURCE).exists() or not ImportBatch.objects.exists():
        raise Refused(Text("只能在示范数据的副本上测量", "measure on a copy of an invented book alone"))


def _first(person: Any) -> dict[str, Any]:
    """A first rating of everybody, put before the head at once and approved."""
    from kequn.apps.accounts.models import User
    from kequn.apps.governance.approving import decide
    from kequn.apps.ratings.approval import propose_book
    from kequn.apps.ratings.rerating import rerate_book

    spent = measured(lambda: rerate_book(person=person, first=True))
    counts, seconds = spent.answer
    head = User.objects.get(username="demo-head")
    started = time.perf_counter()
    proposal = propose_book(person=person)
    decide(person=head, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)
    return {**counts.said(), **said(spent), "parts": seconds, "approved_seconds": time.perf_counter() - started}


def _all_rated() -> dict[str, Any]:
    """A hundred thousand ratings in force compared with what is known of them now, as if everybody had one.

    Statements of an invented book for the web are thinned, so most of its customers have no size and no model.
    """
    from kequn.apps.assessments.selectors import latest_published
    from kequn.apps.governance.selectors import policy_in_use
    from kequn.apps.ratings.facts import facts_of_book
    from kequn.apps.ratings.kept import inputs_of, inputs_text
    from kequn.apps.ratings.services import policy_at
    from kequn.domain.rating.composing import Inputs, compose

    run = latest_published()
    if run is None:
        raise Refused(Text("尚无已发布的运行", "no run is published yet"))
    policy = policy_at(run.as_of)
    known = [facts for _, facts in facts_of_book(run=run, pack=policy_in_use(), policy=policy)
             if facts["rating_model"] is not None]  # fmt: skip
    kept = [inputs_text(Inputs(facts, {})) for facts in known]

    def compare() -> int:
        graded = 0
        for number in range(ALL):
            at = number % len(known)
            before = inputs_of(kept[at])
            graded += compose(policy.scheme, Inputs(known[at], before.answers)).grade is not None
        return graded

    spent = measured(compare)
    return {"ratings": ALL, "graded": spent.answer, **said(spent)}


def _changed(person: Any) -> dict[str, Any]:
    """One in a hundred rated customers falls into arrears; the book is run again."""
    from kequn.apps.assessments.selectors import latest_published
    from kequn.apps.assessments.services import request_run
    from kequn.apps.deals.models import Facility
    from kequn.apps.jobs.services import wait_for
    from kequn.apps.ratings.models import RatingCase, RatingState

    rated = list(
        RatingCase.objects.filter(state=RatingState.APPROVED).order_by("pk").values_list("customer", flat=True)
    )
    late = rated[::EVERY]
    for at in range(0, len(late), 500):
        touched = Facility.objects.filter(customer__in=late[at : at + 500])
        touched.update(days_past_due=45, worst_days_past_due_12m=45, times_past_due_12m=4)
    last = latest_published()
    if last is None:
        raise Refused(Text("尚无已发布的运行", "no run is published yet"))
    started = time.perf_counter()
    wait_for(job=request_run(person=person, as_of=last.as_of), worker="bench")
    return {"customers_in_arrears": len(late), "run_seconds": time.perf_counter() - started}


def _again(person: Any) -> dict[str, Any]:
    from kequn.apps.ratings.rerating import rerate_book

    spent = measured(lambda: rerate_book(person=person))
    counts, seconds = spent.answer
    return {**counts.said(), **said(spent), "parts": seconds}


def _live(person: Any) -> dict[str, Any]:
    """An event of one rated customer brought in as a file, until its suggestion stands."""
    import tempfile

    from kequn.apps.ingest.services import Wish, import_path
    from kequn.apps.ratings.models import OPEN, RatingCase, RatingState
    from kequn.apps.ratings.services import rating_date

    free = RatingCase.objects.filter(state=RatingState.APPROVED).exclude(grade__in=("K11", "K12", "D"))
    free = free.exclude(customer__rating_cases__state__in=OPEN).select_related("customer").order_by("-pk")
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(list(free[:LIVE])):
            file = Path(folder) / f"events-{number}.csv"
            day = rating_date() - timedelta(days=number + 1)
            file.write_text(f"customer_id,event_date,kind\n{case.customer.code},{day},dishonest_list\n", "utf-8")
            started = time.perf_counter()
            import_path(path=file, person=person, wish=Wish(source=SOURCE, unit="元"))
            made = RatingCase.objects.filter(customer=case.customer, state=RatingState.SUGGESTED).exists()
            taken.append((time.perf_counter() - started, made))
    seconds = sorted(one for one, _ in taken)
    return {
        "events": len(taken), "suggested": sum(made for _, made in taken), "median_seconds": seconds[len(seconds) // 2],
        "longest_seconds": seconds[-1],
    }  # fmt: skip


def _told(report: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {json.dumps(part, default=str)}" for name, part in report.items())
