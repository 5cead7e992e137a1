"""What fits what in a rule: types of operands, and which grain a function may read."""

from typing import TYPE_CHECKING, cast

from kequn.domain.facts import CALENDAR_GRAINS, CHILD_GRAINS, Fact, FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.tree import Expr
from kequn.policy.rule_tokens import Token, refuse

if TYPE_CHECKING:
    from kequn.policy.rule_parser import Parser

ZH = {FactType.NUMBER: "数值", FactType.TEXT: "文本", FactType.BOOLEAN: "是非", FactType.DATE: "日期"}
_PLAIN = ("abs", "least", "greatest", "coalesce", "ln", "exp")
_HISTORY = ("lag", "ttm", "mean", "min", "max", "trend", "streak")
_CHILDREN = ("sum", "max", "min", "count", "any")
FARTHEST = {Grain.STATEMENT: 40, Grain.ACCOUNT_MONTH: 60}
MOST_CELLS = 1_000


def need(parser: "Parser", expr: Expr, start: int, *kinds: FactType) -> None:
    """The expression is of one of these types, or unknown."""
    kind = tree.type_of(expr)
    if kind is None or kind in kinds:
        return
    zh = "或".join(ZH[wanted] for wanted in kinds)
    en = " or ".join(kinds)
    refuse("rule.type", parser.text, start, f"此处应是{zh}，却是{ZH[kind]}", f"a {en} is needed here, not a {kind}",
           found=kind, expected=en)  # fmt: skip


def need_same(parser: "Parser", exprs: tuple[Expr, ...], start: int) -> FactType | None:
    """All are of one type; unknown fits any."""
    wanted = tree.first_type(exprs)
    for expr in exprs:
        kind = tree.type_of(expr)
        if kind is not None and wanted is not None and kind != wanted:
            hint = "，日期写作 date '2025-12-31'" if FactType.DATE in (kind, wanted) else ""
            hint_en = "; write dates as date '2025-12-31'" if hint else ""
            refuse("rule.type", parser.text, start, f"{ZH[wanted]}不能与{ZH[kind]}相比或并列{hint}",
                   f"a {wanted} and a {kind} do not fit together{hint_en}", found=kind, expected=wanted)  # fmt: skip
    return wanted


def need_comparable(parser: "Parser", exprs: tuple[Expr, ...], start: int, *, ordered: bool) -> None:
    kind = need_same(parser, exprs, start)
    if ordered and kind == FactType.BOOLEAN:
        refuse("rule.type", parser.text, start, "是非没有大小之分", "true and false have no order; use = or <>")


def need_reach(parser: "Parser", fact: Fact, start: int) -> None:
    """A fact may be read where it stands: child facts only inside a child function, and so on."""
    if parser.inside is not None or fact.grain == parser.grain:
        return
    if parser.grain != Grain.CUSTOMER:
        refuse("rule.grain", parser.text, start, f"{fact.name} 属于 {fact.grain}，此处只能用 {parser.grain} 的事实",
               f"`{fact.name}` belongs to a {fact.grain}; only facts of the {parser.grain} may stand here")  # fmt: skip
    if fact.grain in CHILD_GRAINS:
        refuse("rule.grain", parser.text, start,
               f"{fact.name} 每个客户有多笔，须放在 sum、max、min、count 或 any 之中",
               f"`{fact.name}` has many rows for one customer; put it inside sum, max, min, count or any")  # fmt: skip


def function(parser: "Parser", token: Token) -> Expr:
    """A call of the closed set; the opening parenthesis is next."""
    name = token.text.lower()
    if name not in (*_PLAIN, *_HISTORY, *_CHILDREN):
        refuse("rule.function", parser.text, token.start, f"规则中没有函数 {token.text[:40]}",
               f"there is no function `{token.text[:40]}` in rules",
               expected=" ".join(sorted({*_PLAIN, *_HISTORY, *_CHILDREN})))  # fmt: skip
    parser.deeper(token.start)
    outer = parser.inside
    if name not in _PLAIN:
        parser.inside = cast("tree.HistoryName", name)
    parser.need_sign("(")
    arguments = [parser.disjunction()]
    while parser.takes_sign(","):
        arguments.append(parser.disjunction())
    parser.need_sign(")")
    parser.inside = outer
    parser.depth -= 1
    if name in _PLAIN:
        return _plain(parser, token, name, tuple(arguments))
    return _over_rows(parser, token, name, arguments)


def _plain(parser: "Parser", token: Token, name: str, arguments: tuple[Expr, ...]) -> Expr:
    if name in ("abs", "ln", "exp"):
        _need_count(parser, token, len(arguments), 1)
        need(parser, arguments[0], token.start, FactType.NUMBER)
    elif name == "coalesce":
        need_same(parser, arguments, token.start)
    else:
        need_same(parser, arguments, token.start)
        for argument in arguments:
            need(parser, argument, token.start, FactType.NUMBER, FactType.DATE)
    return tree.Function(cast("tree.FunctionName", name), arguments)


def _need_count(parser: "Parser", token: Token, found: int, wanted: int) -> None:
    if found != wanted:
        refuse("rule.arguments", parser.text, token.start, f"{token.text} 应有 {wanted} 个参数，却有 {found} 个",
               f"`{token.text}` takes {wanted} argument(s), not {found}")  # fmt: skip


def _over_rows(parser: "Parser", token: Token, name: str, arguments: list[Expr]) -> Expr:
    grain = _one_grain(parser, token, arguments[0])
    if grain in CALENDAR_GRAINS and name in _HISTORY:
        return _history(parser, token, cast("tree.HistoryName", name), grain, arguments)
    if grain in CHILD_GRAINS and name in _CHILDREN and parser.inside is None and parser.grain == Grain.CUSTOMER:
        _need_count(parser, token, len(arguments), 1)
        return _children(parser, token, cast("tree.ChildName", name), grain, arguments[0])
    return refuse("rule.grain", parser.text, token.start, f"{token.text} 不能用于 {grain} 的事实",
                  f"`{token.text}` cannot read facts of a {grain} here")  # fmt: skip


def _one_grain(parser: "Parser", token: Token, of: Expr) -> Grain:
    grains = {ref.grain for ref in tree.facts_in(of)}
    allowed = {*CALENDAR_GRAINS, *CHILD_GRAINS} if parser.grain == Grain.CUSTOMER else {parser.grain}
    if len(grains) != 1 or not grains <= allowed:
        shown = ", ".join(sorted(grains)) or "-"
        refuse("rule.grain", parser.text, token.start,
               f"{token.text} 之中须只有一种报表期、账户月份或明细的事实（现有：{shown}）",
               f"`{token.text}` reads facts of exactly one kind of period or child row (here: {shown})")  # fmt: skip
    return grains.pop()


def _history(parser: "Parser", token: Token, name: tree.HistoryName, grain: Grain, arguments: list[Expr]) -> Expr:
    _need_count(parser, token, len(arguments), 1 if name == "ttm" else 2)
    of = arguments[0]
    if name == "streak":
        need(parser, of, token.start, FactType.BOOLEAN)
    elif name != "lag":
        need(parser, of, token.start, FactType.NUMBER)
    n = 0 if name == "ttm" else _periods(parser, token, arguments[1], least={"lag": 0, "trend": 2}.get(name, 1))
    if name == "ttm":
        _need_flows(parser, token, of)
    expr = tree.History(name, of, n, grain)
    reach, cells = span(expr)
    if reach > FARTHEST[grain] or cells > MOST_CELLS:
        refuse("rule.history", parser.text, token.start, f"最多回看 {FARTHEST[grain]} 期",
               f"rules look back at most {FARTHEST[grain]} periods")  # fmt: skip
    return expr


def _periods(parser: "Parser", token: Token, given: Expr, *, least: int) -> int:
    value = given.value if isinstance(given, tree.Constant) else None
    if not isinstance(value, float) or not value.is_integer() or not least <= value <= 60:
        refuse("rule.arguments", parser.text, token.start, f"{token.text} 的期数须是 {least} 至 60 的整数",
               f"the periods of `{token.text}` are a whole number from {least} to 60")  # fmt: skip
    return int(value)


def _need_flows(parser: "Parser", token: Token, of: Expr) -> None:
    for ref in tree.facts_in(of):
        fact = parser.vocabulary.get(ref.name)
        if fact is not None and fact.grain == Grain.STATEMENT and not fact.flow and fact.source != "derived":
            refuse("rule.flow", parser.text, token.start, f"{ref.name} 是时点数，没有十二个月合计",
                   f"`{ref.name}` is a balance; only flows add up to twelve months")  # fmt: skip


def span(expr: Expr) -> tuple[int, int]:
    """How many periods back an expression reads, and how many values it reads in all."""
    below = [span(part) for part in tree.children_of(expr)]
    reach = max((one for one, _ in below), default=0)
    cells = sum(many for _, many in below) or 1
    if not isinstance(expr, tree.History):
        return reach, cells
    if expr.function == "lag":
        return reach + expr.n, cells
    if expr.function == "ttm":
        return (reach + 4, cells * 4) if expr.grain == Grain.STATEMENT else (reach + 11, cells * 12)
    return reach + expr.n - 1, cells * expr.n


def _children(parser: "Parser", token: Token, name: tree.ChildName, grain: Grain, of: Expr) -> Expr:
    if name == "any":
        need(parser, of, token.start, FactType.BOOLEAN)
    elif name == "sum":
        need(parser, of, token.start, FactType.NUMBER)
    elif name in ("min", "max"):
        need(parser, of, token.start, FactType.NUMBER, FactType.DATE)
    elif tree.type_of(of) != FactType.BOOLEAN:
        of = tree.IsNull(of, negated=True)
    return tree.Children(name, of, grain)
