"""Random books: a fifth of all fields missing, zeros, gaps in the periods, several bases, absent children."""

import calendar
import random
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Rows = list[dict[str, Any]]

NUMBERS = (0.0, -0.0, 1.0, 2.0, 0.5, 0.1, -1.0, 100.0, 1000.0, 7.25, 1e6, 123456.78, -98765.4321, 0.3)
TEXTS = ("A", "B", "C39", "贵州", "é", "", "it's", "\U00020000", "\uffee")
DATES = (date(2019, 6, 30), date(2024, 12, 31), date(2025, 3, 31), date(2026, 1, 1))
AS_OF = date(2026, 2, 15)
SCHEMAS = {
    "customers": [("customer_id", pa.string()), ("employees", pa.int64()), ("age", pa.float64()),
                  ("mark", pa.decimal128(18, 4)), ("industry", pa.string()), ("province", pa.string()),
                  ("listed", pa.bool_()), ("founded", pa.date32()), ("region", pa.string()),
                  ("customer_20", pa.float64())],
    "statements": [("customer_id", pa.string()), ("period_end", pa.date32()), ("months", pa.int32()),
                   ("flows", pa.string()), ("scope", pa.string()), ("standard", pa.string()),
                   ("version", pa.int32()), ("opinion", pa.string()), ("revenue", pa.float64()),
                   ("profit", pa.float64()), ("assets", pa.float64()), ("equity", pa.float64()),
                   ("statement_3", pa.float64())],
    "facilities": [("customer_id", pa.string()), ("facility_id", pa.string()), ("drawn", pa.float64()),
                   ("overdue_days", pa.int32()), ("secured", pa.bool_()), ("maturity", pa.date32()),
                   ("product", pa.string())],
    "projects": [("customer_id", pa.string()), ("project_id", pa.string()), ("role", pa.string()),
                 ("capex", pa.float64()), ("stage", pa.string())],
    "account_months": [("customer_id", pa.string()), ("account_id", pa.string()), ("month", pa.date32()),
                       ("balance", pa.float64()), ("inflow", pa.float64()), ("peak", pa.float64())],
}  # fmt: skip


class Book:
    """Rows per table, as they would be read from the system of record."""

    def __init__(self, seed: int, customers: int) -> None:
        self.random = random.Random(seed)
        self.tables: dict[str, Rows] = {name: [] for name in SCHEMAS}
        for number in range(customers):
            self.customer(f"C{number:06d}")

    def maybe(self, value: Any) -> Any:
        return None if self.random.random() < 0.2 else value

    def number(self) -> float | None:
        drawn = self.random.choice(NUMBERS) if self.random.random() < 0.6 else self.random.gauss(0, 1000)
        return self.maybe(drawn)

    def customer(self, key: str) -> None:
        pick = self.random.choice
        self.tables["customers"].append({
            "customer_id": key, "employees": self.maybe(pick((0, 1, 2, 100, 1000, 7))), "age": self.number(),
            "mark": self.maybe(pick((0, 1, 2, 100))), "industry": self.maybe(pick(TEXTS)),
            "province": self.maybe(pick(TEXTS)), "listed": self.maybe(pick((True, False))),
            "founded": self.maybe(pick(DATES)), "region": self.maybe("supplied"), "customer_20": self.number(),
        })  # fmt: skip
        self.statements(key)
        for number in range(pick((0, 0, 1, 2, 3))):
            self.tables["facilities"].append({
                "customer_id": key, "facility_id": f"{key}-{number}", "drawn": self.number(),
                "overdue_days": self.maybe(pick((0, 0, 30, 90))), "secured": self.maybe(pick((True, False))),
                "maturity": self.maybe(pick(DATES)), "product": self.maybe(pick(TEXTS)),
            })  # fmt: skip
        for number in range(pick((0, 0, 1))):
            self.tables["projects"].append({"customer_id": key, "project_id": str(number), "role": "sponsor",
                                            "capex": self.number(), "stage": self.maybe(pick(TEXTS))})  # fmt: skip
        for account in range(pick((0, 1, 1, 2))):
            self.months(key, str(account))

    def statements(self, key: str) -> None:
        if self.random.random() < 0.1:
            return
        cumulative = self.random.random() < 0.8
        for scope in self.random.sample(("consolidated", "parent"), self.random.choice((1, 1, 2))):
            last = self.random.choice((2025 * 4 + 3, 2025 * 4 + 2, 2025 * 4, 2026 * 4))
            for back in range(self.random.choice((3, 8, 12))):
                if self.random.random() < 0.15:
                    continue
                for version in range(self.random.choice((1, 1, 1, 2))):
                    self.statement(key, scope, last - back, version, cumulative=cumulative)

    def statement(self, key: str, scope: str, quarter: int, version: int, *, cumulative: bool) -> None:
        year, place = divmod(quarter, 4)
        months = (place + 1) * 3 if cumulative else 3
        if self.random.random() < 0.03:
            months = self.random.choice((3, 6, 9, 12))
        month = place * 3 + 3
        self.tables["statements"].append({
            "customer_id": key, "period_end": date(year, month, calendar.monthrange(year, month)[1]), "months": months,
            "flows": "cumulative" if cumulative else "discrete", "scope": scope,
            "standard": self.random.choice(("CAS", "CAS", "CAS", "IFRS")), "version": version,
            "opinion": self.maybe(self.random.choice(TEXTS)), "revenue": self.number(), "profit": self.number(),
            "assets": self.number(), "equity": self.number(), "statement_3": self.number(),
        })  # fmt: skip

    def months(self, key: str, account: str) -> None:
        for back in range(self.random.choice((3, 14))):
            if self.random.random() < 0.1:
                continue
            year, place = divmod(2026 * 12 + 1 - back, 12)
            self.tables["account_months"].append({
                "customer_id": key, "account_id": account,
                "month": date(year, place + 1, calendar.monthrange(year, place + 1)[1]),
                "balance": self.number(), "inflow": self.number(), "peak": self.number(),
            })  # fmt: skip

    def of(self, table: str, key: str) -> Rows:
        return [row for row in self.tables[table] if row["customer_id"] == key]

    def write(self, folder: Path, *, shuffled: bool = False, only: set[str] | None = None) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns in SCHEMAS.items():
            rows = [row for row in self.tables[name] if only is None or row["customer_id"] in only]
            if shuffled and name != "customers":
                rows = self.random.sample(rows, len(rows))
            pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(columns)), folder / f"{name}.parquet")
        return folder
