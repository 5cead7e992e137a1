"""Bring files in: preview, answer what is asked, store, look at every row, undo."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kequn.apps.accounts.access import IMPORT, UNDO, may, sees_imports
from kequn.apps.ingest import background, selectors, uploads
from kequn.apps.ingest.child.text import CANDIDATES
from kequn.apps.ingest.kept import mappings
from kequn.apps.ingest.models import BatchState, ImportBatch, Outcome, RowResult, Upload
from kequn.apps.ingest.plausibility import field_label
from kequn.apps.ingest.reading import SUFFIXES
from kequn.apps.ingest.results import write_results
from kequn.apps.ingest.tables import tables
from kequn.apps.ingest.undoing import undo
from kequn.apps.ingest.workbook import write_template
from kequn.apps.jobs.models import Job, State
from kequn.domain.errors import KequnError, Refused
from kequn.web import labels
from kequn.web.templatetags.kequn import figure, language

SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FOREIGN_UNITS = ("USD", "10k USD", "million USD", "EUR", "million EUR", "HKD")
UNITS = {
    "zh": ("元", "千元", "万元", "百万元", "亿元", *FOREIGN_UNITS),
    "en": ("CNY", "thousand CNY", "10k CNY", "million CNY", "100m CNY", *FOREIGN_UNITS),
}
ALL_UNITS = frozenset(UNITS["zh"] + UNITS["en"])
SHOWN = 100
MOODS = {
    BatchState.STORED: "good",
    BatchState.CHECKED: "watch",
    BatchState.REFUSED: "bad",
    BatchState.UNDONE: "unknown",
}
UNIT_CODES = frozenset({"unit_unstated"})
COLUMN_CODES = frozenset({"unknown_column", "sheet_unknown", "column_twice", "column_missing", "unit_unknown"})


def _allowed(request: HttpRequest, act: str = IMPORT) -> None:
    if not may(request.user, act):
        raise PermissionDenied


def _seen(request: HttpRequest) -> None:
    if not sees_imports(request.user):
        raise PermissionDenied


def imports(request: HttpRequest) -> HttpResponse:
    _seen(request)
    context: dict[str, Any] = {"may_import": may(request.user, IMPORT)}
    if request.method == "POST":
        _allowed(request)
        upload = request.FILES.get("file")
        if upload is None:
            context["problem"] = _("Choose a file first.")
        elif not str(upload.name).lower().endswith(SUFFIXES):
            context["problem"] = _("A file of this kind cannot be read; expected: %(kinds)s") % {
                "kinds": ", ".join(SUFFIXES)
            }
        elif upload.size > settings.KEQUN_UPLOAD_BYTES:
            allowed = settings.KEQUN_UPLOAD_BYTES // 1024 // 1024
            context["problem"] = _("The file is larger than %(allowed)s MB.") % {"allowed": allowed}
        else:
            kept = uploads.keep(
                name=upload.name or "file", content=upload.read(), person=request.user, wish=_answers(request)
            )
            return _go_on(request, kept, store=False)
    context |= {
        "units": UNITS[language()],
        "batches": [_shown(batch) for batch in selectors.batches()[:50]],
        "kept_mappings": mappings().count(),
        "days": settings.KEQUN_KEEP_UPLOADS_DAYS,
    }
    return render(request, "kequn/imports.html", context, status=422 if "problem" in context else 200)


def _answers(request: HttpRequest) -> dict[str, object]:
    unit, encoding = request.POST.get("unit", ""), request.POST.get("encoding", "")
    return {
        "unit": unit if unit in ALL_UNITS else "",
        "strict": request.POST.get("mode", "") == "file",
        "take_hidden": request.POST.get("hidden", "") == "take",
        "encoding": encoding if encoding in CANDIDATES else "",
    }


def _go_on(request: HttpRequest, upload: Upload, *, store: bool) -> HttpResponse:
    """Preview or store; a great file is read by the worker, and the page of its job is shown meanwhile."""
    try:
        done = background.bring_in(upload=upload, person=request.user, store=store)
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
        return redirect("imports")
    return redirect("import-job", done.pk) if isinstance(done, Job) else redirect("import", done.pk)


def _shown(batch: ImportBatch) -> dict[str, Any]:
    return {
        "id": batch.pk,
        "file_name": batch.name,
        "at": batch.made_at,
        "actor": batch.actor,
        "mood": "watch" if _waits(batch) else MOODS[BatchState(batch.state)],
        "state_label": _("Waits for an answer") if _waits(batch) else batch.get_state_display(),
        "read": batch.rows_read,
        "stored": batch.rows_stored,
        "refused": batch.rows_refused,
        "whole_file": bool(batch.findings),
        "mapping": batch.mapping,
        "seconds": batch.seconds,
    }


def _waits(batch: ImportBatch) -> bool:
    """A file whose only trouble is what nobody has said yet: a unit, an encoding, the meaning of columns."""
    asked = {one["code"] for one in batch.findings}
    return batch.state == BatchState.REFUSED and bool(asked) and asked <= UNIT_CODES | COLUMN_CODES | {"encoding"}


def _batch(number: int) -> ImportBatch:
    found = selectors.batches().filter(pk=number).first()
    if found is None:
        raise Http404
    return found


@require_safe
def import_page(request: HttpRequest, number: int) -> HttpResponse:
    _seen(request)
    batch, spoken = _batch(number), language()
    upload = uploads.of_batch(batch=batch, person=request.user)
    sheets = _by_sheet(batch)
    may_store = batch.state == BatchState.CHECKED and upload is not None
    context = {
        "batch": _shown(batch) | {"is_preview": may_store, "storable": batch.rows_stored},
        "notes": [note[spoken] for note in batch.notes],
        "sheets": sheets,
        "total": {key: sum(row[key] for row in sheets) for key in ("read", *Outcome.values)},
        "warned": batch.counts.get("warned", 0),
        "tables": [{"name": name} | counts for name, counts in batch.counts.get("tables", {}).items()],
        "lists": [one for kind in ("refused", "warned", "changed") if (one := _rows(batch, kind, 0, spoken))["rows"]],
        "may_import": may(request.user, IMPORT),
        "may_undo": batch.state == BatchState.STORED and may(request.user, UNDO),
        "questions": _questions(batch, upload, spoken),
        "has_upload": upload is not None,
    }
    return render(request, "kequn/import.html", context)


@require_safe
def import_rows(request: HttpRequest, number: int) -> HttpResponse:
    """All rows of one outcome, a page at a time."""
    _seen(request)
    batch, outcome = _batch(number), request.GET.get("outcome", "refused")
    after = request.GET.get("after", "0")
    if outcome not in {*Outcome.values, selectors.WARNED} or not after.isdecimal():
        raise Http404
    context = {"batch": _shown(batch), "list": _rows(batch, outcome, int(after), language())}
    return render(request, "kequn/import_rows.html", context)


def _questions(batch: ImportBatch, upload: Upload | None, spoken: labels.Language) -> dict[str, Any]:
    """Why a file was refused as a whole, and which answers of a person would help."""
    if not batch.findings:
        return {}
    codes = {one["code"] for one in batch.findings}
    encoding = next((one for one in batch.findings if one["code"] == "encoding"), None)
    previews = [line.partition("\t") for line in encoding["expected"].splitlines()] if encoding else []
    return {
        "reasons": [{"place": _place(one), "text": one[spoken], "code": one["code"]} for one in batch.findings[:SHOWN]],
        "unit": bool(codes & UNIT_CODES),
        "units": UNITS[language()],
        "encodings": [{"code": code, "sample": sample} for code, _tab, sample in previews],
        "columns": _to_map(batch) if codes & COLUMN_CODES else [],
        "can_answer": upload is not None,
        "wish": upload.wish if upload is not None else {},
    }


def _to_map(batch: ImportBatch) -> list[dict[str, Any]]:
    """The sheets whose columns a person may have to name: those that something was found of."""
    told = {one["sheet"] for one in batch.findings if one["code"] in COLUMN_CODES}
    return [{"at": at, "sheet": one["sheet"]} for at, one in enumerate(batch.sheets) if one["sheet"] in told]


def _place(one: dict[str, Any]) -> str:
    row = _("row %(row)s") % {"row": one["row"]} if one.get("row") else ""
    return " · ".join(part for part in (one.get("sheet", ""), row, one.get("column", "")) if part)


def _rows(batch: ImportBatch, outcome: str, after: int, spoken: labels.Language) -> dict[str, Any]:
    rows = list(selectors.rows_of(batch_id=batch.pk, outcome=outcome, after=after)[: SHOWN + 1])
    shown = rows[:SHOWN]
    return {
        "outcome": outcome,
        "title": {
            "refused": _("Refused rows"), "warned": _("Hard to believe, taken all the same"),
            "changed": _("Changed records: what stood there, what comes"), "new": _("New rows"),
            "unchanged": _("Unchanged rows"),
        }[outcome],
        "rows": [line for row in shown for line in _lines(row, outcome, spoken)],
        "more": shown[-1].pk if len(rows) > SHOWN else 0,
    }  # fmt: skip


def _lines(row: RowResult, outcome: str, spoken: labels.Language) -> list[dict[str, Any]]:
    place = {"sheet": row.sheet or row.file, "row": row.row, "subject": row.subject}
    if outcome == "changed":
        return [
            place
            | {
                "column": field_label(str(one["field"]), spoken),
                "old": _said(one, "old", spoken),
                "new": _said(one, "new", spoken),
            }
            for one in row.changes or ()
        ]
    found = row.warnings if outcome == selectors.WARNED else row.findings
    lines = [place | {"column": field_label(one["column"], spoken), "text": one[spoken]} for one in found or ()]
    return lines or [place]


def _said(change: dict[str, Any], key: str, spoken: labels.Language) -> str:
    """An old or a new value as a reader knows it: amounts in main units, choices in words."""
    value = change[key]
    name = str(change["field"]).removesuffix("_id")
    found = tables()[change["table"]].columns.get(change["field"]) if change.get("table") in tables() else None
    if value is None or value == "":
        return "–"
    if found is not None and found.kind == "money" and isinstance(value, int):
        return f"{Decimal(value) / 100:,.2f}"
    if found is not None and found.kind == "choice":
        return labels.value(name, str(value), spoken)
    return str(figure(value))


def _by_sheet(batch: ImportBatch) -> list[dict[str, Any]]:
    counted = (
        selectors.rows_of(batch_id=batch.pk).order_by().values("file", "sheet", "outcome").annotate(rows=Count("id"))
    )
    made: dict[str, dict[str, Any]] = {}
    for row in counted.order_by("file", "sheet"):
        label = row["sheet"] or row["file"]
        one = made.setdefault(label, {"label": label, "read": 0} | dict.fromkeys(Outcome.values, 0))
        one[row["outcome"]] += row["rows"]
        one["read"] += row["rows"]
    return list(made.values())


def _mine(request: HttpRequest, number: int) -> Upload | None:
    return uploads.of_batch(batch=_batch(number), person=request.user)


@require_POST
def commit(request: HttpRequest, number: int) -> HttpResponse:
    """Store what was previewed: the same file, read again and checked again."""
    _allowed(request)
    upload = _mine(request, number)
    if upload is None:
        messages.error(request, _("The previewed file is no longer here; bring it in again."))
        return redirect("imports")
    return _go_on(request, upload, store=True)


@require_POST
def again(request: HttpRequest, number: int) -> HttpResponse:
    """Preview the same file again with the person's answers."""
    _allowed(request)
    upload = _mine(request, number)
    if upload is None:
        messages.error(request, _("The earlier file is no longer here; bring it in again."))
        return redirect("imports")
    given = _answers(request)
    asked = {"unit": "unit", "encoding": "encoding", "hidden": "take_hidden", "mode": "strict"}
    upload.wish |= {key: given[key] for field, key in asked.items() if field in request.POST}
    upload.save(update_fields=["wish"])
    return _go_on(request, upload, store=False)


@require_safe
def job(request: HttpRequest, number: int) -> HttpResponse:
    """How far the reading of a great file is; the page asks again by itself."""
    _allowed(request)
    found = Job.objects.filter(pk=number, kind=background.KIND, actor=request.user.actor_key).first()
    if found is None:
        raise Http404
    if found.state == State.DONE:
        return redirect("import", found.result["batch"])
    upload = Upload.objects.filter(pk=found.arguments["upload"]).first()
    zh, _newline, en = found.error.partition("\n")
    context = {
        "job": found,
        "file_name": upload.name if upload else "",
        "size": upload.size if upload else 0,
        "is_over": found.state == State.FAILED,
        "is_waiting": found.state == State.WAITING,
        "stores": bool(found.arguments["store"]),
        "problem": (zh if language() == "zh" else en or zh) if found.state == State.FAILED else "",
    }
    return render(request, "kequn/import_job.html", context)


@require_POST
def take_back(request: HttpRequest, number: int) -> HttpResponse:
    _allowed(request, UNDO)
    spoken = language()
    try:
        undo(batch_id=_batch(number).pk, person=request.user)
        messages.success(request, _("The import was undone; the records are as they were before it."))
    except KequnError as error:
        findings = error.findings if isinstance(error, Refused) else ()
        lines = [error.text.in_language(spoken), *(one.in_language(spoken) for one in findings)]
        messages.error(request, " ".join(lines))
    return redirect("import", number)


@require_safe
def template(request: HttpRequest) -> HttpResponse:
    _allowed(request)
    spoken = language()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        write_template(path, spoken)
        return _workbook(path, f"kequn-{spoken}.xlsx")


@require_safe
def results(request: HttpRequest, number: int) -> HttpResponse:
    _seen(request)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "results.xlsx"
        write_results(path, [_batch(number).pk], language())
        return _workbook(path, f"kequn-import-{number}.xlsx")


def _workbook(path: Path, name: str) -> HttpResponse:
    return HttpResponse(
        path.read_bytes(), content_type=SHEET, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
