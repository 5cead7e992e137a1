"""The book as of a date, as Parquet files in the layout that the engine reads. Amounts in yuan by policy's rates.

A snapshot carries dictionary facts only, and none that is known only after the outcome. It is written to a folder
of its own and takes its final name, which holds its digest, when it is whole.
"""

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings

from kequn.apps.assessments.guarantees import NAMES as GUARANTEE_FACTS
from kequn.apps.assessments.guarantees import table_of
from kequn.apps.assessments.reading import View, one_view
from kequn.apps.customers.dictionary import Entry, derived, handed_in
from kequn.apps.customers.selectors import Yuan
from kequn.apps.projects.models import RATIOS
from kequn.policy.pack import Pack

TEXT, NUMBER, WHOLE, DAY, TRUTH, MINOR = pa.string(), pa.float64(), pa.int32(), pa.date32(), pa.bool_(), pa.int64()
Columns = list[tuple[str, pa.DataType]]
OWN_COLUMNS = ("name", "short_name", "uscc", "country", "province", "industry_code", "group_name")


def yuan_at(pack: Pack, currencies: set[str], as_of: date) -> Yuan:
    """Policy's rates at the date for the currencies of the book."""
    rates = {one: rate for one in currencies | {"CNY"} if (rate := pack.cny_per_unit(one, as_of)) is not None}
    return Yuan({"CNY": 1.0} | rates)


def take_snapshot(*, pack: Pack, as_of: date) -> tuple[Path, str, dict[str, int]]:
    """Write the snapshot; its folder, its digest and its rows. The same book gives the same folder."""
    home = Path(settings.KEQUN_HOME) / "snapshots"
    home.mkdir(parents=True, exist_ok=True)
    fresh = home / f".{as_of}-{secrets.token_hex(6)}"
    fresh.mkdir()
    try:
        rows = _write(fresh, pack, as_of)
        digest = _digest(fresh, as_of)
        manifest = {"as_of": as_of.isoformat(), "rows": rows, "digest": digest}
        (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
        final = home / f"{as_of}-{digest[:16]}"
        if not final.exists():
            fresh.rename(final)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return final, digest, rows


def _digest(folder: Path, as_of: date) -> str:
    digest = hashlib.sha256(as_of.isoformat().encode())
    for file in sorted(folder.glob("*.parquet")):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _write(folder: Path, pack: Pack, as_of: date) -> dict[str, int]:
    with one_view() as view:
        yuan = yuan_at(pack, _currencies(view), as_of)
        tables = {
            "customers": _customers(view, as_of, yuan),
            "statements": _statements(view, as_of, yuan),
            "facilities": _facilities(view, as_of, yuan),
            "projects": _projects(view, as_of, yuan),
            "account_months": _account_months(view, as_of, yuan),
            "events": _events(view, as_of, yuan),
        }
    rows = {}
    for name, table in tables.items():
        rows[name] = table.num_rows
        if table.num_rows or name == "customers":
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    return rows


_WITH_MONEY = (
    "customers_statement", "customers_factvalue", "customers_event", "customers_guarantee",
    "deals_facility", "deals_project", "deals_accountmonth",
)  # fmt: skip


def _currencies(view: View) -> set[str]:
    sql = " UNION ".join(f"SELECT DISTINCT currency FROM {one}" for one in _WITH_MONEY)
    return {one for one in view.table(sql, [("currency", TEXT)]).column(0).to_pylist() if one}


def _stored(entry: Entry) -> pa.DataType:
    if entry.is_money:
        return MINOR
    return {"number": NUMBER, "boolean": TRUTH, "date": DAY}.get(entry.type, TEXT)


def _grain(grain: str, *, without: tuple[str, ...] = ()) -> list[Entry]:
    return [one for one in handed_in(grain) if not one.outcome and one.name not in without]


def _in_yuan(table: pa.Table, entries: list[Entry], yuan: Yuan, *, currency: str = "currency") -> pa.Table:
    """Minor units as yuan, row by row with the rate of its currency; empty texts as unknown."""
    rates = pa.array([yuan.rates.get(one or "CNY") for one in table.column(currency).to_pylist()], NUMBER)
    for entry in entries:
        at = table.schema.get_field_index(entry.name)
        values = table.column(at)
        if entry.is_money:
            values = pc.multiply(pc.divide(values.cast(NUMBER, safe=False), 100.0), rates)
        elif pa.types.is_string(values.type):
            values = pc.if_else(pc.equal(values, ""), pa.scalar(None, TEXT), values)
        table = table.set_column(at, entry.name, values)
    return table


def _select(
    view: View, sql_from: str, keys: Mapping[str, tuple[str, pa.DataType]], entries: list[Entry], alias: str
) -> pa.Table:
    columns: Columns = [
        *((name, kind) for name, (_, kind) in keys.items()),
        *((one.name, _stored(one)) for one in entries),
    ]
    wanted = [sql for sql, _ in keys.values()] + [f'{alias}."{one.name}"' for one in entries]
    return view.table(f"SELECT {', '.join(wanted)} {sql_from}", columns)


def _statements(view: View, as_of: date, yuan: Yuan) -> pa.Table:
    entries = _grain("statement", without=("audit_opinion",))
    keys = {
        "customer_id": ("c.code", TEXT),
        "period_end": ("s.period_end", DAY),
        "months": ("s.months", WHOLE),
        "flows": ("s.flows", TEXT),
        "scope": ("s.scope", TEXT),
        "standard": ("s.standard", TEXT),
        "version": ("s.version", WHOLE),
        "audit_opinion": ("NULLIF(s.audit_opinion, '')", TEXT),
        "currency": ("s.currency", TEXT),
    }
    origin = f"""FROM customers_statement s JOIN customers_customer c ON c.id = s.customer_id
        WHERE s.period_end <= '{as_of}' ORDER BY c.code, s.period_end, s.scope, s.standard, s.version"""
    return _in_yuan(_select(view, origin, keys, entries, "s"), entries, yuan)


def _facilities(view: View, as_of: date, yuan: Yuan) -> pa.Table:
    """Facilities that had begun; the amounts are those on record, for they carry no history of their own."""
    entries = _grain("facility")
    keys = {"customer_id": ("c.code", TEXT), "facility_id": ("f.facility_id", TEXT), "currency": ("f.currency", TEXT)}
    origin = f"""FROM deals_facility f JOIN customers_customer c ON c.id = f.customer_id
        WHERE f.start_date IS NULL OR f.start_date <= '{as_of}' ORDER BY c.code, f.facility_id"""
    return _in_yuan(_select(view, origin, keys, entries, "f"), entries, yuan).drop_columns(["currency"])


def _projects(view: View, as_of: date, yuan: Yuan) -> pa.Table:
    """Projects of customers, with the ratios of the version of each project's model that was in force at the date."""
    entries = _grain("project", without=("role",))
    kinds = {name: DAY if name.endswith("_date") else NUMBER for name in RATIOS}
    keys = {
        "customer_id": ("c.code", TEXT),
        "project_id": ("p.project_id", TEXT),
        "role": ("pp.role", TEXT),
        "currency": ("p.currency", TEXT),
        **{name: (f"m.{name}", kind) for name, kind in kinds.items()},
    }
    origin = f"""FROM deals_projectparty pp JOIN deals_project p ON p.id = pp.project_id
        JOIN customers_customer c ON c.id = pp.customer_id
        LEFT JOIN projects_projectmodel m ON m.id = (
            SELECT x.id FROM projects_projectmodel x WHERE x.project_id = p.id AND x.in_force <= '{as_of}'
            ORDER BY x.in_force DESC, x.number DESC LIMIT 1)
        ORDER BY c.code, p.project_id, pp.role"""
    return _in_yuan(_select(view, origin, keys, entries, "p"), entries, yuan).drop_columns(["currency"])


def _account_months(view: View, as_of: date, yuan: Yuan) -> pa.Table:
    entries = _grain("account_month")
    keys = {
        "customer_id": ("c.code", TEXT),
        "account_id": ("a.account_id", TEXT),
        "month": ("a.month", DAY),
        "currency": ("a.currency", TEXT),
    }
    origin = f"""FROM deals_accountmonth a JOIN customers_customer c ON c.id = a.customer_id
        WHERE a.month <= '{as_of}' ORDER BY c.code, a.account_id, a.month"""
    return _in_yuan(_select(view, origin, keys, entries, "a"), entries, yuan).drop_columns(["currency"])


def _events(view: View, as_of: date, yuan: Yuan) -> pa.Table:
    entries = _grain("event", without=("event_date",))
    keys = {"customer_id": ("c.code", TEXT), "event_date": ("e.event_date", DAY), "currency": ("e.currency", TEXT)}
    origin = f"""FROM customers_event e JOIN customers_customer c ON c.id = e.customer_id
        WHERE e.event_date <= '{as_of}' ORDER BY c.code, e.event_date, e.id"""
    return _in_yuan(_select(view, origin, keys, entries, "e"), entries, yuan).drop_columns(["currency"])


_FACT_COLUMNS: Columns = [
    ("customer", MINOR), ("name", TEXT), ("known_from", DAY), ("number", NUMBER), ("minor", MINOR),
    ("currency", TEXT), ("text", TEXT), ("truth", TRUTH), ("day", DAY),
]  # fmt: skip


def _customers(view: View, as_of: date, yuan: Yuan) -> pa.Table:
    """One row a customer: its own columns, the latest known value of each dated fact, the latest agency rating."""
    own = view.table(
        """SELECT c.id, c.code, c.name, NULLIF(c.short_name, ''), c.uscc, NULLIF(c.country, ''), NULLIF(c.province, ''),
        NULLIF(c.industry_code, ''), g.name FROM customers_customer c
        LEFT JOIN customers_group g ON g.id = c.group_id ORDER BY c.code""",
        [("customer", MINOR), ("customer_id", TEXT), *((name, TEXT) for name in OWN_COLUMNS)],
    )
    facts = view.table(
        f"""SELECT customer_id, name, known_from, number, minor, currency, text, truth, day
        FROM customers_factvalue WHERE known_from <= '{as_of}' ORDER BY id""",
        _FACT_COLUMNS,
    )
    ratings = view.table(
        f"""SELECT customer_id, rating_date, id, symbol, agency, scale
        FROM customers_externalrating WHERE rating_date <= '{as_of}'""",
        [("customer", MINOR), ("rating_date", DAY), ("id", MINOR), ("symbol", TEXT), ("agency", TEXT), ("scale", TEXT)],
    )
    guarantees = table_of(view, as_of, yuan)
    rates = pa.array([yuan.rates.get(one or "CNY") for one in facts.column("currency").to_pylist()], NUMBER)
    amounts = pc.multiply(pc.divide(facts.column("minor").cast(NUMBER, safe=False), 100.0), rates)
    facts = facts.append_column("yuan", amounts)
    with duckdb.connect() as con:
        con.register("own", own)
        con.register("facts", facts)
        con.register("ratings", ratings)
        if guarantees is not None:
            con.register("guarantees", guarantees)
        return con.sql(_pivot_sql(_supplied(con), has_guarantees=guarantees is not None)).to_arrow_table()


def _supplied(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The names in the book that no dictionary row of the customer has: derived facts that somebody supplied."""
    names = {row[0] for row in con.execute("SELECT DISTINCT name FROM facts").fetchall()}
    return names - {one.name for one in handed_in("customer")}


def _pivot_sql(supplied: set[str], *, has_guarantees: bool) -> str:
    own = ("customer_id", *OWN_COLUMNS)
    parts = [f'own."{name}"' for name in own]
    joined = {"external_rating": "symbol", "external_rating_agency": "agency", "external_rating_scale": "scale"}
    for entry in _grain("customer", without=own):
        latest = f'f."{entry.name}"'
        if entry.name in joined:
            latest = f"coalesce(r.{joined[entry.name]}, {latest})"
        elif entry.name == "external_rating_date":
            latest = f"coalesce(r.rating_date, {latest})"
        elif has_guarantees and entry.name in GUARANTEE_FACTS:
            none = f"CASE WHEN g.customer IS NULL THEN 0.0 ELSE g.{entry.name} END"
            latest = f"coalesce({latest}, {none})"
        parts.append(f'{latest} AS "{entry.name}"')
    parts += [f'f."{name}"' for name in sorted(supplied)]
    pivots = [_latest(one.name, _value_column(one)) for one in _grain("customer", without=own)]
    entries = {one.name: one for one in derived()}
    pivots += [_latest(name, _value_column(entries[name])) for name in sorted(supplied)]
    joined_too = "LEFT JOIN guarantees g ON g.customer = own.customer" if has_guarantees else ""
    return f"""
        WITH f AS (SELECT customer, {", ".join(pivots)} FROM facts GROUP BY customer),
        r AS (SELECT customer, max_by(symbol, (rating_date, id)) AS symbol, max_by(agency, (rating_date, id)) AS agency,
              max_by(scale, (rating_date, id)) AS scale, max(rating_date) AS rating_date FROM ratings GROUP BY customer)
        SELECT {", ".join(parts)} FROM own
        LEFT JOIN f ON f.customer = own.customer LEFT JOIN r ON r.customer = own.customer {joined_too}
        ORDER BY own.customer_id"""


def _latest(name: str, column: str) -> str:
    plain = name.replace("'", "''")
    return f"max_by({column}, known_from) FILTER (WHERE name = '{plain}') AS \"{name}\""


def _value_column(entry: Entry) -> str:
    if entry.is_money:
        return "yuan"
    return {"number": "number", "boolean": "truth", "date": "day"}.get(entry.type, "text")
