"""What an import took in and is hard to believe: warnings, not refusals. Every number comes from the policy pack."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from kequn.apps.customers.models import Statement
from kequn.apps.ingest.assembling import Assembly, Draft
from kequn.apps.ingest.layout import sheet_columns_of
from kequn.apps.ingest.matching import chunks
from kequn.apps.ingest.tables import Column, tables
from kequn.domain.errors import Finding, Place, Text
from kequn.policy import load_pack

COMPARED = ("total_assets", "total_liabilities", "equity", "cash", "revenue")
JUMPS = ("jump_thousand", "jump_ten_thousand", "jump_hundred_million")


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of the policy in force."""

    balance_tolerance: float
    drawn_tolerance: float
    rate_highest: float
    rate_lowest: float
    jump_band: float
    jumps: tuple[float, ...]

    @classmethod
    def in_force(cls) -> "Limits":
        pack, today = load_pack(settings.KEQUN_PACK), timezone.localdate()
        plain = ("balance_tolerance", "drawn_tolerance", "rate_highest", "rate_lowest", "jump_band")
        return cls(*(pack.constant(name, today) for name in plain), tuple(pack.constant(name, today) for name in JUMPS))

    def is_jump(self, new: float, old: float) -> bool:
        """Whether two amounts lie so far apart as amounts in two units do."""
        if not new or not old:
            return False
        times = max(abs(new / old), abs(old / new))
        return any(one / self.jump_band <= times <= one * self.jump_band for one in self.jumps)


def warn(assembly: Assembly) -> int:
    """Put the warnings beside the rows of an import that was just written; how many rows have one."""
    limits = Limits.in_force()
    found: dict[int, list[Finding]] = {}
    earlier = _earlier(assembly)
    for table, drafts in assembly.drafts.items():
        columns = tables()[table].columns
        for draft in drafts.values():
            warnings = [*_of_changes(draft, columns, limits)]
            if table == "statements":
                warnings += _of_statement(draft, limits, earlier.get(_basis(assembly, draft), ()))
            elif table == "facilities":
                warnings += _of_facility(draft, limits)
            if warnings:
                found[id(draft)] = warnings
    rows = 0
    for row, drafts in assembly.taken:
        row.warnings = [
            Finding(
                one.code,
                one.text,
                Place(row.place.file, row.place.sheet, row.place.row, one.place.column),
                one.found,
                one.expected,
            )
            for draft in drafts
            if draft.row in {row.place.row, None}
            for one in found.get(id(draft), ())
        ]
        rows += bool(row.warnings)
    return rows


def _warning(code: str, column: str, zh: str, en: str, found: object = "", expected: object = "") -> Finding:
    return Finding(code, Text(zh, en), Place(column=column), str(found), str(expected))


def _main(minor: object) -> str:
    return f"{int(minor) / 100:,.2f}"  # type: ignore[call-overload]


def _of_statement(draft: Draft, limits: Limits, before: Iterable[tuple[object, ...]]) -> list[Finding]:
    values, made = draft.values, []
    assets, debts, equity = (values.get(name) for name in ("total_assets", "total_liabilities", "equity"))
    if assets is not None and debts is not None and equity is not None:
        gap = int(assets) - int(debts) - int(equity)  # type: ignore[call-overload]
        if abs(gap) > limits.balance_tolerance * abs(int(assets)):  # type: ignore[call-overload]
            zh, en = f"资产与负债加权益相差 {_main(gap)}", f"assets and liabilities plus equity differ by {_main(gap)}"
            made.append(_warning("unbalanced", "total_assets", zh, en, _main(gap), "0"))
    last = max(
        (one for one in before if one[0] < values.get("period_end", one[0]) and one[2] == values.get("currency")),  # type: ignore[operator]
        key=lambda one: one[0],  # type: ignore[arg-type,return-value]
        default=None,
    )
    if last is None:
        return made
    months = {"revenue": (float(values.get("months") or 12), float(last[1]))}  # type: ignore[arg-type]
    jumped = []
    for name, old in zip(COMPARED, last[3:], strict=True):
        new = values.get(name)
        mine, theirs = months.get(name, (1.0, 1.0))
        if new is not None and old is not None and limits.is_jump(float(new) / mine, float(old) / theirs):  # type: ignore[arg-type]
            jumped.append((name, old, new))
    for name, old, new in jumped[:1]:
        zh = f"与上期 {last[0]} 的 {_main(old)} 相比差数千倍，请核对金额单位"
        en = f"thousands of times off the {_main(old)} of {last[0]}: check the unit of amounts"
        made.append(_warning("unit_suspected", name, zh, en, _main(new), _main(old)))
    return made


def _of_facility(draft: Draft, limits: Limits) -> list[Finding]:
    values, made = draft.values, []
    committed, drawn = values.get("committed"), values.get("drawn")
    if committed is not None and drawn is not None and drawn > committed * (1 + limits.drawn_tolerance):  # type: ignore[operator]
        zh, en = f"用信余额大于授信额度 {_main(committed)}", f"drawn above the committed {_main(committed)}"
        made.append(_warning("drawn_above_committed", "drawn", zh, en, _main(drawn), f"<= {_main(committed)}"))
    rate = values.get("rate_pa")
    if isinstance(rate, float) and not limits.rate_lowest <= rate <= limits.rate_highest:
        zh, en = f"年利率 {rate:.2%} 不合常理，请核对是否漏写%", f"a rate of {rate:.2%}: is a % missing?"
        made.append(_warning("rate_strange", "rate_pa", zh, en, f"{rate:.2%}", f"<= {limits.rate_highest:.0%}"))
    start, end = values.get("start_date"), values.get("maturity_date")
    if start is not None and end is not None and end < start:  # type: ignore[operator]
        zh, en = f"到期日早于起始日 {start}", f"matures before it starts on {start}"
        made.append(_warning("maturity_before_start", "maturity_date", zh, en, end, f">= {start}"))
    return made


def _of_changes(draft: Draft, columns: dict[str, Column], limits: Limits) -> list[Finding]:
    """An amount that is put right by a factor as between two units."""
    for one in draft.changes:
        column = columns.get(str(one["field"]))
        old, new = one["old"], one["new"]
        if column is None or column.kind != "money" or not isinstance(old, int) or not isinstance(new, int):
            continue
        if limits.is_jump(new, old):
            zh = f"由 {_main(old)} 改为 {_main(new)}，相差数千倍，请核对金额单位"
            en = f"from {_main(old)} to {_main(new)}, thousands of times off: check the unit of amounts"
            return [_warning("unit_suspected", column.name, zh, en, _main(new), _main(old))]
    return []


def _basis(assembly: Assembly, draft: Draft) -> tuple[object, ...]:
    pk = assembly.book.slots[draft.links["customer"]].pk
    return pk, draft.values.get("scope"), draft.values.get("standard")


def _earlier(assembly: Assembly) -> dict[tuple[object, ...], list[tuple[object, ...]]]:
    """The statements of the same customers and bases, also those of this import: end, months, currency, amounts."""
    drafts = assembly.drafts.get("statements", {})
    customers = {assembly.book.slots[draft.links["customer"]].pk for draft in drafts.values()}
    found: dict[tuple[object, ...], list[tuple[object, ...]]] = {}
    for some in chunks(customers):
        rows = Statement.objects.filter(customer_id__in=some).values_list(
            "customer_id", "scope", "standard", "period_end", "months", "currency", *COMPARED
        )
        for row in rows.iterator(chunk_size=5000):
            found.setdefault(row[:3], []).append(row[3:])
    return found


def field_label(name: str, spoken: str) -> str:
    """What a field of any sheet is called."""
    for kind in (
        "statements",
        "facilities",
        "customers",
        "projects",
        "project_actuals",
        "account_months",
        "groups",
        "events",
        "ratings",
        "contacts",
    ):
        column = sheet_columns_of(kind).get(name)
        if column is not None:
            return column.zh if spoken == "zh" else column.en
    return name
