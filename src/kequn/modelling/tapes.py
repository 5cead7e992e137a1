"""A file of cases with their outcome: read as Arrow, its columns a vocabulary, features computed by the rule reader."""

import gzip
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from kequn.domain.definitions import Definition
from kequn.domain.errors import Finding, KequnError, Misuse, Place, Refused, Text
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rules.program import program_of
from kequn.domain.rules.tree import facts_in, type_of
from kequn.engine.columns import kind_of, normal_column
from kequn.engine.frames import answers
from kequn.modelling.spec import Feature, Spec
from kequn.policy.rule_text import parse

PAIR = "\x1f"  # stands between the two texts of a crossed feature
UNKNOWN = "\x1e"
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tape:
    """The rows of one file. `digest` is the SHA-256 of its bytes."""

    table: pa.Table
    file: str
    digest: str

    @property
    def rows(self) -> int:
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        """A column by name; Refused where the file has none, with the nearest name."""
        if name not in self.table.column_names:
            near = Vocabulary(Fact(one, Grain.CUSTOMER, FactType.TEXT) for one in self.table.column_names)
            hint = near.suggestion(name)
            raise Refused(
                Text(f"文件没有 {name} 列" + (f"；是否为 {hint}" if hint else ""),
                     f"the file has no column {name}" + (f"; did you mean {hint}" if hint else "")),
                (Finding("tape.column", Text(f"缺少 {name} 列", f"column {name} is missing"), Place(self.file)),),
            )  # fmt: skip
        return self.table.column(name)


def read_tape(path: Path) -> Tape:
    """A Parquet or CSV file (plain or gzip); Refused where it is neither."""
    if not path.is_file():
        raise Misuse(Text(f"找不到数据文件 {path}", f"there is no data file {path}"))
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    try:
        if content[:4] == b"PAR1":
            table = pq.read_table(io.BytesIO(content))
        else:
            plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
            convert = arrow_csv.ConvertOptions(strings_can_be_null=True, null_values=["", "NA", "NaN", "nan"])
            table = arrow_csv.read_csv(io.BytesIO(plain), convert_options=convert)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0][:200]
        raise Refused(Text(f"无法读取 {path.name}：{said}", f"cannot read {path.name}: {said}")) from error
    repeated = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if repeated or not table.num_rows:
        what = Text(f"列名重复：{repeated}", f"repeated columns: {repeated}")
        raise Refused(what if repeated else Text("文件没有数据行", "the file has no rows"))
    return Tape(table, path.name, digest)


def vocabulary_of(table: pa.Table) -> tuple[Vocabulary, frozenset[str]]:
    """The columns rules may read, and those in which nothing is known."""
    facts = [
        Fact(one.name, Grain.CUSTOMER, kind)
        for one in table.schema
        if (kind := kind_of(one.type)) is not None and not pa.types.is_null(one.type)
    ]
    empty = frozenset(one.name for one in table.schema if pa.types.is_null(one.type))
    return Vocabulary(facts), empty


def holding(tape: Tape, rule: str) -> Flags:
    """The rows for which a rule holds; unknown counts as not. An empty rule holds for all."""
    if not rule:
        return np.ones(tape.rows, dtype=bool)
    vocabulary, empty = vocabulary_of(tape.table)
    expr = parse(rule, vocabulary, empty=empty)
    found = _computed(tape, [Definition("rule_", Grain.CUSTOMER, FactType.BOOLEAN, expr, "flag")], vocabulary)
    return np.asarray(pc.fill_null(found["rule_"], False).to_numpy(zero_copy_only=False), dtype=bool)


def features_of(spec: Spec, tape: Tape) -> tuple[Feature, ...]:
    """The features the spec lists; without a list, every readable column it does not reserve."""
    if spec.features:
        return spec.features
    vocabulary, _ = vocabulary_of(tape.table)
    kept = (fact for fact in vocabulary if fact.name not in spec.reserved and fact.type != FactType.DATE)
    return tuple(Feature(fact.name) for fact in kept)


def sources_of(features: Sequence[Feature], tape: Tape) -> tuple[str, ...]:
    """The columns that features are made from, once each."""
    vocabulary, empty = vocabulary_of(tape.table)
    named = {one.name: one for one in features}
    found: dict[str, None] = {}
    for one in features:
        for word in one.cross or (one.name,):
            part = named.get(word, Feature(word))
            if part.formula:
                expr = parse(part.formula, vocabulary, "any", empty=empty)
                found.update(dict.fromkeys(ref.name for ref in facts_in(expr)))
            else:
                tape.column(part.name)
                found[part.name] = None
    return tuple(found)


def feature_columns(features: Sequence[Feature], tape: Tape) -> dict[str, pa.ChunkedArray]:
    """Each feature as a number, text or truth, computed by the reader of the rules; crossed ones as paired texts."""
    vocabulary, empty = vocabulary_of(tape.table)
    definitions = []
    found: dict[str, pa.ChunkedArray] = {}
    parts = {word for one in features for word in one.cross} - {one.name for one in features}
    for one in (*features, *(Feature(word) for word in sorted(parts))):
        if one.cross:
            continue
        if one.formula:
            definitions.append(feature_definition(one, vocabulary, empty))
            continue
        column = tape.column(one.name)
        kind = kind_of(column.type)
        if kind is None or kind == FactType.DATE:
            raise Refused(Text(f"{one.name} 的类型不能作为指标", f"{one.name} is of a type no characteristic can have"))
        found[one.name] = normal_column(column, kind)
    found.update(_computed(tape, definitions, vocabulary))
    for one in features:
        if one.cross:
            found[one.name] = paired(*(found[word] for word in one.cross))
    return found


def paired(one: pa.ChunkedArray, two: pa.ChunkedArray) -> pa.ChunkedArray:
    """Two texts as one; unknown is a class of either."""
    for column in (one, two):
        if kind_of(column.type) != FactType.TEXT:
            raise Refused(Text("只有文本可以交叉，数值请先用公式分段",
                               "only texts can be crossed; band a number by a formula first"))  # fmt: skip
    sides = [pc.fill_null(column.cast(pa.string()), UNKNOWN) for column in (one, two)]
    return pa.chunked_array([pc.binary_join_element_wise(sides[0].combine_chunks(), sides[1].combine_chunks(), PAIR)])


def feature_definition(one: Feature, vocabulary: Vocabulary, empty: frozenset[str] = frozenset()) -> Definition:
    try:
        expr = parse(one.formula, vocabulary, "any", empty=empty)
    except Refused as error:
        raise Refused(
            Text(f"指标 {one.name}：{error.text.zh}", f"feature {one.name}: {error.text.en}"), error.findings
        ) from error
    kind = type_of(expr)
    if kind is None or kind == FactType.DATE:
        raise Refused(Text(f"{one.name} 的结果不是数、文本或真假", f"{one.name} is no number, text or truth"))
    return Definition(one.name, Grain.CUSTOMER, kind, expr, "derived")


def _computed(tape: Tape, definitions: Sequence[Definition], vocabulary: Vocabulary) -> dict[str, pa.ChunkedArray]:
    if not definitions:
        return {}
    names = {ref.name for one in definitions for ref in facts_in(one.expr)}
    columns = {name: normal_column(tape.column(name), vocabulary[name].type) for name in sorted(names)}
    hidden = {f"d{place}": one.type for place, one in enumerate(definitions)}  # no column is hidden by a name
    renamed = [Definition(name, one.grain, one.type, one.expr, "flag")
               for name, one in zip(hidden, definitions, strict=True)]  # fmt: skip
    if not columns:  # formulas without any column still need the number of rows
        columns = {"\0": pa.chunked_array([pa.nulls(tape.rows, pa.float64())])}
    found = answers(columns, tape.rows, vocabulary, program_of(renamed), hidden, "duckdb")
    return {one.name: found.column(name) for name, one in zip(hidden, definitions, strict=True)}


def outcomes(spec: Spec, tape: Tape) -> Floats:
    """1 where the target is the event, 0 where it is something else, NaN where it is not known."""
    said = _texts(tape.column(spec.target))
    known = np.array([value is not None for value in said])
    bad = np.array([value == spec.event for value in said])
    if not bad.any() or bad[known].all():
        classes = sorted({value for value in said if value is not None})[:8]
        raise Refused(
            Text(f"{spec.target} 中没有两类：事件 {spec.event}，所见 {classes}",
                 f"{spec.target} does not hold two classes: event {spec.event}, found {classes}")
        )  # fmt: skip
    return np.where(known, bad.astype(np.float64), np.nan)


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    if pa.types.is_floating(column.type):
        whole = [None if value is None or np.isnan(value) else value for value in column.to_pylist()]
        return [None if v is None else str(int(v)) if float(v).is_integer() else str(v) for v in whole]
    return [None if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in column.to_pylist()]


def weights(spec: Spec, tape: Tape) -> Floats:
    """The weight of each row; NaN where the column says nothing. Ones where the spec names none."""
    if not spec.weight:
        return np.ones(tape.rows)
    found = numbers(tape.column(spec.weight))
    if (found[np.isfinite(found)] < 0).any():
        raise Refused(Text(f"{spec.weight} 有负的权重", f"{spec.weight} holds negative weights"))
    return found


def numbers(column: pa.ChunkedArray) -> Floats:
    """A column of numbers or truths as floats, unknown as NaN."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False), dtype=np.float64)


def class_numbers(column: pa.ChunkedArray) -> Whole:
    """A column of texts as numbers of its classes, in the order in which they appear; unknown is the last."""
    coded = column.combine_chunks().dictionary_encode()
    whole = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    return np.asarray(pc.fill_null(whole.indices, len(whole.dictionary)).to_numpy(), dtype=np.int64)


def texts(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """A column of texts, unknown as None."""
    return np.array(column.to_pylist(), dtype=object)


def periods(column: pa.ChunkedArray) -> Floats:
    """A period as a number that orders and subtracts by years: a year, or a date as its year and part of it.

    Texts such as `1976A` give their leading digits.
    """
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return numbers(pc.add(pc.year(column), pc.divide(pc.cast(pc.day_of_year(column), pa.float64()), 367.0)))
    if kind_of(column.type) == FactType.TEXT:
        digits = pc.struct_field(pc.extract_regex(column, r"^(?P<digits>\d+)"), "digits")
        return numbers(digits.cast(pa.float64()))
    return numbers(column)


def debtors_of(tape: Tape, group: str) -> Whole:
    """A number for each row, the same for rows of one `group`."""
    return _numbered(tape.column(group).to_pylist())


def groups_of(tape: Tape, group: str, columns: Mapping[str, pa.ChunkedArray]) -> Whole:
    """A number for each row; rows of one `group`, and rows equal in every feature, carry the same."""
    lists = [column.to_pylist() for column in columns.values()]
    alike = _numbered(zip(*lists, strict=True))
    return joined(alike, debtors_of(tape, group)) if group else alike


def _numbered(values: Iterable[object]) -> Whole:
    """Values by the number of their first appearance, so that the same file gives the same numbers."""
    seen: dict[object, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values], dtype=np.int64)


def joined(one: Whole, two: Whole) -> Whole:
    """Components of rows that share a value of either key, by union of sets."""
    parent = np.arange(len(one) + int(one.max(initial=-1)) + int(two.max(initial=-1)) + 2)

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = int(parent[node])
        return node

    first, second = len(one), len(one) + int(one.max(initial=-1)) + 1
    for row, (a, b) in enumerate(zip(one.tolist(), two.tolist(), strict=True)):
        for other in (first + a, second + b):
            parent[root(other)] = root(row)
    _, number = np.unique([root(row) for row in range(len(one))], return_inverse=True)
    return number.astype(np.int64)


def needs(package: str) -> KequnError:
    """What is said where the extra for fitting is not installed."""
    return Misuse(
        Text(f"缺少 {package}，请安装 requirements/modelling.txt（dev.py kequn model 会自动安装）",
             f"{package} is not installed; install requirements/modelling.txt (dev.py kequn model does so by itself)")
    )  # fmt: skip
