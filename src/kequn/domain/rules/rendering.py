"""A rule tree said aloud: as rule text that parses back to the same tree, and as a sentence in zh or en.

Both are one walk over the tree with another book of words; parentheses stand where the grammar needs them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from kequn.domain.errors import Language
from kequn.domain.facts import Vocabulary
from kequn.domain.rules.tree import (
    NULL,
    And,
    Arithmetic,
    Between,
    Case,
    Cell,
    Children,
    Comparison,
    Constant,
    Expr,
    FactRef,
    FirstHit,
    Function,
    History,
    IsNull,
    Made,
    Negative,
    Not,
    OneOf,
    Or,
    Value,
)

KEYWORDS = frozenset(
    ("and", "or", "not", "in", "between", "is", "null", "case", "when", "then", "else", "end", "true", "false",
     "like", "ilike", "similar", "select", "from", "where", "cast", "union", "exists", "all", "on", "using", "with")
)  # fmt: skip
SayValue = Callable[[str, str], str]
SayNumber = Callable[[str, float], str]
_BARE = re.compile(r"[^\W\d]\w*")
_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _TERM = range(8)


@dataclass(frozen=True, slots=True)
class Words:
    """How one language says the parts of a rule. `{0}` and so on stand for the parts."""

    quote_names: bool
    constants: dict[Value | None, str]
    both: str
    either: str
    opposite: str
    signs: dict[str, str]
    missing: str
    known: str
    among: str
    not_among: str
    between: str
    not_between: str
    comma: str
    when: str
    otherwise: str
    case: str
    functions: dict[str, str]
    stands_in: str = ""


_SIGNS = {sign: sign for sign in ("=", "<>", "<", "<=", ">", ">=")}

TEXT = Words(
    quote_names=True,
    constants={True: "true", False: "false", None: "null"},
    both=" and ", either=" or ", opposite="not {0}", signs=_SIGNS,
    missing="{0} is null", known="{0} is not null", among="{0} in ({1})", not_among="{0} not in ({1})",
    between="{0} between {1} and {2}", not_between="{0} not between {1} and {2}", comma=", ",
    when="when {0} then {1}", otherwise=" else {0}", case="case {0}{1} end", functions={},
)  # fmt: skip

EN = Words(
    quote_names=False,
    constants={True: "yes", False: "no", None: "unknown"},
    both=" and ", either=" or ", opposite="it is not so that {0}",
    signs={"=": "is", "<>": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"},
    missing="{0} is missing", known="{0} is known", among="{0} is one of {1}", not_among="{0} is none of {1}",
    between="{0} lies between {1} and {2}", not_between="{0} lies outside {1} to {2}", comma=", ",
    when="if {0}: {1}", otherwise="; otherwise {0}", case="({0}{1})",
    functions={
        "abs": "the size of {0}", "least": "the least of {0}", "greatest": "the greatest of {0}",
        "coalesce": "the first known of {0}", "ln": "ln({0})", "exp": "exp({0})",
        "lag": "{0} {1} periods earlier", "ttm": "{0} over twelve months", "mean": "the mean of {0} over {1} periods",
        "min over": "the least {0} in {1} periods", "max over": "the greatest {0} in {1} periods",
        "trend": "the trend of {0} over {1} periods", "streak": "the periods in a row (of {1}) in which {0}",
        "sum": "the sum of {0}", "min": "the least {0}", "max": "the greatest {0}",
        "count": "the number with {0}", "any": "any with {0}",
    },
    stands_in="{0} ({1} where unknown)",
)  # fmt: skip

ZH = Words(
    quote_names=False,
    constants={True: "是", False: "否", None: "未知"},
    both="，且", either="，或", opposite="并非{0}",
    signs={"=": "为", "<>": "不为", "<": "低于", "<=": "不高于", ">": "高于", ">=": "不低于"},
    missing="缺少{0}", known="已知{0}", among="{0}为{1}之一", not_among="{0}不为{1}之一",
    between="{0}在 {1} 至 {2} 之间", not_between="{0}不在 {1} 至 {2} 之间", comma="、",
    when="若{0}则{1}", otherwise="；否则{0}", case="（{0}{1}）",
    functions={
        "abs": "{0}的绝对值", "least": "{0}中最小者", "greatest": "{0}中最大者", "coalesce": "{0}中首个已知者",
        "ln": "ln({0})", "exp": "exp({0})", "lag": "{1} 期前的{0}", "ttm": "最近十二个月{0}",
        "mean": "{1} 期平均{0}", "min over": "{1} 期内最低{0}", "max over": "{1} 期内最高{0}",
        "trend": "{1} 期{0}走势", "streak": "{0}的连续期数（最多 {1} 期）",
        "sum": "{0}合计", "min": "最小{0}", "max": "最大{0}", "count": "{0}的笔数", "any": "任一笔{0}",
    },
    stands_in="{0}（未知时为{1}）",
)  # fmt: skip


def render_text(expr: Expr) -> str:
    """Rule text that parses back to the same tree."""
    return _Renderer(TEXT, None).at(expr, _OR)


def render_sentence(
    expr: Expr,
    vocabulary: Vocabulary,
    language: Language,
    say_value: SayValue | None = None,
    say_number: SayNumber | None = None,
) -> str:
    """The rule as a sentence with the labels of the vocabulary; `say_value` says the codes of a fact in words,
    `say_number` the numbers that a fact is compared with.
    """
    return _Renderer(ZH if language == "zh" else EN, vocabulary, say_value, say_number).at(expr, _OR)


def shown_value(value: Value | None, words: Words = TEXT) -> str:
    """One value as rule text or as a sentence shows it."""
    if value is None or isinstance(value, bool):
        return words.constants[value]
    if isinstance(value, float):
        return shown_number(value)
    if isinstance(value, date):
        return f"date '{value.isoformat()}'" if words is TEXT else value.isoformat()
    if words is TEXT:
        return "'" + value.replace("'", "''") + "'"
    return f"“{value}”"


def shown_number(value: float) -> str:
    """The shortest text that reads back as the same float64."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value)) if value or str(value) == "0.0" else "-0.0"
    return repr(value).replace("e+", "e")


def _name(name: str) -> str:
    if _BARE.fullmatch(name) and name.lower() not in KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class _Renderer:
    words: Words
    vocabulary: Vocabulary | None
    say_value: SayValue | None = None
    say_number: SayNumber | None = None

    def fact(self, name: str) -> str:
        fact = self.vocabulary.get(name) if self.vocabulary else None
        if fact is None:
            return _name(name) if self.vocabulary is None else name
        return (fact.zh if self.words is ZH else fact.en) or fact.name

    def at(self, expr: Expr, strength: int) -> str:
        """The expression, in parentheses where it binds more loosely than its place asks."""
        said = self.say(expr)
        if _strength(expr) >= strength:
            return said
        return f"（{said}）" if self.words is ZH else f"({said})"

    def say(self, expr: Expr) -> str:
        words = self.words
        match expr:
            case Constant(value):
                return shown_value(value, words)
            case FactRef(name):
                return self.fact(name)
            case Cell(name, _, _, offset):
                return f"{self.fact(name)}@{offset}"
            case Made(step):
                return f"#{step}"
            case Arithmetic(first, rest):
                level = _strength(expr)
                terms = [f" {sign} {self.term(term, level + 1)}" for sign, term in rest]
                return self.at(first, level) + "".join(terms)
            case Negative(of):
                return "-" + self.at(of, _TERM)
            case And(parts):
                return words.both.join(self.at(part, _NOT) for part in parts)
            case Or(parts):
                return words.either.join(self.at(part, _AND) for part in parts)
            case Not(of):
                return words.opposite.format(self.at(of, _NOT))
            case Comparison(sign, left, right):
                return f"{self.at(left, _SUM)} {words.signs[sign]} {self.beside(left, right)}"
            case IsNull(of, negated):
                return (words.known if negated else words.missing).format(self.at(of, _SUM))
            case OneOf(of, among, negated):
                listed = words.comma.join(self.beside(of, one) for one in among)
                return (words.not_among if negated else words.among).format(self.at(of, _SUM), listed)
            case Between(of, low, high, negated):
                ends = (self.at(of, _SUM), self.beside(of, low), self.beside(of, high))
                return (words.not_between if negated else words.between).format(*ends)
            case Case(branches, otherwise):
                return self.cases(branches, otherwise)
            case FirstHit(rows, otherwise):
                return self.table(rows, otherwise)
            case Function("coalesce", (of, Constant() as stand_in)) if words.stands_in:
                return words.stands_in.format(self.at(of, _OR), self.at(stand_in, _OR))
            case Function(name, arguments):
                return self.call(name, name, words.comma.join(self.at(one, _OR) for one in arguments))
            case History(name, of, n):
                key = f"{name} over" if name in ("min", "max") else name
                return self.call(key, name, self.at(of, _OR), n if name != "ttm" else None)
            case Children(name, of):
                return self.call(name, name, self.at(of, _OR))

    def beside(self, fact: Expr, value: Expr) -> str:
        """A value compared with a fact, in that fact's own words where it is a code."""
        match fact, value:
            case FactRef(name), Constant(str(code)) if self.say_value is not None:
                return f"“{self.say_value(name, code)}”"
            case FactRef(name), Constant(float(number)) if self.say_number is not None:
                return self.say_number(name, number)
            case FactRef(name), Negative(Constant(float(number))) if self.say_number is not None:
                return self.say_number(name, -number)
            case _:
                return self.at(value, _SUM)

    def term(self, term: Expr, strength: int) -> str:
        """A later term of a sum; in a sentence a negative number stands in brackets."""
        said = self.at(term, strength)
        return f"({said})" if self.words is not TEXT and isinstance(term, Constant) and said.startswith("-") else said

    def call(self, key: str, name: str, inner: str, n: int | None = None) -> str:
        if self.words is TEXT:
            return f"{name}({inner})" if n is None else f"{name}({inner}, {n})"
        return self.words.functions[key].format(inner, n)

    def cases(self, branches: tuple[tuple[Expr, Expr], ...], otherwise: Expr) -> str:
        words = self.words
        said = [words.when.format(self.at(if_, _OR), self.at(then, _OR)) for if_, then in branches]
        last = "" if otherwise == NULL else words.otherwise.format(self.at(otherwise, _OR))
        return words.case.format((" " if words is TEXT else words.comma).join(said), last)

    def table(self, rows: tuple[tuple[Expr, Expr], ...], otherwise: Expr) -> str:
        """A decision table has no form of its own in rule text; `case` with its unknowns says the same."""
        if self.words is not TEXT:
            return self.cases(rows, otherwise)
        strict = [pair for if_, then in rows for pair in ((if_, then), (IsNull(if_), NULL))]
        return self.cases(tuple(strict), otherwise)


def _strength(expr: Expr) -> int:
    match expr:
        case Or():
            return _OR
        case And():
            return _AND
        case Not():
            return _NOT
        case Comparison() | IsNull() | OneOf() | Between():
            return _COMPARE
        case Arithmetic(_, rest):
            return _SUM if rest[0][0] in "+-" else _PRODUCT
        case Negative():
            return _UNARY
        case Constant(float() as value):
            return _UNARY if shown_number(value).startswith("-") else _TERM
        case _:
            return _TERM
