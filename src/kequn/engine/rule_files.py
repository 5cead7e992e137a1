"""Loose rules over a loose file: a JSON object of rule texts, a Parquet file of facts, a verdict for each pair.

The vocabulary is the columns of the file, and their labels in the dictionary where it knows them; a column's own
name always wins. All rules are refused together, each bad one named, when any of them is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kequn.domain.definitions import Definition
from kequn.domain.errors import Finding, Misuse, Place, Refused, Text
from kequn.domain.facts import CALENDAR_GRAINS, Fact, FactType, Grain, Vocabulary
from kequn.domain.rules.program import program_of
from kequn.engine.columns import kind_of, normal_column
from kequn.engine.frames import ReaderName, answers
from kequn.policy.rule_text import parse

ID = "id"
LONGEST_FILE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Facts:
    """The columns of a file as a vocabulary; `empty` are columns in which nothing has a value or a type."""

    vocabulary: Vocabulary
    empty: frozenset[str]
    unreadable: Mapping[str, str]


def evaluate_rules(rules_path: Path, facts_path: Path, dictionary: Vocabulary, reader: ReaderName) -> pa.Table:
    """`id`, then one nullable boolean column a rule in the order of the file; rows in the order of the facts."""
    rules = read_rules(rules_path)
    file = _open(facts_path)
    facts = vocabulary_of(file.schema_arrow, dictionary)
    definitions = parsed(rules, facts, rules_path.name)
    names = {ref.name for one in definitions for ref in _facts_in(one)}
    table = file.read(columns=[ID, *(name for name in file.schema_arrow.names if name in names - {ID})])
    ids = table.column(ID)
    _check_ids(ids, facts_path.name)
    columns = {name: normal_column(table.column(name), facts.vocabulary[name].type) for name in sorted(names)}
    program = program_of(definitions)
    outputs = {one.name: FactType.BOOLEAN for one in definitions}
    found = answers(columns, table.num_rows, facts.vocabulary, program, outputs, reader)
    return pa.table([ids, *found.columns], names=[ID, *rules])


def read_rules(path: Path) -> dict[str, str]:
    """The rules of a file, each text under its id; Refused with every entry that is no rule."""
    if not path.is_file():
        raise Misuse(Text(f"找不到规则文件 {path}", f"there is no rules file {path}"))
    if path.stat().st_size > LONGEST_FILE:
        raise _refused(path.name, Text("规则文件太大", "the rules file is too large"))
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        said = str(error)[:200]
        raise _refused(path.name, Text(f"规则文件不是 JSON：{said}", f"the rules file is not JSON: {said}")) from error
    if not _is_object(found):
        raise _refused(
            path.name, Text("规则文件应是 {规则名: 文本}", "the rules file should be an object {rule id: text}")
        )
    findings, rules = [], dict[str, str]()
    for key, text in found:
        if key in rules or key == ID or not key or not _is_clean(key):
            findings.append(
                _finding(path.name, key, Text("规则名重复或不可用", "this rule id is repeated or not allowed"))
            )
        elif not isinstance(text, str):
            findings.append(_finding(path.name, key, Text("规则应是一段文本", "a rule should be a text")))
        rules.setdefault(key, text if isinstance(text, str) else "")
    if findings:
        raise Refused(_all_bad(len(findings)), tuple(findings))
    return rules


def _is_object(found: object) -> bool:
    """A JSON object read as pairs; an empty array looks the same and means no rules either way."""
    return isinstance(found, list) and all(
        isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in found
    )


def _is_clean(key: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" or character == "\0" for character in key)


def vocabulary_of(schema: Any, dictionary: Vocabulary) -> Facts:
    """The columns as facts. A fact of the dictionary lends its labels, and its grain where its type fits."""
    if ID not in schema.names:
        raise _refused("", Text(f"事实文件没有 {ID} 列", f"the facts have no column `{ID}`"))
    repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if repeated:
        shown = ", ".join(repeated[:5])
        raise _refused("", Text(f"列名重复：{shown}", f"repeated column names: {shown}"))
    facts, empty, unreadable = list[Fact](), set[str](), dict[str, str]()
    taken = set(schema.names)
    for field in schema:
        kind = kind_of(field.type)
        if pa.types.is_null(field.type):
            empty.add(field.name)
        elif kind is None:
            unreadable[field.name] = str(field.type)
        else:
            facts.append(_fact(field.name, kind, dictionary.get(field.name), taken))
    return Facts(Vocabulary(facts), frozenset(empty), unreadable)


def _fact(name: str, kind: FactType, known: Fact | None, taken: set[str]) -> Fact:
    if known is None:
        return Fact(name, Grain.CUSTOMER, kind)
    others = [word for word in (known.name, known.zh, known.en) if word and word not in taken]
    taken.update(others)
    first, second = (*others, "", "")[:2]
    grain = known.grain if known.type == kind and known.grain in CALENDAR_GRAINS else Grain.CUSTOMER
    return replace(known, name=name, type=kind, grain=grain, zh=first, en=second, choices=())


def parsed(rules: Mapping[str, str], facts: Facts, file: str) -> list[Definition]:
    """Every rule as a definition under its id; Refused with every bad id and its place."""
    definitions, findings = list[Definition](), list[Finding]()
    for key, text in rules.items():
        try:
            expr = parse(text, facts.vocabulary, empty=facts.empty)
        except Refused as error:
            said = error.text
            found = error.findings[0].found if error.findings else ""
            if found in facts.unreadable:
                kind = facts.unreadable[found]
                said = Text(
                    f"{said.zh}（该列类型 {kind} 不能用于规则）",
                    f"{said.en} (a column of type {kind}, which rules cannot read)",
                )
            findings.append(_finding(file, key, said))
        else:
            name = f"\0{len(definitions)}"  # no rule text can name it, so no column is hidden by a rule's id
            definitions.append(Definition(name, Grain.CUSTOMER, FactType.BOOLEAN, expr, "flag"))
    if findings:
        raise Refused(_all_bad(len(findings)), tuple(findings))
    return definitions


def _facts_in(one: Definition) -> tuple[Any, ...]:
    from kequn.domain.rules.tree import facts_in

    return facts_in(one.expr)


def _open(path: Path) -> pq.ParquetFile:
    if not path.is_file():
        raise Misuse(Text(f"找不到事实文件 {path}", f"there is no facts file {path}"))
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _refused(path.name, Text("事实文件不是 Parquet", "the facts file is not Parquet")) from error


def _check_ids(ids: Any, file: str) -> None:
    if ids.null_count:
        row = pc.index(ids.is_null(), True).as_py() + 1
        raise _refused(file, Text(f"第 {row} 行没有 id", f"row {row} has no id"))
    counts = pc.value_counts(ids.combine_chunks() if ids.num_chunks else ids)
    many = counts.filter(pc.greater(counts.field("counts"), 1)) if len(counts) else counts
    if len(many):
        shown = ", ".join(str(value) for value in many.field("values").slice(0, 5).to_pylist())
        raise _refused(file, Text(f"id 重复：{shown}", f"repeated id: {shown}"))


def _finding(file: str, key: str, said: Text) -> Finding:
    shown = key[:120]
    return Finding("rule", Text(f"规则 {shown}：{said.zh}", f"rule {shown}: {said.en}"), Place(file=file))


def _all_bad(count: int) -> Text:
    return Text(f"{count} 条规则被拒绝，没有写出结果", f"{count} rules were refused; nothing was written")


def _refused(file: str, said: Text) -> Refused:
    return Refused(said, (Finding("facts", said, Place(file=file)),))
