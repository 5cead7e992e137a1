"""The sample book, brought in and run as a real one would be. A second call finds it there and is quick."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kequn.domain.errors import Refused, Text

if TYPE_CHECKING:
    from kequn.apps.accounts.access import Person

SOURCE = "sample"
UNIT = "元"
EARLIER = date(2026, 6, 30)  # the book is run at two dates, so that migration has something to show
TEAMS = (
    ("T02", "示范二组 Demo team 2", "B01", "示范分行 Demo branch"),
    ("T03", "示范三组 Demo team 3", "B02", "远方分行 Far branch"),
)
PLACES = (  # who manages every fifth customer, and in which team: the roles see different parts of the book
    ("demo-manager", "T01"), (None, "T01"), (None, "T02"), (None, "T03"), (None, "T03"),
)  # fmt: skip


def prepare(person: "Person", customers: int) -> Iterator[str]:
    """Everything that `kequn demo` does, told line by line."""
    from django.conf import settings

    from kequn.apps.assessments.selectors import latest_published
    from kequn.apps.customers.models import Customer
    from kequn.apps.ingest.models import BatchState, ImportBatch

    sample = ImportBatch.objects.filter(source=SOURCE, state=BatchState.STORED)
    if Customer.objects.exists() and not sample.exists():
        raise Refused(
            Text(
                "库中已有真实客户，示范数据不能混入",
                "there are real customers here; demonstration data may not be mixed in",
            )
        )
    make_staff(person)
    if not sample.exists():
        folder = Path(settings.KEQUN_HOME) / "sample"
        yield f"sample book of {customers} customers"
        write_book(folder, customers)
        yield from _bring_in(person, folder)
        from kequn.cli.demonstration_projects import model_projects

        yield from model_projects()
    if latest_published() is None:
        from kequn.samples.book import AS_OF

        yield from _run(person, EARLIER)
        yield from _rate_first(person)
        yield from _override_some()
        yield from _run(person, AS_OF)
        yield from _rate_again(person)
        yield from _agree_covenants()
        yield from _score_by_challenger(person)
        yield from _propose(AS_OF)
        yield from _discover()
        yield from _challenge(AS_OF)


def make_staff(person: "Person") -> None:
    """One login for each role, and the teams among which the customers are dealt out."""
    from kequn.apps.accounts.services import demo_logins, ensure_team

    demo_logins()
    for code, name, branch, branch_name in TEAMS:
        ensure_team(actor=person.actor_key, branch_code=branch, team_code=code, branch_name=branch_name, team_name=name)


def write_book(folder: Path, customers: int) -> None:
    """The generated sheets, with the customers dealt out among the demonstration staff."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from kequn.samples.book import write_sheets

    write_sheets(folder, customers)
    file = folder / "customers.parquet"
    table = pq.read_table(file)
    owners = [PLACES[row % len(PLACES)][0] for row in range(table.num_rows)]
    teams = [PLACES[row % len(PLACES)][1] for row in range(table.num_rows)]
    table = table.append_column("owner", pa.array(owners, pa.string()))
    pq.write_table(table.append_column("team", pa.array(teams, pa.string())), file)


def _bring_in(person: "Person", folder: Path) -> Iterator[str]:
    from kequn.apps.ingest.services import Wish, import_path

    for batch in import_path(path=folder, person=person, wish=Wish(source=SOURCE, unit=UNIT)):
        read, stored, refused = batch.rows_read, batch.rows_stored, batch.rows_refused
        yield f"imported: {read} rows read = {stored} stored + {refused} refused, {batch.seconds} s"


def _run(person: "Person", when: date) -> Iterator[str]:
    from kequn.apps.assessments.services import request_run
    from kequn.apps.jobs.services import wait_for

    job = wait_for(job=request_run(person=person, as_of=when), worker="demo")
    if job.state != "done":
        zh, _, en = job.error.partition("\n")
        raise Refused(Text(zh, en or zh))
    yield f"run as of {when}: {job.result}"


COVENANTS = (
    ("有息负债率上限 debt to assets", "debt_to_assets <= 0.4"),
    ("利息保障下限 interest cover", "interest_coverage >= 2"),
    ("流动比率下限 current ratio", "current_ratio >= 1.1"),
)  # fmt: skip


def _agree_covenants() -> Iterator[str]:
    """Covenants of a few rated customers; who is in breach of one gets a rating suggested."""
    from kequn.apps.accounts.models import User
    from kequn.apps.deals.models import Facility
    from kequn.apps.ratings.agreeing import Wish, enter
    from kequn.apps.ratings.models import RatingCase, RatingState

    analyst = User.objects.get(username="demo-analyst")
    rated = RatingCase.objects.filter(state=RatingState.APPROVED, model="corporate", customer__team=analyst.team)
    borrowing = rated.filter(customer__in=Facility.objects.values("customer")).exclude(grade="D")
    chosen = [one.customer for one in borrowing.select_related("customer").order_by("pk")[:6]]
    for customer in chosen:
        loan = customer.facilities.order_by("facility_id").first()
        for at, (name, rule) in enumerate(COVENANTS):
            facility = loan.facility_id if at == 0 and loan is not None else ""
            wish = Wish(name, rule, EARLIER, "示例合同第八条 illustration, clause 8", facility)
            enter(person=analyst, customer=customer, wish=wish)
    yield f"covenants of {len(chosen)} customers"


def _score_by_challenger(person: "Person") -> Iterator[str]:
    """A scorecard fitted on another invented book, registered and shown beside the scorecard of policy."""
    from django.conf import settings

    from kequn.apps.ratings.challenging import REGISTERED, run_of, score_book

    name = "sample"
    target = Path(settings.KEQUN_HOME) / REGISTERED / name
    if not target.exists():
        shutil.copytree(Path(__file__).resolve().parents[1] / "samples" / "challenger", target)
    count = score_book(person=person, name=name, run=run_of(None))
    yield f"{count} customers scored by the challenger {name}"


def _propose(when: date) -> Iterator[str]:
    """A segment that waits for approval, so that the pages of review have something to show."""
    from kequn.apps.accounts.models import User
    from kequn.apps.assessments.segment_policy import Asked, draft_segment, submit_segment

    maker = User.objects.get(username="demo-segment")
    row = {
        "name": "large_energy_projects", "zh": "大额能源项目客户", "en": "Large energy project customers",
        "unknown": "list", "source": "示例 illustration",
        "rule": "project_sector = 'energy' and exposure_gross >= 50000000 and not late_payers",
    }  # fmt: skip
    version = draft_segment(person=maker, asked=Asked(row, when, "聚焦大额能源项目 focus on large energy projects"))
    submit_segment(person=maker, version=version)
    yield "a segment waits for approval"


def _discover() -> Iterator[str]:
    """Groups looked for in the facts of the last run, so that their page shows some, or that there are none."""
    from kequn.apps.accounts.models import User
    from kequn.apps.assessments.selectors import latest_published
    from kequn.apps.discoveries.selectors import offered
    from kequn.apps.discoveries.services import request_discovery
    from kequn.apps.jobs.models import Job
    from kequn.apps.jobs.services import wait_for

    run = latest_published()
    assert run is not None  # noqa: S101 - the book was run a moment ago
    maker = User.objects.get(username="demo-segment")
    asked = request_discovery(person=maker, features=offered(run.as_of).features, title="示例 illustration")
    wait_for(job=Job.objects.get(key=f"discovery-{asked.pk}"), worker="demo")
    asked.refresh_from_db()
    yield f"groups looked for: {asked.state}"


def _challenge(when: date) -> Iterator[str]:
    """A strategy that is tried in shadow beside the one in force."""
    from kequn.apps.accounts.models import User
    from kequn.apps.strategies.documents import Asked, draft_strategy

    maker = User.objects.get(username="demo-segment")
    small = {"spread": 0.006, "limit_factor": 0.22, "tenor_months": 36, "contact_days": 60}
    rows = [
        {"when": {"credit_tier": ["low", "unknown"]}, "terms": small | {"spread": 0.012, "limit_factor": 0.1}},
        {"terms": small},
    ]
    body = {"segment": "inclusive_small", "priority": 8, "rows": rows}
    draft_strategy(person=maker, asked=Asked(body, when, "小微按信用分档 small firms by credit tier"))
    yield "a strategy is tried in shadow"


def _rate_first(person: "Person") -> Iterator[str]:
    """First ratings of the whole book, approved by its head, so that the later run has something to compare with."""
    from kequn.apps.accounts.models import User
    from kequn.apps.governance.approving import decide
    from kequn.apps.ratings.approval import propose_book
    from kequn.apps.ratings.rerating import rerate_book

    rerate_book(person=person, first=True)
    proposal = propose_book(person=person)
    head = User.objects.get(username="demo-head")
    decide(
        person=head, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest, comment="示例 illustration"
    )
    yield proposal.title_en


OVERRIDES = (  # notches and reason; the analyst may give one up and three down on their own word
    (-1, "not_in_model"), (-2, "newer_facts"), (1, "one_off"), (-1, "data_in_doubt"), (-1, "peers"), (2, "one_off"),
    (-3, "newer_facts"), (1, "peers"), (-1, "not_in_model"), (-4, "data_in_doubt"), (1, "not_in_model"), (-2, "peers"),
)  # fmt: skip


def _override_some() -> Iterator[str]:
    """Some of the first ratings moved by hand, so that the validation of ratings has overrides to speak of."""
    from kequn.apps.accounts.models import User
    from kequn.apps.governance.approving import decide
    from kequn.apps.ratings.approval import submit
    from kequn.apps.ratings.models import RatingCase, RatingState
    from kequn.apps.ratings.services import Said, begin, revise

    analyst, head = User.objects.get(username="demo-analyst"), User.objects.get(username="demo-head")
    rated = RatingCase.objects.filter(state=RatingState.APPROVED, model="corporate", customer__team=analyst.team)
    chosen = list(rated.exclude(grade="D").select_related("customer").order_by("-pk")[: len(OVERRIDES)])
    for one, (notches, reason) in zip(chosen, OVERRIDES, strict=False):
        case = begin(person=analyst, customer=one.customer, as_of=EARLIER)
        said = Said({"management": 3, "position": 3}, notches, reason, "示例 illustration")
        proposal = submit(person=analyst, case=revise(person=analyst, case=case, said=said))
        decide(
            person=head,
            number=proposal.pk,
            approves=True,
            seen_digest=proposal.shown_digest,
            comment="示例 illustration",
        )
    yield f"{len(chosen)} ratings moved by hand"


def _rate_again(person: "Person") -> Iterator[str]:
    """What the later run makes of the ratings; one is worked on with an override and waits for approval."""
    from kequn.apps.accounts.models import User
    from kequn.apps.ratings.approval import submit
    from kequn.apps.ratings.models import RatingCase, RatingState
    from kequn.apps.ratings.rerating import rerate_book
    from kequn.apps.ratings.services import Said, begin, revise

    counts, _ = rerate_book(person=person)
    yield f"ratings compared with the run: {counts.said()}"
    analyst = User.objects.get(username="demo-analyst")
    suggested = RatingCase.objects.filter(state=RatingState.SUGGESTED, model="corporate", customer__team=analyst.team)
    chosen = suggested.exclude(grade__in=("", "D")).order_by("pk").first()
    if chosen is not None:
        case = begin(person=analyst, customer=chosen.customer)
        answers = {"management": 4, "position": 3, "governance": 3, "information": 4, "outlook": 2}
        said = Said(answers, -1, "not_in_model", "示例：主要客户集中 Illustration: few large customers")
        submit(person=analyst, case=revise(person=analyst, case=case, said=said))
        yield "a rating waits for approval"
