"""Bring files in: parse, check, store in one transaction with one audit line, account for every row.

A file that is refused as a whole is accounted for too: it stands in the history with its reasons and no row.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from django.utils import timezone

from kequn.apps.accounts.access import IMPORT, Person, may
from kequn.apps.audit import bulk, faults
from kequn.apps.audit.services import OpenLine, line
from kequn.apps.ingest import mapping
from kequn.apps.ingest.assembling import Assembly, Draft
from kequn.apps.ingest.framing import Sheet, frame
from kequn.apps.ingest.indexing import follow, touched_by
from kequn.apps.ingest.kept import for_header, signature_of
from kequn.apps.ingest.layout import SHEET_ORDER, Layout, from_header, is_known, sheet_kind
from kequn.apps.ingest.models import BatchState, ImportBatch, KeptMapping, Outcome, RowResult
from kequn.apps.ingest.parsing import ParsedRow, RowParser
from kequn.apps.ingest.plausibility import warn
from kequn.apps.ingest.reading import RawSheet, digest_of, files_of, sheets_of
from kequn.apps.ingest.storing import RANK, Store
from kequn.apps.ratings.rerating import after_import
from kequn.domain.errors import Finding, KequnError, Misuse, Place, Refused, Text

Whole = Literal["batch", "file"]
NOTES_SHEETS = frozenset({"notes", "说明", "choices", "选项", "import summary 导入摘要", "import rows 逐行结果"})
SAMPLE_ROWS, SAMPLE_CHARACTERS = 3, 80


@dataclass(frozen=True, slots=True)
class Wish:
    """How the person wants the files to be taken."""

    source: str = ""
    unit: str = ""
    mapping: Path | None = None
    ignored: frozenset[str] = frozenset()
    whole: Whole = "batch"  # what is stored whole or not at all: all files together, or each by itself
    strict: bool = False  # one refused row refuses the unit
    dry_run: bool = False
    encoding: str = ""  # of text files, where the person was asked
    take_hidden: bool = False  # hidden rows are read too; else each is refused and named
    name: str = ""  # what the file is called, where the person knows it by another name


class RefusedFile(Refused):
    """A file that was refused as a whole; the batch keeps the reasons."""

    def __init__(self, refused: KequnError, batch: ImportBatch) -> None:
        super().__init__(refused.text, refused.findings if isinstance(refused, Refused) else ())
        self.batch = batch


class _OnlyChecked(Exception):
    """Rolls a dry run back."""


def import_path(*, path: Path, person: Person, wish: Wish, hold: Callable[[], None] | None = None) -> list[ImportBatch]:
    """Take in a file, or a folder of files. The answer accounts for every row that was read.

    `hold` is called last before the commit: background work makes sure there that nobody took it over.
    """
    if not may(person, IMPORT):
        raise Misuse(Text("没有导入权限", "you may not import"))
    files = files_of(path)
    files.sort(key=_order)
    units = [[one] for one in files] if wish.whole == "file" else [files]
    name = wish.name or (path.name if wish.whole == "batch" else "")
    return [_import_unit(files=unit, name=name or unit[0].name, person=person, wish=wish, hold=hold) for unit in units]


def _order(file: Path) -> tuple[int, str]:
    stem = file.name.split(".")[0].lower()
    return (SHEET_ORDER.index(stem) if stem in SHEET_ORDER else 0, file.name)


def _import_unit(
    *, files: list[Path], name: str, person: Person, wish: Wish, hold: Callable[[], None] | None
) -> ImportBatch:
    started = time.monotonic()
    batch = ImportBatch(
        name=name[:300],
        digest=_digest(files, wish),
        mapping=wish.mapping.name if wish.mapping else "",
        source=wish.source or "book",
        state=BatchState.STORED,
        actor=person.actor_key,
        made_at=timezone.now(),
    )
    reading = _Reading(wish)
    try:
        rows, batch.source = reading.read(files)
    except Refused as refused:
        _keep_refused(batch, refused, reading)
        raise RefusedFile(refused, batch) from refused
    batch.mapping = batch.mapping or ", ".join(reading.kept)[:300]
    batch.notes, batch.sheets = reading.notes_json(), reading.sheets
    batch.rows_read = batch.rows_stored = len(rows)
    results: list[RowResult] = []
    try:
        with line(actor=person.actor_key, action="import", subject=name, digest=batch.digest) as audit:
            batch.save()
            faults.commit_too_early("batch_before_rows")
            results = _store(batch, rows, audit, wish)
            batch.seconds = round(time.monotonic() - started, 3)
            _write_results(batch, results)
            audit.detail.update(
                batch=batch.id, read=batch.rows_read, stored=batch.rows_stored, refused=batch.rows_refused
            )
            faults.point("import.before_commit")
            _roll_back_if_only_checked(batch, wish)
            if hold is not None:
                hold()
    except _OnlyChecked:
        _keep_checked(batch, results, wish)
    else:
        after_import(actor=person.actor_key, batch=batch.id)
    faults.point("import.after_commit")
    return batch


def _roll_back_if_only_checked(batch: ImportBatch, wish: Wish) -> None:
    if wish.dry_run or batch.state == BatchState.REFUSED:
        raise _OnlyChecked


def _keep_checked(batch: ImportBatch, results: list[RowResult], wish: Wish) -> None:
    """Nothing was stored; what was found is kept, so that the person can look at it."""
    batch.pk = None
    batch.state = BatchState.REFUSED if batch.state == BatchState.REFUSED else BatchState.CHECKED
    action = "import.check" if wish.dry_run else "import.refused"
    with line(actor=batch.actor, action=action, subject=batch.name, digest=batch.digest) as audit:
        batch.save(force_insert=True)
        _write_results(batch, results)
        audit.detail.update(batch=batch.id, read=batch.rows_read)


def _keep_refused(batch: ImportBatch, refused: Refused, reading: "_Reading") -> None:
    """A file that could not be read as a whole stands in the history with its reasons."""
    batch.state, batch.sheets, batch.notes = BatchState.REFUSED, reading.sheets, reading.notes_json()
    findings = refused.findings or (Finding("refused", refused.text),)
    batch.findings = [
        {**finding_json(one), "file": one.place.file, "sheet": one.place.sheet, "row": one.place.row}
        for one in findings[:1000]
    ]
    with line(actor=batch.actor, action="import.refused", subject=batch.name, digest=batch.digest) as audit:
        batch.save(force_insert=True)
        audit.detail.update(batch=batch.id, codes=sorted({one.code for one in findings}))


def _digest(files: list[Path], wish: Wish) -> str:
    parts = [digest_of(one) for one in files]
    if wish.mapping and wish.mapping.is_file():
        parts.append(digest_of(wish.mapping))
    parts += [wish.unit, wish.source, wish.encoding, str(wish.take_hidden), *sorted(wish.ignored)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


# --- reading ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """All rows of all sheets, customers first; trouble with whole sheets is collected over all files."""

    wish: Wish
    sheets: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # names of the kept mappings that were used
    _document: dict[str, Any] | None = None

    def read(self, files: list[Path]) -> tuple[list[ParsedRow], str]:
        parts: list[tuple[int, list[ParsedRow]]] = []
        findings: list[Finding] = []
        sources: set[str] = set()
        if self.wish.mapping is not None:
            self._document = mapping.load(self.wish.mapping)
        for file in files:
            with sheets_of(file, self.wish.encoding) as sheets:
                for raw in sheets:
                    if raw.name.strip().casefold() in NOTES_SHEETS or self._is_hidden(raw):
                        continue
                    sheet = frame(raw, self._is_known)
                    if not sheet.header:
                        continue
                    layout, wrong = self._layout(sheet)
                    findings += wrong
                    if layout is None:
                        continue
                    self.notes += [*layout.notes, *sheet.notes]
                    sources.add(layout.source)
                    parser = RowParser(layout, sheet, take_hidden=self.wish.take_hidden)
                    parts.append((layout.order, [parser.parse(number, row) for number, row in sheet.rows]))
        if findings:
            text = Text(
                "文件的列无法认清，整体拒绝", "the columns of the file cannot be read; it is refused as a whole"
            )
            raise Refused(text, tuple(findings))
        if not parts:
            text = Text("文件中没有可导入的表", "there is no sheet in the file that can be brought in")
            raise Refused(text, (Finding("no_sheet", text, Place(files[0].name)),))
        parts.sort(key=lambda one: one[0])
        return [row for _, some in parts for row in some], min(sources)

    def notes_json(self) -> list[dict[str, str]]:
        return [{"zh": one.zh, "en": one.en} for one in self.notes]

    def _is_hidden(self, raw: RawSheet) -> bool:
        if raw.visible or self.wish.take_hidden:
            return False
        if raw.rows:
            zh, en = "工作表是隐藏的，没有读取", "the sheet is hidden and was not read"
            self.notes.append(Text(f"{raw.name}：{zh}", f"{raw.name}: {en}"))
        return True

    def _is_known(self, text: str) -> bool:
        if self._document is not None:
            return text in mapping.headers_of(self._document)
        return is_known(text)

    def _layout(self, sheet: Sheet) -> tuple[Layout | None, list[Finding]]:
        kept = for_header(sheet.header) if self._document is None else None
        kind = str(kept.document["kind"]) if kept else sheet_kind(sheet.name, sheet.header)
        self.sheets.append(_sheet_json(sheet, kind))
        if self._document is not None and self.wish.mapping is not None:
            return mapping.layout_of(self._document, self.wish.mapping.name, sheet)
        if kept is not None:
            return self._by_kept(kept, sheet)
        if kind is None:
            zh, en = "认不出这是哪一类表", "cannot tell what kind of sheet this is"
            place = Place(sheet.file, sheet.name, sheet.header_row)
            return None, [Finding("sheet_unknown", Text(zh, en), place, sheet.name, ", ".join(SHEET_ORDER))]
        source = self.wish.source or "book"
        return from_header(kind, sheet, source=source, unit=self.wish.unit, ignored=self.wish.ignored)

    def _by_kept(self, kept: KeptMapping, sheet: Sheet) -> tuple[Layout | None, list[Finding]]:
        document = dict(kept.document) | {"source": self.wish.source or "book"}
        if self.wish.unit:
            document["unit"] = self.wish.unit
        self.kept.append(kept.name)
        KeptMapping.objects.filter(id=kept.id).update(used_at=timezone.now())
        self.notes.append(
            Text(
                f"{sheet.name}：按保留的映射“{kept.name}”读取", f"{sheet.name}: read by the kept mapping “{kept.name}”"
            )
        )
        return mapping.layout_of(document, kept.name, sheet)


def _sheet_json(sheet: Sheet, kind: str | None) -> dict[str, Any]:
    samples = [
        [str("" if cell is None else cell)[:SAMPLE_CHARACTERS] for cell in cells]
        for _, cells in sheet.rows[:SAMPLE_ROWS]
    ]
    return {
        "file": sheet.file,
        "sheet": sheet.name,
        "kind": kind or "",
        "header": list(sheet.header),
        "row": sheet.header_row,
        "units": [str(one.factor) for one in sheet.units],
        "currency": sheet.units[0].currency if sheet.units else "",
        "signature": signature_of(sheet.header),
        "samples": samples,
    }


# --- storing ------------------------------------------------------------------------------------------------


def _store(batch: ImportBatch, rows: list[ParsedRow], audit: OpenLine, wish: Wish) -> list[RowResult]:
    assembly = Assembly(batch.source)
    assembly.load(rows)
    for row in rows:
        assembly.take(row)
    store = Store(assembly, batch.id, audit, batch.source)
    faults.point("import.before_write")
    store.write()
    if not wish.dry_run:
        follow(touched_by(batch.id))
    faults.point("import.written")
    strange = warn(assembly)
    results = [_result(batch, row, drafts) for row, drafts in assembly.taken]
    refused = sum(one.outcome == Outcome.REFUSED for one in results)
    if refused and wish.strict:
        batch.state = BatchState.REFUSED
        _refuse_all(results)
        refused = len(results)
    tally = dict.fromkeys(Outcome.values, 0)
    for one in results:
        tally[one.outcome] += 1
    batch.rows_read, batch.rows_refused, batch.rows_stored = len(results), refused, len(results) - refused
    batch.counts = {"rows": tally, "tables": store.counts, "warned": strange}
    return results


def _result(batch: ImportBatch, row: ParsedRow, drafts: list[Draft]) -> RowResult:
    statuses = [one.status for one in drafts]
    outcome = Outcome.REFUSED if row.findings else Outcome(max(statuses, key=RANK.__getitem__) or "unchanged")
    mine = [one for one in drafts if one.changes and one.row in {row.place.row, None}]
    changes = [{"table": draft.table, **change} for draft in mine for change in draft.changes]
    return RowResult(
        batch=batch,
        file=row.place.file,
        sheet=row.place.sheet,
        row=row.place.row or 0,
        outcome=outcome,
        subject=_subject(row),
        findings=[finding_json(one) for one in row.findings],
        warnings=[finding_json(one) for one in row.warnings] or None,
        changes=changes or None,
        cells=[cell_json(one) for one in row.cells] if row.findings else None,
    )


def _subject(row: ParsedRow) -> str:
    for _, values in row.records:
        for name in ("facility_id", "project_id", "customer_id", "uscc", "child_id", "name"):
            if name in values:
                return str(values[name])[:200]
    return ""


def cell_json(cell: object) -> object:
    """A cell as the result workbook can give it back."""
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    return {"d": cell.isoformat()} if isinstance(cell, date) else str(cell)


def finding_json(one: Finding) -> dict[str, object]:
    return {
        "code": one.code,
        "column": one.place.column,
        "found": one.found,
        "expected": one.expected,
        "zh": one.text.zh,
        "en": one.text.en,
    }


def _refuse_all(results: list[RowResult]) -> None:
    zh, en = "同批有其他行被拒绝，按要求整体不存", "other rows were refused, and the whole was to be stored or nothing"
    for one in results:
        if one.outcome != Outcome.REFUSED:
            one.outcome = Outcome.REFUSED
            one.findings = [{"code": "whole", "column": "", "found": "", "expected": "", "zh": zh, "en": en}]


def _write_results(batch: ImportBatch, results: list[RowResult]) -> None:
    ImportBatch.objects.filter(pk=batch.pk).update(
        rows_read=batch.rows_read,
        rows_stored=batch.rows_stored,
        rows_refused=batch.rows_refused,
        counts=batch.counts,
        seconds=batch.seconds,
        state=batch.state,
    )
    columns = ("batch_id", "file", "sheet", "row", "outcome", "subject", "findings", "warnings", "changes", "cells")
    rows = (
        (
            batch.pk,
            one.file,
            one.sheet,
            one.row,
            str(one.outcome),
            one.subject,
            one.findings,
            one.warnings,
            one.changes,
            one.cells,
        )
        for one in results
    )
    bulk.insert(RowResult, columns, rows)
