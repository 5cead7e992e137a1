"""What can be brought in: the tables of the records, their keys, and how a cell of each column is read."""

from dataclasses import dataclass, field
from functools import cache

from django.db.models import Model

from kequn.apps.customers.dictionary import Entry, by_name, derived, handed_in, said, sheet_entries
from kequn.apps.customers.models import Contact, Customer, Event, ExternalRating, Guarantee, Ownership, Statement
from kequn.apps.deals.models import AccountMonth, Facility, FacilityOutcome, Project, ProjectParty
from kequn.apps.ingest import cells, standard_codes
from kequn.apps.projects.models import ProjectActual

# text, number, whole, money, date, month, period, truth, choice, share, uscc, country, province, industry, currency
Kind = str


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a sheet may carry, under its name or either label."""

    name: str
    zh: str
    en: str
    kind: Kind
    entry: Entry
    required: bool = False
    is_fact: bool = False  # stored as a dated fact, not as a column of the table

    def reader(self, stated: cells.Stated) -> cells.Reader:
        return _reader(self.kind, self.entry, stated)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its model, the columns that make a row unique, and the tables it hangs on."""

    name: str
    model: type[Model]
    key: tuple[str, ...]
    columns: dict[str, Column] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()  # (foreign key, column that names the customer)

    @property
    def has_money(self) -> bool:
        return any(column.kind == "money" for column in self.columns.values())


_CODES: dict[str, cells.Reader] = {
    "uscc": cells.uscc,
    "country": standard_codes.country,
    "province": standard_codes.province,
    "industry": standard_codes.industry,
    "currency": cells.currency,
    "date": cells.date,
    "month": cells.month,
    "period": cells.period,
    "truth": cells.truth,
}
_KINDS = {
    "uscc": "uscc",
    "country": "country",
    "project_country": "country",
    "province": "province",
    "project_province": "province",
    "industry_code": "industry",
    "currency": "currency",
    "facility_currency": "currency",
    "month": "month",
    "period_end": "period",
    "share": "share",
    "version": "whole",
    "months": "whole",
}
LONG = 300
SHORT = {"customer_id": 80, "facility_id": 80, "project_id": 80, "account_id": 80, "parent_id": 80, "child_id": 80}


def kind_of(entry: Entry) -> Kind:
    if entry.name in _KINDS:
        return _KINDS[entry.name]
    if entry.choices:
        return "choice"
    if entry.is_money:
        return "money"
    return {"number": "number", "boolean": "truth", "date": "date"}.get(entry.type, "text")


def _reader(kind: Kind, entry: Entry, stated: cells.Stated) -> cells.Reader:
    if kind in _CODES:
        return _CODES[kind]
    if kind == "choice":
        words = {said(entry, one, lang): one for lang in ("zh", "en") for one in entry.choices}
        return cells.choice(words | {one: one for one in entry.choices})
    if kind == "whole":
        allowed = [int(one) for one in entry.choices]
        return cells.choice({str(one): one for one in allowed}) if allowed else cells.whole()
    if kind == "money":
        return _bounded(cells.money(stated), entry, scale=100)
    if kind == "number":
        return _bounded(cells.number(stated), entry, scale=1)
    if kind == "share":
        return cells.share(stated)
    return cells.text_of(SHORT.get(entry.name, LONG))


def _bounded(read: cells.Reader, entry: Entry, *, scale: int) -> cells.Reader:
    """The bounds of a believable value, as the dictionary gives them."""
    least, largest = entry.minimum, entry.maximum
    if least is None and largest is None:
        return read
    low = None if least is None else least * scale
    high = None if largest is None else largest * scale

    def check(cell: object) -> object:
        value = read(cell)
        if value is None or isinstance(value, cells.Bad):
            return value
        if (low is not None and value < low) or (high is not None and value > high):  # type: ignore[operator]
            bounds = f"{'' if least is None else least} .. {'' if largest is None else largest}"
            return cells.bad("bounds", cell, f"{bounds} 之间的值", f"a value in {bounds}")
        return value

    return check


def column(entry: Entry, *, is_fact: bool = False, required: bool = False) -> Column:
    return Column(entry.name, entry.zh, entry.en, kind_of(entry), entry, required or entry.required, is_fact)


def _own(name: str, kind: str, zh: str, en: str) -> Column:
    types = {"date": "date", "share": "number"}
    entry = Entry(name, types.get(kind, "text"), zh, en, unit="GB/T 2260" if kind == "province" else "")
    return Column(name, zh, en, kind, entry)


UNIT = _own("unit", "text", "金额单位", "Unit of amounts")
CURRENCY = _own("currency", "currency", "金额币种", "Currency of amounts")
SOURCE_CODE = by_name("customer")["uscc"]
CUSTOMER_COLUMNS = ("customer_id", "name", "short_name", "uscc", "country", "province", "industry_code", "group_name")


def _customer_columns() -> dict[str, Column]:
    made = {
        one.name: column(one, is_fact=one.name not in CUSTOMER_COLUMNS, required=one.name == "name")
        for one in handed_in("customer")
    }
    made.update({one.name: column(one, is_fact=True) for one in derived() if one.name not in made})
    for own in (
        _own("owner", "text", "客户经理", "Relationship manager"),
        _own("team", "text", "团队编号", "Team code"),
        _own("branch", "text", "分行编号", "Branch code"),
        _own("known_from", "date", "情况起始日", "Facts known from"),
        UNIT,
        CURRENCY,
    ):
        made[own.name] = own
    return made


def _sheet_columns(sheet: str, *, money: bool = True) -> dict[str, Column]:
    shape = sheet_entries()[sheet]
    made = {one.name: column(one) for one in shape.keys}
    if shape.grain:
        made.update({one.name: column(one) for one in handed_in(shape.grain) if not one.outcome})
    if sheet == "statements":
        made["months"] = column(shape_entry(sheet, "months"), required=True)
    if "uscc" not in made and "customer_id" in made:
        made["uscc"] = column(SOURCE_CODE)
    if money:
        made.setdefault("unit", UNIT)
        made.setdefault("currency", CURRENCY)
    return made


def shape_entry(sheet: str, name: str) -> Entry:
    return next(one for one in sheet_entries()[sheet].keys if one.name == name)


_OF_CUSTOMER = (("customer", "customer_id"),)


def _edge(parent: str) -> tuple[tuple[str, str], ...]:
    return ((parent, "parent_id"), ("customer", "child_id"))


def _of_customer(name: str, model: type[Model], *key: str, money: bool = True) -> Table:
    return Table(name, model, ("customer", *key), _sheet_columns(name, money=money), _OF_CUSTOMER)


@cache
def tables() -> dict[str, Table]:
    """Every table by its name, in the order in which they are written."""
    outcomes = {one.name: column(one) for one in handed_in("facility") if one.outcome}
    facility_id = column(shape_entry("facilities", "facility_id"), required=True)
    party = {
        "project_id": column(shape_entry("projects", "project_id"), required=True),
        "customer_id": column(shape_entry("projects", "customer_id")),
        "role": column(by_name("project")["role"]),
        "share": _own("share", "share", "份额", "Share"),
    }
    project = _sheet_columns("projects")
    for name in ("role", "share", "customer_id", "uscc"):
        project.pop(name, None)
    edges = _sheet_columns("groups")
    facility = {**_sheet_columns("facilities"), "project_id": replace_required(party["project_id"])}
    outcome_columns = {"facility_id": facility_id, **outcomes, "currency": CURRENCY}
    made = (
        Table("customers", Customer, ("customer_id",), _customer_columns()),
        Table("ownership", Ownership, ("parent", "customer", "relation", "from_date"), edges, _edge("parent")),
        Table("guarantees", Guarantee, ("guarantor", "customer", "from_date"), edges, _edge("guarantor")),
        _of_customer("contacts", Contact, "contact_name", money=False),
        _of_customer("statements", Statement, "period_end", "scope", "standard", "version"),
        _of_customer("ratings", ExternalRating, "agency", "scale", "rating_date", money=False),
        _of_customer("events", Event, "event_date", "kind", "event_source"),
        Table("projects", Project, ("project_id",), project),
        Table("parties", ProjectParty, ("project_id", "customer", "role"), party, _OF_CUSTOMER),
        Table("facilities", Facility, ("facility_id",), facility, _OF_CUSTOMER),
        Table("outcomes", FacilityOutcome, ("facility_id",), outcome_columns),
        Table("project_actuals", ProjectActual, ("project_id", "period_end"), _sheet_columns("project_actuals")),
        _of_customer("account_months", AccountMonth, "account_id", "month"),
    )
    return {one.name: one for one in made}


def replace_required(one: Column) -> Column:
    return Column(one.name, one.zh, one.en, one.kind, one.entry, required=False)
