"""The page `docs/formulas.md`: every formula, table, segment and signal of a pack, with its source.

python -m kequn.policy.formulas_page > docs/formulas.md
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby

from kequn.domain.rating.calibration import score_of_pd
from kequn.policy.documents import Heading
from kequn.policy.items import Item
from kequn.policy.loading import load_pack
from kequn.policy.pack import Pack
from kequn.policy.planning import tables_of

SHOWN_AT = date(2026, 9, 30)
INTRODUCTION = """# Formulas, with their sources · 公式与来源

This page is written from the policy pack `cn`; change the pack, then write it again with
`python -m kequn.policy.formulas_page > docs/formulas.md`. A test holds the two together.

本页由政策包 `cn` 生成；修改政策包后重新生成。
核对状态：verified 已核对官方文本，memory 凭记忆待核对，illustration 仅为示例。

How to read a formula. Names are facts of the dictionary (`packs/cn/facts.yaml`) or other formulas. `ttm(x)` is the
twelve months to the statement: x itself on a statement of twelve months; this year to date + last year - last year to
the same date on a cumulative interim statement; the sum of four quarters on discrete ones. `lag(x, 4)` is the same
quarter of last year. `sum max min count any` go over a customer's facilities, projects or events. What is missing makes
the result unknown, as do division by zero and overflow; where a formula treats a missing item as nil it says
`coalesce(x, 0)`.
"""


def render(pack: Pack, as_of: date) -> str:
    """The whole page as Markdown."""
    headings = {document.key: document.heading for document in pack.documents(as_of)}
    parts = [INTRODUCTION, *_standards(pack)]
    for key, items in groupby(pack.items(as_of), key=lambda item: item.document):
        heading = headings[key]
        parts.append(f"## {heading.title.en} · {heading.title.zh}\n")
        parts.append(
            f"`{heading.file}`, in force from {heading.in_force}, {heading.status}. Source: {_source(heading)}\n"
        )
        parts.extend(_lines(items))
        if key == "credit":
            parts.extend(_master_scale(pack, as_of))
    return "\n".join(parts)


def _source(heading: Heading) -> str:
    """Both languages, once where they are the same."""
    zh, en = heading.source.zh, heading.source.en
    return en if zh == en else f"{en} · {zh}"


def _standards(pack: Pack) -> Iterator[str]:
    yield "## Standards · 标准\n"
    yield "| Table | Title | In force from | Status | Source |\n|---|---|---|---|---|"
    for editions in pack.standards.editions.values():
        for edition in editions:
            head = edition.heading
            title = f"{head.title.en} · {head.title.zh}"
            yield f"| `{head.file}` | {title} | {head.in_force} | {head.status} | {_source(head)} |"
    yield ""


def _master_scale(pack: Pack, as_of: date) -> Iterator[str]:
    """Grades with their bands of PD, and the scores at which they begin by the calibration of the pack."""
    intercept, slope = pack.constant("score_intercept", as_of), pack.constant("score_slope", as_of)
    yield "### Master scale · 主标尺\n"
    yield "| Grade | PD from | PD below | Score above |\n|---|---|---|---|"
    for row in tables_of(pack, as_of)["grade"].rows:
        bounds = dict(row.cells[1].bounds)
        if not bounds:
            continue
        low, high = bounds.get(">=", 0.0), bounds.get("<", 1.0)
        score = max(0.0, score_of_pd(high, intercept=intercept, slope=slope)) if high < 1.0 else 0.0
        yield f"| {row.outcomes[0]} | {low:.2%} | {high:.2%} | {score:.1f} |"
    yield ""


def _lines(items: Iterable[Item]) -> Iterator[str]:
    yield "| Name | Meaning | Unit | Formula |\n|---|---|---|---|"
    for item in items:
        yield f"| `{item.name}` | {item.label.en} · {item.label.zh} | {item.unit} | {_formula(item)} |"
    yield ""


def _formula(item: Item) -> str:
    if item.constant is not None:
        return f"{item.constant:g}"
    if item.table is not None:
        inputs = ", ".join(f"`{name}`" for name in item.table.get("inputs", ()))
        rows = len(item.table.get("rows", ()))
        return f"decision table ({item.table.get('hit', 'unique')}, {rows} rows) over {inputs}"
    note = f" ({item.note})" if item.note else ""
    level = f"{item.level}: " if item.level else ""
    text = " ".join(item.rule.split()).replace("|", "\\|")
    return f"{level}`{text}`{note}"


if __name__ == "__main__":
    print(render(load_pack("cn"), SHOWN_AT), end="")
