"""Make reports: one at once, or many in the background with progress and a way to stop."""

import os
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.accounts.selectors import person_at_terminal
from kequn.apps.assessments.models import Run
from kequn.apps.assessments.records import READ
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.audit.services import line
from kequn.apps.briefings.models import BatchState, ReportBatch
from kequn.apps.briefings.selectors import customer_analysis, portfolio_overview
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.jobs.services import Lease, LeaseLost, enqueue, handler
from kequn.domain.errors import KequnError, Language, Misuse, Refused, Text
from kequn.domain.money import unit_of
from kequn.policy import Pack, build_plan
from kequn.policy.telling import Teller
from kequn.reports.customer_paper import customer_paper
from kequn.reports.paper import Paper
from kequn.reports.portfolio_paper import portfolio_paper
from kequn.reports.writing import FORMATS, Format, write

SCOPES = {
    Scope.OWN: Text("本人客户", "own customers"),
    Scope.TEAM: Text("团队客户", "customers of the team"),
    Scope.BRANCH: Text("分支机构客户", "customers of the branch"),
    Scope.ALL: Text("全部客户", "all customers"),
}
KIND = "report-batch"
MOST_CUSTOMERS = 20_000
BLOCK = 25  # between two looks at whether somebody cancelled
FOLDER = "reports"
UNSAFE = re.compile(r"[^\w.-]+")


def format_of(word: str) -> Format:
    """A format by its word; refuses others by naming the choices."""
    if word not in FORMATS:
        choices = ", ".join(FORMATS)
        raise Misuse(Text(f"没有格式 {word}；可选：{choices}", f"no format {word}; choose from {choices}"))
    return cast("Format", word)


def make_customer_report(
    *, person: Person, customer: Customer, form: Format, language: Language, money_unit: str = ""
) -> bytes:
    """The financial analysis of a customer that the person may see; who took it out is written down."""
    paper = _paper(customer, language, money_unit, latest_published())
    made = write(paper, form, settings.FRONTEND_ROOT)
    with line(actor=person.actor_key, action="briefings.report", subject=customer.code, format=form, language=language):
        pass
    return made


def _paper(customer: Customer, language: Language, money_unit: str, run: Run | None, pack: Pack | None = None) -> Paper:
    analysis = customer_analysis(customer=customer, language=language, run=run, pack=pack)
    return customer_paper(analysis, language=language, unit=unit_of(money_unit, language))


def make_portfolio_report(*, person: Person, form: Format, language: Language, money_unit: str = "") -> bytes:
    """The overview of everything the person may see; who took it out is written down."""
    run = latest_published()
    pack = policy_in_use()
    plan = build_plan(pack, run.as_of if run else timezone.localdate())
    teller = Teller(pack, plan, language)
    scope = SCOPES[Scope(person.scope)].in_language(language)
    overview = portfolio_overview(person=person, teller=teller, run=run, scope=scope)
    made = write(
        portfolio_paper(overview, teller=teller, unit=unit_of(money_unit, language)), form, settings.FRONTEND_ROOT
    )
    with line(
        actor=person.actor_key, action="briefings.overview", subject=person.scope, format=form, language=language
    ):
        pass
    return made


def file_name(code: str, form: Format) -> str:
    """A name that every file system takes.

    >>> file_name("C/0001 甲", "pdf")
    'C_0001_甲.pdf'
    """
    return f"{UNSAFE.sub('_', code).strip('.') or '_'}.{form}"


def request_batch(
    *, person: Person, customers: QuerySet[Customer], form: Format, language: Language, money_unit: str = ""
) -> ReportBatch:
    """Ask for the reports of these customers as one archive. They must come from the person's own scope."""
    ids = list(customers.values_list("pk", flat=True)[: MOST_CUSTOMERS + 1])
    if not ids:
        raise Refused(Text("没有客户可出报告", "there are no customers to report on"))
    if len(ids) > MOST_CUSTOMERS:
        raise Refused(
            Text(
                f"一次最多为 {MOST_CUSTOMERS:,} 户出报告；请先筛选客户",
                f"at most {MOST_CUSTOMERS:,} customers at a time; filter the list first",
            )
        )
    run = latest_published()
    with line(actor=person.actor_key, action="briefings.batch", customers=len(ids), format=form) as audit:
        batch = ReportBatch.objects.create(
            actor=person.actor_key,
            customers=ids,
            as_of=run.as_of if run else timezone.localdate(),
            format=form,
            language=language,
            money_unit=money_unit,
            total=len(ids),
            asked_at=timezone.now(),
        )
        audit.subject = str(batch.pk)
        audit.wrote("briefings.ReportBatch", [[batch.pk, len(ids), form]])
        enqueue(kind=KIND, arguments={"batch": batch.pk}, actor=person.actor_key, key=f"{KIND}-{batch.pk}")
    return batch


def cancel_batch(*, person: Person, number: int) -> None:
    """Stop making an archive; what was made of it is thrown away."""
    with line(actor=person.actor_key, action="briefings.cancel", subject=str(number)):
        mine = ReportBatch.objects.filter(pk=number, actor=person.actor_key)
        running = mine.filter(state__in=[BatchState.WAITING, BatchState.RUNNING])
        if not running.update(state=BatchState.CANCELLED, ended_at=timezone.now()):
            raise Refused(Text("没有可取消的报告任务", "there is nothing to cancel"))


@handler(KIND)
def do_batch(lease: Lease) -> dict[str, Any]:
    """The job. Taken up again after a killed worker, it starts the archive anew; a cancelled one stays cancelled."""
    batch = ReportBatch.objects.get(pk=lease.arguments["batch"])
    to_make = ReportBatch.objects.filter(pk=batch.pk).exclude(state__in=[BatchState.CANCELLED, BatchState.DONE])
    if not to_make.update(state=BatchState.RUNNING, made=0, error="", ended_at=None):
        return {"made": batch.made}
    home = Path(settings.KEQUN_HOME) / FOLDER
    target, part = home / f"{batch.pk}.zip", home / f".{batch.pk}-{lease.fence}.zip"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old()
        for left in home.glob(f".{batch.pk}-*.zip"):  # by a worker that was killed
            left.unlink(missing_ok=True)
        made = _write_archive(batch, part, lease)
        if made is not None:
            _finish(batch, made, part, target, lease)
    except LeaseLost:
        raise
    except KequnError as error:
        _fail(batch, error.text)
        raise
    except Exception:  # the work is tried again; until then, and after the last time, its page says so
        _fail(batch, Text("报告未能生成", "the reports could not be made"))
        raise
    finally:
        part.unlink(missing_ok=True)
    return {"made": made}


def _fail(batch: ReportBatch, why: Text) -> None:
    running = ReportBatch.objects.filter(pk=batch.pk, state=BatchState.RUNNING)
    running.update(state=BatchState.FAILED, error=f"{why.zh}\n{why.en}", ended_at=timezone.now())


def _finish(batch: ReportBatch, made: int, part: Path, target: Path, lease: Lease) -> None:
    """Nothing is put in place for who cancelled at the last moment, nor by who lost the work to another."""
    file = target.relative_to(settings.KEQUN_HOME).as_posix()
    with line(actor=batch.actor, action="briefings.batch_made", subject=str(batch.pk), reports=made):
        lease.hold()
        still = ReportBatch.objects.filter(pk=batch.pk, state=BatchState.RUNNING)
        if still.update(state=BatchState.DONE, made=made, file=file, ended_at=timezone.now()):
            part.rename(target)


def _write_archive(batch: ReportBatch, part: Path, lease: Lease) -> int | None:
    """The archive with one report a customer; None where it was cancelled on the way.

    This process reads the records, others set the pages: both cores work.
    """
    form = format_of(batch.format)
    made, run, pack = 0, latest_published(), policy_in_use()
    context = get_context("spawn")
    with (
        zipfile.ZipFile(part, "w", compression=zipfile.ZIP_STORED) as archive,
        ProcessPoolExecutor(max_workers=os.cpu_count() or 1, mp_context=context) as pool,
    ):
        waiting: list[tuple[str, Future[bytes]]] = []
        for place, customer in enumerate(_customers(batch)):
            paper = _paper(customer, cast("Language", batch.language), batch.money_unit, run, pack)
            waiting.append((customer.code, pool.submit(write, paper, form, settings.FRONTEND_ROOT)))
            if (place + 1) % BLOCK == 0:
                made += _take_in(archive, waiting, form, leave=BLOCK)
                lease.renew()
                if not ReportBatch.objects.filter(pk=batch.pk, state=BatchState.RUNNING).update(made=made):
                    pool.shutdown(cancel_futures=True)
                    return None
        made += _take_in(archive, waiting, form, leave=0)
    return made


def _take_in(archive: zipfile.ZipFile, waiting: list[tuple[str, "Future[bytes]"]], form: Format, *, leave: int) -> int:
    """Put finished reports into the archive, all but the newest `leave`, in their order; how many."""
    ready = waiting[: len(waiting) - leave]
    del waiting[: len(ready)]
    for code, future in ready:
        name = file_name(code, form)
        taken = set(archive.NameToInfo)
        archive.writestr(name if name not in taken else f"{len(taken)}_{name}", future.result())
    return len(ready)


def _customers(batch: ReportBatch) -> Iterator[Customer]:
    """The customers asked for, as far as the person may see them today, in the order asked."""
    person = person_at_terminal(batch.actor.removeprefix("user:") if batch.actor.startswith("user:") else "")
    ids: list[int] = batch.customers
    for start in range(0, len(ids), BLOCK):
        block = ids[start : start + BLOCK]
        found = visible_to(person).select_related("group", "owner", "figures").prefetch_related(*READ).in_bulk(block)
        yield from (found[one] for one in block if one in found)


def _forget_old() -> None:
    """Archives past their age are deleted; the line of the request stays."""
    since = timezone.now() - timedelta(days=settings.KEQUN_KEEP_REPORT_DAYS)
    for old in ReportBatch.objects.filter(ended_at__lt=since).exclude(file=""):
        (Path(settings.KEQUN_HOME) / old.file).unlink(missing_ok=True)
        ReportBatch.objects.filter(pk=old.pk).update(file="")
