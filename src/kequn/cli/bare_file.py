"""Reading a bare file of customers: CSV or Parquet whose columns are facts by name or label, checked cell by cell.

Every bad cell is found and named with its row and column before anything is refused. Rows count as a reader of the
file sees them: the header of a CSV is row 1. An empty cell is unknown. Amounts are in yuan.
"""

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from kequn.domain.errors import Finding, Misuse, Place, Refused, Text
from kequn.domain.facts import CHILD_GRAINS, Fact, FactType
from kequn.domain.segmentation.industry import read_industry_code
from kequn.domain.segmentation.uscc import is_valid_uscc
from kequn.policy import Pack
from kequn.policy.dictionary import Bounds

KEY = "customer_id"
YES = {"true", "1", "yes", "是"}
NO = {"false", "0", "no", "否"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PROVINCE = re.compile(r"\d{2}|\d{4}|\d{6}")

Wanted = tuple[str, Text]  # code of a fault, and what would have been right
Check = Callable[[str], Wanted | None]
Reader = Callable[[Any], tuple[Any, Wanted | None]]


@dataclass(slots=True)
class BareFile:
    """The checked columns in order of the file, by name of fact; `remarks` are worth saying and stop nothing."""

    columns: dict[str, list[Any]]
    rows: int
    remarks: list[Text] = field(default_factory=list)


def read_bare_file(path: Path, pack: Pack, suppliable: Mapping[str, Fact], known: Mapping[str, Fact]) -> BareFile:
    """The file's facts; Refused with every bad cell. `suppliable` may come in; `known` also names what is derived."""
    header, cells, first_row = _csv_cells(path) if path.suffix.lower() == ".csv" else _parquet_cells(path)
    found = BareFile({}, len(cells[0]) if cells else 0)
    findings: list[Finding] = []
    words = {word: fact for fact in known.values() for word in (fact.name, fact.zh, fact.en) if word}
    for name, values in zip(header, cells, strict=True):
        fact = words.get(name)
        if fact is None or fact.name not in suppliable or fact.grain in CHILD_GRAINS:
            found.remarks.append(_left_out(name, fact))
        elif fact.name in found.columns:
            findings.append(
                _finding(
                    "file.repeated",
                    Place(path.name, "", None, name),
                    name,
                    Text("该列出现两次", "the column stands twice"),
                )
            )
        else:
            found.columns[fact.name] = _checked(
                values, _reader(fact, pack), Place(path.name, "", first_row, name), findings
            )
    _check_keys(path, found, findings, first_row)
    if findings:
        count = len(findings)
        raise Refused(
            Text(f"{path.name} 被拒绝：{count} 处错误", f"{path.name} is refused: {count} error(s)"),
            tuple(findings),
        )
    return found


def _left_out(name: str, fact: Fact | None) -> Text:
    if fact is None:
        return Text(f"不认识的列，未使用：{name}", f"unknown column, not used: {name}")
    if fact.outcome:
        return Text(f"事后才知道的列，未使用：{name}", f"known only after the event, not used: {name}")
    if fact.grain in CHILD_GRAINS:
        return Text(
            f"每个客户有多笔，单表文件不能承载，未使用：{name}",
            f"a customer has many of these and a bare file holds one row a customer, not used: {name}",
        )
    return Text(f"该列由政策得出，未使用：{name}", f"policy derives this column, not used: {name}")


def _csv_cells(path: Path) -> tuple[list[str], list[list[Any]], int]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.reader(handle, strict=True))
    except UnicodeDecodeError as error:
        raise Refused(
            Text("文件不是 UTF-8 编码", "the file is not UTF-8"),
            (
                _finding(
                    "file.encoding", Place(path.name), f"byte {error.start}", Text("应为 UTF-8", "UTF-8 is expected")
                ),
            ),
        ) from error
    except csv.Error as error:
        raise Refused(Text(f"CSV 读不通：{error}", f"the CSV cannot be read: {error}")) from error
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise Refused(Text("文件是空的", "the file is empty"))
    header = [name.strip() for name in rows[0]]
    body = rows[1:]
    wrong = [at for at, row in enumerate(body, start=2) if len(row) != len(header)]
    if wrong:
        fault = Text(f"应有 {len(header)} 列", f"{len(header)} columns are expected")
        raise Refused(
            Text(f"{path.name} 被拒绝：列数不齐", f"{path.name} is refused: rows of unequal length"),
            tuple(_finding("file.columns", Place(path.name, "", at), "", fault) for at in wrong),
        )
    return header, [list(column) for column in zip(*body, strict=True)] if body else [[] for _ in header], 2


def _parquet_cells(path: Path) -> tuple[list[str], list[list[Any]], int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise Refused(Text(f"Parquet 读不通：{error}", f"the Parquet file cannot be read: {error}")) from error
    return list(table.column_names), [column.to_pylist() for column in table.columns], 1


def _checked(values: Sequence[Any], read: Reader, place: Place, findings: list[Finding]) -> list[Any]:
    """The values in the type of the fact; a finding for each cell that does not fit. `place` is the first cell."""
    kept: list[Any] = []
    answers: dict[str, tuple[Any, Wanted | None]] = {}
    for row, value in enumerate(values, start=place.row or 1):
        plain = _plain(value)
        if plain is None:
            kept.append(None)
            continue
        key = f"{type(plain).__name__}{plain}"
        if key not in answers:
            answers[key] = read(plain)
        answer, fault = answers[key]
        kept.append(answer)
        if fault is not None:
            findings.append(_finding(fault[0], Place(place.file, "", row, place.column), str(value), fault[1]))
    return kept


def _plain(value: Any) -> Any:
    """A cell without its dress: None for empty, text stripped, a number as a number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value.strip() or None
    return value


def _reader(fact: Fact, pack: Pack) -> Reader:
    bounds = pack.dictionary.bounds.get(fact.name, Bounds())
    if fact.type == FactType.NUMBER:
        return lambda value: _number(value, bounds)
    if fact.type == FactType.BOOLEAN:
        return _boolean
    if fact.type == FactType.DATE:
        return _date
    check = _text_check(fact, pack)
    return lambda value: _text(value, check)


def _number(value: Any, bounds: Bounds) -> tuple[Any, Wanted | None]:
    wanted = Text("应为不带千分位和单位的有限数值", "a finite number without separators or unit is expected")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None, ("cell.number", wanted)
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None, ("cell.number", wanted)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        return None, ("cell.number", wanted)
    if not bounds.minimum <= number <= bounds.maximum:
        low, high = f"{bounds.minimum:g}", f"{bounds.maximum:g}"
        return None, ("cell.bounds", Text(f"应在 {low} 与 {high} 之间", f"a value from {low} to {high} is expected"))
    return number, None


def _boolean(value: Any) -> tuple[Any, Wanted | None]:
    if isinstance(value, bool):
        return value, None
    word = str(value).lower()
    if word in YES or word in NO:
        return word in YES, None
    return None, ("cell.boolean", Text("应为 是/否 或 true/false", "true or false is expected"))


def _date(value: Any) -> tuple[Any, Wanted | None]:
    if isinstance(value, datetime):
        return value.date(), None
    if isinstance(value, date):
        return value, None
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value), None
    except ValueError:
        pass
    return None, ("cell.date", Text("应为 YYYY-MM-DD", "a date YYYY-MM-DD is expected"))


def _text(value: Any, check: Check) -> tuple[Any, Wanted | None]:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None, ("cell.text", Text("应为文本", "a text is expected"))
    fault = check(str(value))
    return (str(value) if fault is None else None), fault


def _text_check(fact: Fact, pack: Pack) -> Check:
    """What the text of one fact must be: a code of its standard, or one of its choices."""
    if fact.name == "industry_code":
        sections = pack.standards.sections()
        wanted = Text(
            "应为 GB/T 4754-2017 门类字母加二至四位数字，且字母与数字相符",
            "a GB/T 4754-2017 section letter with two to four digits of that section is expected",
        )
        return lambda text: None if read_industry_code(text, sections) else ("cell.industry_code", wanted)
    if fact.name == "uscc":
        wanted = Text(
            "应为校验位正确的 18 位统一社会信用代码", "18 characters with a correct check character are expected"
        )
        return lambda text: None if is_valid_uscc(text) else ("cell.uscc", wanted)
    if fact.name == "country":
        countries = pack.standards.countries()
        wanted = Text("应为 ISO 3166-1 两位字母代码", "an ISO 3166-1 code of two letters is expected")
        return lambda text: None if text in countries else ("cell.country", wanted)
    if fact.name == "province":
        provinces = pack.standards.provinces()
        wanted = Text(
            "应为 GB/T 2260 代码，前两位定省份", "a GB/T 2260 code is expected; its first two digits name the province"
        )
        return lambda text: None if _PROVINCE.fullmatch(text) and text[:2] in provinces else ("cell.province", wanted)
    if fact.choices:
        listed = " ".join(fact.choices)
        wanted = Text(f"应为其中之一：{listed}", f"one of these is expected: {listed}")
        return lambda text: None if text in fact.choices else ("cell.choice", wanted)
    return lambda _text: None


def _check_keys(path: Path, found: BareFile, findings: list[Finding], first_row: int) -> None:
    keys = found.columns.get(KEY)
    if keys is None:
        findings.append(
            _finding(
                "file.key", Place(path.name, "", None, KEY), "", Text("缺少客户编号列", f"the column {KEY} is missing")
            )
        )
        return
    seen: dict[Any, int] = {}
    for row, key in enumerate(keys, start=first_row):
        if key is None:
            findings.append(
                _finding(
                    "cell.key", Place(path.name, "", row, KEY), "", Text("客户编号不能为空", "the customer ID is empty")
                )
            )
        elif key in seen:
            again = Text(f"与第 {seen[key]} 行的客户编号相同", f"the customer ID stands in row {seen[key]} already")
            findings.append(_finding("cell.key", Place(path.name, "", row, KEY), str(key), again))
        else:
            seen[key] = row


def _finding(code: str, place: Place, found: str, wanted: Text) -> Finding:
    shown = found if len(found) <= 60 else found[:60] + "…"
    zh = f"发现“{shown}”，{wanted.zh}" if shown else wanted.zh
    en = f"found {shown!r}; {wanted.en}" if shown else wanted.en
    return Finding(code, Text(zh, en), place, found, wanted.en)


def need_suffix(path: Path, what: Text) -> None:
    """Misuse where a path is neither CSV nor Parquet."""
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise Misuse(Text(f"{what.zh}应为 .csv 或 .parquet：{path}", f"{what.en} must end in .csv or .parquet: {path}"))
