"""The customer list as CSV or as a workbook: what is shown, all of it, within the reader's scope.

Amounts are yuan. Texts that a spreadsheet would take for a formula are made harmless.
"""

import csv
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.assessments import listing
from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.exporting import note_export
from kequn.reports.sheets import harmless
from kequn.web import filters, labels
from kequn.web.templatetags.kequn import language

MARK = "\ufeff"  # so that spreadsheets read the Chinese right
KINDS = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class _Line:
    """What a writer of CSV writes to: it hands every line back at once."""

    def write(self, text: str) -> str:
        return text


@require_safe
def customers_csv(request: HttpRequest) -> StreamingHttpResponse:
    note_export(person=request.user, form="csv", query=request.GET.urlencode())
    spoken = get_language()

    def lines() -> Iterator[str]:
        writer = csv.writer(_Line())
        yield MARK
        with override(spoken):
            for row in _rows(request):
                yield writer.writerow([harmless(one) if isinstance(one, str) else one for one in row])

    answer = StreamingHttpResponse(lines(), content_type=KINDS["csv"])
    answer["Content-Disposition"] = 'attachment; filename="customers.csv"'
    return answer


@require_safe
def customers_xlsx(request: HttpRequest) -> FileResponse:
    """Row by row into a file that lies on the disk, not in memory; it goes away when it was sent."""
    import xlsxwriter

    note_export(person=request.user, form="xlsx", query=request.GET.urlencode())
    file = tempfile.TemporaryFile(prefix="kequn-export-")  # noqa: SIM115 - the answer closes it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(_("Customers"))
        head = book.add_format({"bold": True, "bottom": 1})
        money = book.add_format({"num_format": "#,##0.00"})
        rows = _rows(request)
        sheet.write_row(0, 0, next(rows), head)
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, 1, 36)
        for number, row in enumerate(rows, start=1):
            for column, one in enumerate(row):
                if isinstance(one, str):
                    sheet.write_string(number, column, one)
                elif one is not None:
                    sheet.write_number(number, column, float(one), money if isinstance(one, Decimal) else None)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="customers.xlsx", content_type=KINDS["xlsx"])


def _rows(request: HttpRequest) -> Iterator[list[Any]]:
    """The head, then one row for each customer that fits, in the order of the list."""
    spoken, dimensions = language(), labels.dimensions()
    yield [
        _("Code"), _("Customer"), labels.fact("uscc", spoken), _("Group"), _("Manager"), _("Exposure (yuan)"),
        _("Net exposure (yuan)"), labels.fact("score", spoken), labels.fact("pd", spoken), _("Signals"),
        *(labels.fact(key, spoken) for key in dimensions),
    ]  # fmt: skip
    said: dict[tuple[str, str], str] = {}
    for block in listing.each(person=request.user, wanted=filters.wanted_of(request.GET)):
        current = findings.current_of(block, dimensions)
        for one in block:
            figures = getattr(one, "figures", None)
            stands = current[one.pk]
            yield [
                one.code, one.name, one.uscc or "", one.group.name if one.group else "",
                str(one.owner) if one.owner else "", _yuan(figures.exposure_gross if figures else None),
                _yuan(figures.exposure_net if figures else None), figures.score if figures else None,
                figures.pd if figures else None, figures.signals if figures else None,
                *(_said(said, key, stands.get(key)) for key in dimensions),
            ]  # fmt: skip


def _yuan(minor: int | None) -> Decimal | None:
    return None if minor is None else Decimal(minor) / 100


def _said(known: dict[tuple[str, str], str], key: str, value: str | None) -> str:
    """How a class is said; each is looked up once for the whole file."""
    if value is None:
        return ""
    if (key, value) not in known:
        known[key, value] = labels.value(key, value, language())
    return known[key, value]
