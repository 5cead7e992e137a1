"""Random policies: definitions over every grain, as rule texts and decision tables, seeded."""

import random
from datetime import date

from kequn.domain.definitions import Definition, Lookup, Plan
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rules import tree
from kequn.policy.rule_text import parse

NUMBER, TEXT, BOOLEAN, DATE = FactType.NUMBER, FactType.TEXT, FactType.BOOLEAN, FactType.DATE
CUSTOMER, STATEMENT, MONTH = Grain.CUSTOMER, Grain.STATEMENT, Grain.ACCOUNT_MONTH
FACILITY, PROJECT, EVENT = Grain.FACILITY, Grain.PROJECT, Grain.EVENT

FACTS = (
    Fact("employees", CUSTOMER, NUMBER, "从业人员", "Employees"),
    Fact("age", CUSTOMER, NUMBER, "存续年限", "Age"),
    Fact("mark", CUSTOMER, NUMBER, "评分", "Mark"),
    Fact("industry", CUSTOMER, TEXT, "行业", "Industry"),
    Fact("province", CUSTOMER, TEXT, "省份", "Province"),
    Fact("listed", CUSTOMER, BOOLEAN, "上市", "Listed"),
    Fact("founded", CUSTOMER, DATE, "成立日期", "Founded"),
    Fact("region", CUSTOMER, TEXT, "地区", "Region", source="derived"),
    Fact("weight", CUSTOMER, NUMBER, "权重", "Weight", source="derived"),
    Fact("statement_date", CUSTOMER, DATE, "报表日", "Statement date"),
    Fact("statement_age_days", CUSTOMER, NUMBER, "报表天数", "Statement age"),
    Fact("revenue", STATEMENT, NUMBER, "营业收入", "Revenue", flow=True),
    Fact("profit", STATEMENT, NUMBER, "净利润", "Profit", flow=True),
    Fact("assets", STATEMENT, NUMBER, "资产总计", "Total assets"),
    Fact("equity", STATEMENT, NUMBER, "净资产", "Equity"),
    Fact("opinion", STATEMENT, TEXT, "审计意见", "Opinion"),
    Fact("balance", MONTH, NUMBER, "余额", "Balance", combine="min"),
    Fact("inflow", MONTH, NUMBER, "流入", "Inflow", combine="sum"),
    Fact("peak", MONTH, NUMBER, "峰值", "Peak", combine="max"),
    Fact("drawn", FACILITY, NUMBER, "已提款", "Drawn"),
    Fact("overdue_days", FACILITY, NUMBER, "逾期天数", "Days overdue"),
    Fact("secured", FACILITY, BOOLEAN, "有担保", "Secured"),
    Fact("maturity", FACILITY, DATE, "到期日", "Maturity"),
    Fact("product", FACILITY, TEXT, "产品", "Product"),
    Fact("capex", PROJECT, NUMBER, "投资额", "Capex"),
    Fact("stage", PROJECT, TEXT, "阶段", "Stage"),
    Fact("severity", EVENT, NUMBER, "严重度", "Severity"),
)
NUMBERS = ("0", "-0.0", "1", "2", "0.5", "0.1", "-1", "100", "1e3", "7.25", "1e6", "1e-300", "1e300")
TEXTS = ("A", "B", "C39", "贵州", "é", "", "it''s")
DATES = ("2019-06-30", "2024-12-31", "2025-03-31", "2026-01-01")
REGIONS = {"贵州": "west", "A": "east", "B": None}


def region_of(key: tuple[str | None, ...], _as_of: date) -> tuple[str | None, float | None]:
    province = key[0]
    return (None, None) if province is None else (REGIONS.get(province, "other"), float(len(province)))


class Author:
    """Writes random rule texts over the facts and definitions known so far."""

    def __init__(self, seed: int, *, smooth: bool = True) -> None:
        self.random = random.Random(seed)
        self.smooth = smooth
        self.words: list[str] = []  # earlier texts that are always one of the policy's own words
        self.is_open = False
        self.facts: dict[tuple[Grain, FactType], list[str]] = {}
        for fact in FACTS:
            self.facts.setdefault((fact.grain, fact.type), []).append(fact.name)

    def known(self, grain: Grain, kind: FactType) -> str | None:
        names = self.facts.get((grain, kind), [])
        return self.random.choice(names) if names else None

    def number(self, grain: Grain, depth: int) -> str:
        if depth <= 0 or self.random.random() < 0.15:
            return self.random.choice(NUMBERS) if self.random.random() < 0.25 else self.number_fact(grain)
        shapes = ["sum", "sum", "product", "ratio", "ratio", "negative", "call", "case"]
        if grain == CUSTOMER:
            shapes += ["history", "history", "children"]
        elif grain in (STATEMENT, MONTH):
            shapes.append("history")
        return getattr(self, "write_" + self.random.choice(shapes))(grain, depth - 1)

    def number_fact(self, grain: Grain) -> str:
        if grain == CUSTOMER and self.random.random() < 0.5:
            grain = self.random.choice((STATEMENT, MONTH))
        return self.known(grain, NUMBER) or "1"

    def write_sum(self, grain: Grain, depth: int) -> str:
        terms = [self.number(grain, depth) for _ in range(self.random.choice((2, 2, 3)))]
        return "(" + self.random.choice((" + ", " - ")).join(terms) + ")"

    def write_product(self, grain: Grain, depth: int) -> str:
        return f"({self.number(grain, depth)} * {self.number(grain, depth)})"

    def write_ratio(self, grain: Grain, depth: int) -> str:
        return f"({self.number(grain, depth)} / {self.number(grain, depth)})"

    def write_negative(self, grain: Grain, depth: int) -> str:
        return f"(- {self.number(grain, depth)})"

    def write_call(self, grain: Grain, depth: int) -> str:
        names = ["abs", "least", "greatest", "coalesce"] + (["ln", "exp"] if not self.smooth else [])
        name = self.random.choice(names)
        many = 1 if name in ("abs", "ln", "exp") else self.random.choice((1, 2, 3))
        return f"{name}({', '.join(self.number(grain, depth) for _ in range(many))})"

    def write_case(self, grain: Grain, depth: int) -> str:
        branches = " ".join(
            f"when {self.verdict(grain, depth)} then {self.number(grain, depth)}"
            for _ in range(self.random.choice((1, 2, 8)))
        )
        last = f" else {self.number(grain, depth)}" if self.random.random() < 0.6 else ""
        return f"case {branches}{last} end"

    def write_history(self, grain: Grain, depth: int) -> str:
        grain = self.random.choice((STATEMENT, STATEMENT, MONTH)) if grain == CUSTOMER else grain
        name = self.random.choice(("lag", "ttm", "ttm", "mean", "min", "max", "trend", "streak"))
        fact = self.known(grain, NUMBER)
        if name == "ttm":
            flows = ("revenue", "profit", "(revenue - profit)") if grain == STATEMENT else ("inflow",)
            inner = f"ttm({self.random.choice(flows)})"
            return (
                inner
                if grain == MONTH or self.random.random() < 0.5
                else f"lag({inner}, {self.random.choice((1, 2, 4))})"
            )
        n = self.random.choice((2, 3, 4, 5))
        if name == "streak":
            return f"streak({fact} {self.random.choice(('>', '<='))} {self.random.choice(NUMBERS)}, {n})"
        inner = self.number(grain, min(depth, 1))
        return f"{name}({inner if self.grained(inner, grain) else fact}, {n})"

    def write_children(self, _grain: Grain, depth: int) -> str:
        grain = self.random.choice((FACILITY, FACILITY, PROJECT, EVENT))
        name = self.random.choice(("sum", "sum", "max", "min", "count", "count"))
        if name == "count":
            return f"count({self.inside(grain, depth, BOOLEAN)})"
        return f"{name}({self.inside(grain, depth, NUMBER)})"

    def inside(self, grain: Grain, depth: int, kind: FactType) -> str:
        """An expression over one child grain that names at least one fact of it."""
        for _ in range(8):
            inner = self.verdict(grain, min(depth, 2)) if kind == BOOLEAN else self.number(grain, min(depth, 2))
            if self.grained(inner, grain):
                return inner
        fact = self.known(grain, NUMBER)
        return f"{fact} > 1" if kind == BOOLEAN else str(fact)

    def grained(self, text: str, grain: Grain) -> bool:
        names = {name for (own, _), found in self.facts.items() for name in found if own == grain}
        return any(word in names for word in text.replace("(", " ").replace(")", " ").replace(",", " ").split())

    def verdict(self, grain: Grain, depth: int) -> str:
        if depth <= 0 or self.random.random() < 0.3:
            return self.leaf_verdict(grain)
        shape = self.random.choice(("and", "or", "not", "compare", "between", "in", "null", "any", "equal"))
        below = depth - 1
        if shape in ("and", "or"):
            parts = [self.verdict(grain, below) for _ in range(self.random.choice((2, 3)))]
            return "(" + f" {shape} ".join(parts) + ")"
        if shape == "not":
            return f"(not {self.verdict(grain, below)})"
        if shape == "between":
            word = self.random.choice(("between", "not between"))
            return f"({self.number(grain, below)} {word} {self.number(grain, 0)} and {self.number(grain, 0)})"
        if shape == "in":
            listed = ", ".join([*self.random.sample(NUMBERS, 3), *(["null"] if self.random.random() < 0.3 else [])])
            return f"({self.number(grain, below)} {self.random.choice(('in', 'not in'))} ({listed}))"
        if shape == "null":
            return f"({self.number(grain, below)} is {self.random.choice(('', 'not '))}null)"
        if shape == "any" and grain == CUSTOMER:
            return f"any({self.inside(FACILITY, below, BOOLEAN)})"
        if shape == "equal":
            return f"({self.verdict(grain, 0)} = {self.verdict(grain, 0)})"
        return self.compared(grain, below)

    def compared(self, grain: Grain, depth: int) -> str:
        sign = self.random.choice(("=", "<>", "<", "<=", ">", ">="))
        return f"({self.number(grain, depth)} {sign} {self.number(grain, min(depth, 1))})"

    def word(self, grain: Grain, depth: int) -> str:
        """A text: a table of words, a choice among texts, a fact or an earlier definition."""
        if depth <= 0 or self.random.random() < 0.2:
            if self.is_open and self.random.random() < 0.3:
                return self.known(grain, TEXT) or "'A'"
            mixed = self.words and not (self.is_open and self.random.random() < 0.9)
            return self.random.choice(self.words) if mixed and self.random.random() < 0.4 else self.literal()
        if self.random.random() < 0.2:
            return f"coalesce({self.word(grain, depth - 1)}, {self.word(grain, depth - 1)})"
        branches = " ".join(
            f"when {self.verdict(grain, min(depth - 1, 1))} then {self.word(grain, depth - 2)}"
            for _ in range(self.random.choice((1, 3, 9)))
        )
        return f"case {branches} else {self.word(grain, depth - 2)} end"

    def literal(self) -> str:
        return f"'{self.random.choice(TEXTS)}'"

    def leaf_verdict(self, grain: Grain) -> str:
        kind = self.random.choice((NUMBER, NUMBER, TEXT, BOOLEAN, DATE))
        reach = self.random.choice((CUSTOMER, STATEMENT)) if grain == CUSTOMER else grain
        name = self.known(reach, kind)
        if name is None or kind == NUMBER:
            return self.compared(grain, 0)
        if kind == BOOLEAN:
            return name if self.random.random() < 0.7 else f"({name} is not null)"
        if kind == DATE:
            return f"({name} {self.random.choice(('<', '>=', '='))} date '{self.random.choice(DATES)}')"
        if self.random.random() < 0.5:
            listed = ", ".join(f"'{one}'" for one in self.random.sample(TEXTS, 3))
            return f"({name} {self.random.choice(('in', 'not in'))} ({listed}))"
        return f"({name} {self.random.choice(('=', '<>', '<', '>='))} '{self.random.choice(TEXTS)}')"


def random_plan(seed: int, count: int, *, smooth: bool = True) -> Plan:
    """`count` customer definitions over definitions of every other grain. `smooth` leaves out ln and exp."""
    author = Author(seed, smooth=smooth)
    definitions: list[Definition] = []
    vocabulary = Vocabulary(FACTS)
    for number, grain in enumerate([STATEMENT] * 8 + [FACILITY] * 5 + [MONTH] * 4 + [CUSTOMER] * count):
        kind = author.random.choice((NUMBER, NUMBER, BOOLEAN, BOOLEAN, TEXT)) if grain == CUSTOMER else NUMBER
        name = f"{grain}_{number}"
        author.is_open = author.random.random() < 0.3
        expr = _table(author, vocabulary) if grain == CUSTOMER and number % 9 == 0 and kind == NUMBER else None
        if expr is None:
            expr = _written(author, vocabulary, grain, kind)
        kinds = {NUMBER: "derived", BOOLEAN: "segment", TEXT: "dimension"}
        definitions.append(Definition(name, grain, kind, expr, kinds[kind]))  # type: ignore[arg-type]
        vocabulary = vocabulary.extended([Fact(name, grain, kind, source="derived")])
        if author.random.random() < 0.4:
            author.facts[grain, kind].append(name)
            author.words += [name] if kind == TEXT and not author.is_open else []
    lookup = Lookup("regions", ("province",), (("region", TEXT), ("weight", NUMBER)), region_of)
    order = (("consolidated", "CAS"), ("parent", "CAS"), ("consolidated", "IFRS"))
    return Plan(vocabulary, (lookup,), tuple(definitions), order, f"random-{seed}")


def _written(author: Author, vocabulary: Vocabulary, grain: Grain, kind: FactType) -> tree.Expr:
    depth = author.random.choice((1, 2, 3, 3, 4)) if grain == CUSTOMER else 2
    write = {NUMBER: author.number, BOOLEAN: author.verdict, TEXT: author.word}[kind]
    text = write(grain, depth)
    return parse(text, vocabulary, kind.value, grain=grain)


def _table(author: Author, vocabulary: Vocabulary) -> tree.Expr:
    """A decision table: ranges of one number, with or without a row for what is missing, or rows of any rules,
    some of them behind a flag."""
    of = parse(author.number_fact(CUSTOMER), vocabulary, "number")
    edges = sorted({float(one) for one in author.random.sample(NUMBERS, 8)})
    rows: list[tuple[tree.Expr, tree.Expr]] = []
    if author.random.random() < 0.5:
        rows.append((tree.IsNull(of), tree.number(-1)))
    for low, high in zip([None, *edges], [*edges, None], strict=True):
        tests = [] if low is None else [tree.Comparison(">=", of, tree.number(low))]
        tests += [] if high is None else [tree.Comparison("<", of, tree.number(high))]
        rows.append((tests[0] if len(tests) == 1 else tree.And(tuple(tests)), tree.number(len(rows))))
    if author.random.random() < 0.3:
        rows[2] = (_written(author, vocabulary, CUSTOMER, BOOLEAN), tree.number(77))
    if author.random.random() < 0.4:
        flag = tree.FactRef(author.random.choice(author.facts[CUSTOMER, BOOLEAN]), CUSTOMER, BOOLEAN)
        after = author.random.randint(0, 5)
        rows[after:] = [(tree.And((flag, condition)), outcome) for condition, outcome in rows[after:]]
    return tree.FirstHit(tuple(rows), tree.NULL)
