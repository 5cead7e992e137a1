"""The parser of rule text: by precedence, with types checked while the tree is made."""

from collections.abc import Callable
from datetime import date
from typing import NoReturn, cast

from kequn.domain.facts import FactType, Grain, Vocabulary
from kequn.domain.rules import tree
from kequn.domain.rules.rendering import KEYWORDS
from kequn.domain.rules.tree import Expr
from kequn.policy import rule_types
from kequn.policy.rule_tokens import DEEPEST, Token, refuse, tokens_of

_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_NUMBER_MAX = 1.7976931348623157e308


class Parser:
    """One text, read once from left to right."""

    def __init__(self, text: str, vocabulary: Vocabulary, grain: Grain, empty: frozenset[str]) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.depth = 0
        self.vocabulary = vocabulary
        self.grain = grain
        self.empty = empty
        self.inside: tree.HistoryName | tree.ChildName | None = None

    # -- tokens ---------------------------------------------------------------------------------------

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def takes_word(self, *words: str) -> bool:
        if self.next.is_word(*words):
            self.at += 1
            return True
        return False

    def takes_sign(self, *signs: str) -> bool:
        if self.next.is_sign(*signs):
            self.at += 1
            return True
        return False

    def need_sign(self, sign: str) -> None:
        if not self.takes_sign(sign):
            self.refuse_token(f"“{sign}”", f"`{sign}`")

    def need_word(self, word: str) -> None:
        if not self.takes_word(word):
            self.refuse_token(f"“{word}”", f"`{word}`")

    def refuse(self, code: str, start: int, zh: str, en: str) -> NoReturn:
        refuse(code, self.text, start, zh, en)

    def refuse_token(self, zh: str, en: str) -> NoReturn:
        token = self.next
        if token.kind == "end":
            self.refuse("rule.unfinished", token.start, f"规则没有写完，此处应有{zh}",
                        f"the rule ends where {en} is expected")  # fmt: skip
        shown = token.text if len(token.text) <= 40 else token.text[:40] + "…"
        refuse("rule.grammar", self.text, token.start, f"此处应有{zh}，却是 {shown}",
               f"expected {en}, found {shown}", found=shown, expected=en)  # fmt: skip

    def refuse_whole(self, expected: str, found: FactType) -> NoReturn:
        self.refuse("rule.type", self.tokens[0].start,
                    f"此处应得出{rule_types.ZH[FactType(expected)]}，却得出{rule_types.ZH[found]}",
                    f"the text should give a {expected}; it gives a {found}")  # fmt: skip

    def deeper(self, start: int) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse("rule.depth", start, f"嵌套超过 {DEEPEST} 层", f"nested more than {DEEPEST} deep")

    # -- grammar --------------------------------------------------------------------------------------

    def whole(self) -> Expr:
        if self.next.kind == "end":
            self.refuse("rule.empty", 0, "规则是空的", "the rule is empty")
        expr = self.disjunction()
        if self.at < len(self.tokens) - 1:
            self.refuse_token("规则结尾或 and、or", "the end of the rule, `and` or `or`")
        return expr

    def disjunction(self) -> Expr:
        start = self.next.start
        parts = [self.conjunction()]
        while self.takes_word("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else tree.Or(self.verdicts(parts, start))

    def conjunction(self) -> Expr:
        start = self.next.start
        parts = [self.negation()]
        while self.takes_word("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else tree.And(self.verdicts(parts, start))

    def verdicts(self, parts: list[Expr], start: int) -> tuple[Expr, ...]:
        for part in parts:
            rule_types.need(self, part, start, FactType.BOOLEAN)
        return tuple(parts)

    def negation(self) -> Expr:
        start = self.next.start
        if not self.takes_word("not"):
            return self.predicate()
        self.deeper(start)
        of = self.negation()
        self.depth -= 1
        rule_types.need(self, of, start, FactType.BOOLEAN)
        return tree.Not(of)

    def predicate(self) -> Expr:
        start = self.next.start
        left = self.sum()
        expr = self.compared(left, start)
        if expr is not left and (self.next.is_sign(*_COMPARISONS) or self.next.is_word("is", "in", "between")):
            self.refuse("rule.chained", self.next.start, "比较不能连写，请用 and 分开或加括号",
                        "comparisons may not be chained; join them with `and` or use parentheses")  # fmt: skip
        return expr

    def compared(self, left: Expr, start: int) -> Expr:
        token = self.next
        if token.is_sign(*_COMPARISONS):
            self.take()
            right = self.sum()
            sign = cast("tree.ComparisonSign", token.text)
            rule_types.need_comparable(self, (left, right), token.start, ordered=sign not in ("=", "<>"))
            return tree.Comparison(sign, left, right)
        if self.takes_word("is"):
            negated = self.takes_word("not")
            self.need_word("null")
            return tree.IsNull(left, negated)
        negated = self.takes_word("not")
        if self.takes_word("in"):
            return tree.OneOf(left, self.listed(left, start), negated)
        if self.takes_word("between"):
            low = self.sum()
            self.need_word("and")
            high = self.sum()
            rule_types.need_comparable(self, (left, low, high), start, ordered=True)
            return tree.Between(left, low, high, negated)
        if negated:
            self.refuse_token("in 或 between", "`in` or `between`")
        return left

    def listed(self, left: Expr, start: int) -> tuple[Expr, ...]:
        self.deeper(self.next.start)
        self.need_sign("(")
        among = [self.sum()]
        while self.takes_sign(","):
            among.append(self.sum())
        self.need_sign(")")
        self.depth -= 1
        rule_types.need_comparable(self, (left, *among), start, ordered=False)
        return tuple(among)

    def sum(self) -> Expr:
        return self.chain(("+", "-"), self.product)

    def product(self) -> Expr:
        return self.chain(("*", "/"), self.unary)

    def chain(self, signs: tuple[str, str], operand: Callable[[], Expr]) -> Expr:
        start = self.next.start
        first = operand()
        rest: list[tuple[tree.ArithmeticSign, Expr]] = []
        while self.next.is_sign(*signs):
            sign = self.take()
            term = operand()
            rule_types.need(self, term, sign.start, FactType.NUMBER)
            rest.append((cast("tree.ArithmeticSign", sign.text), term))
        if not rest:
            return first
        rule_types.need(self, first, start, FactType.NUMBER)
        return tree.Arithmetic(first, tuple(rest))

    def unary(self) -> Expr:
        start = self.next.start
        if not self.takes_sign("-"):
            return self.term()
        self.deeper(start)
        of = self.unary()
        self.depth -= 1
        rule_types.need(self, of, start, FactType.NUMBER)
        if isinstance(of, tree.Constant) and isinstance(of.value, float):
            return tree.number(-of.value)
        return tree.Negative(of)

    def term(self) -> Expr:
        token = self.take()
        if token.is_sign("("):
            self.deeper(token.start)
            expr = self.disjunction()
            self.need_sign(")")
            self.depth -= 1
            return expr
        if token.kind == "number":
            return self.number(token)
        if token.kind == "text":
            return tree.text(token.text[1:-1].replace("''", "'"))
        if token.kind == "quoted":
            return self.fact(token.text[1:-1].replace('""', '"'), token)
        if token.kind == "name":
            return self.word(token)
        self.at -= token.kind != "end"
        return self.refuse_token("事实、数字或括号", "a fact, a number or a parenthesis")

    def number(self, token: Token) -> Expr:
        value = float(token.text)
        if value > _NUMBER_MAX:
            self.refuse("rule.number", token.start, "数字太大", "the number is too large")
        return tree.number(value)

    def word(self, token: Token) -> Expr:
        word = token.text.lower()
        if word in ("true", "false"):
            return tree.TRUE if word == "true" else tree.FALSE
        if word == "null":
            return tree.NULL
        if word == "case":
            return self.case(token)
        if word == "date" and self.next.kind == "text":
            return self.date(self.take())
        if self.next.is_sign("("):
            return rule_types.function(self, token)
        if word in KEYWORDS:
            self.at -= 1
            self.refuse_token("事实、数字或括号", "a fact, a number or a parenthesis")
        return self.fact(token.text, token)

    def date(self, token: Token) -> Expr:
        try:
            value = date.fromisoformat(token.text[1:-1]) if len(token.text) == 12 else None
        except ValueError:
            value = None
        if value is None:
            self.refuse("rule.date", token.start, f"{token.text} 不是日期，应写作 date '2025-12-31'",
                        f"{token.text} is not a date; write date '2025-12-31'")  # fmt: skip
        return tree.Constant(value, FactType.DATE)

    def fact(self, name: str, token: Token) -> Expr:
        if name in self.empty:
            return tree.NULL
        fact = self.vocabulary.get(name)
        if fact is None:
            near = self.vocabulary.suggestion(name)
            shown = name[:64]
            hint_zh, hint_en = (f"，是否指 {near}", f"; did you mean `{near}`?") if near else ("", "")
            refuse("rule.unknown_fact", self.text, token.start, f"没有名为 {shown} 的事实{hint_zh}",
                   f"unknown fact `{shown}`{hint_en}", found=shown, expected=near)  # fmt: skip
        if fact.outcome:
            self.refuse("rule.outcome", token.start, f"{fact.name} 只有事后才知道，规则不能使用",
                        f"`{fact.name}` is known only after the outcome; no rule may read it")  # fmt: skip
        rule_types.need_reach(self, fact, token.start)
        return tree.FactRef(fact.name, fact.grain, fact.type)

    def case(self, token: Token) -> Expr:
        self.deeper(token.start)
        subject = None if self.next.is_word("when") else self.sum()
        branches: list[tuple[Expr, Expr]] = []
        while self.takes_word("when"):
            start = self.next.start
            condition = self.disjunction() if subject is None else self.sum()
            if subject is None:
                rule_types.need(self, condition, start, FactType.BOOLEAN)
            else:
                rule_types.need_comparable(self, (subject, condition), start, ordered=False)
                condition = tree.Comparison("=", subject, condition)
            self.need_word("then")
            branches.append((condition, self.disjunction()))
        if not branches:
            self.refuse_token("when", "`when`")
        otherwise = self.disjunction() if self.takes_word("else") else tree.NULL
        self.need_word("end")
        self.depth -= 1
        rule_types.need_same(self, (*(outcome for _, outcome in branches), otherwise), token.start)
        return tree.Case(tuple(branches), otherwise)
