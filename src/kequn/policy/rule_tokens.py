"""Rule text cut into tokens, and the guards that come before any parsing.

A text is refused here when it is too long, holds a comment, a semicolon, a control character or any sign
outside the small set of the rule grammar. Every token keeps its place, so that a message can name it.
"""

import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from kequn.domain.errors import Finding, Refused, Text

LONGEST_TEXT = 20_000
MOST_TOKENS = 5_000
DEEPEST = 32

TokenKind = Literal["name", "quoted", "text", "number", "sign", "space", "comment", "end"]

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<comment>--|/\*|\#)
      | (?P<text>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<sign><>|<=|>=|[()=<>+\-*/,])""",
    re.VERBOSE,
)
_FULL_WIDTH = dict(zip("（），；＝＜＞＋－＊／“”‘’　", "(),;=<>+-*/\"\"'' ", strict=True))


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str
    start: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "name" and self.text.lower() in words

    def is_sign(self, *signs: str) -> bool:
        return self.kind == "sign" and self.text in signs


def refuse(code: str, text: str, start: int, zh: str, en: str, *, found: str = "", expected: str = "") -> NoReturn:
    """Refuse a rule text and name the place: line and character, both counted from 1."""
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    said = Text(f"第 {line} 行第 {column} 个字符：{zh}", f"line {line}, character {column}: {en}")
    finding = Finding(code, said, found=found, expected=expected)
    raise Refused(said, (finding,))


def tokens_of(text: str) -> tuple[Token, ...]:
    """The tokens of a rule text, ending with one of kind `end`."""
    _guard(text)
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            _refuse_character(text, position)
        kind = match.lastgroup
        if kind == "comment":
            refuse("rule.comment", text, position, "规则中不能写注释", "a rule may not hold a comment")
        if kind != "space":
            tokens.append(Token(kind, match.group(), position))  # type: ignore[arg-type]  # group names are kinds
            _refuse_glued(text, tokens[-1], match.end())
        if len(tokens) > MOST_TOKENS:
            refuse("rule.tokens", text, position, f"规则超过 {MOST_TOKENS} 个词",
                   f"a rule may have at most {MOST_TOKENS} words and signs")  # fmt: skip
        position = match.end()
    tokens.append(Token("end", "", len(text)))
    return tuple(tokens)


def _guard(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        refuse("rule.length", text, LONGEST_TEXT, f"规则超过 {LONGEST_TEXT} 个字符",
               f"a rule may have at most {LONGEST_TEXT} characters; this one has {len(text)}")  # fmt: skip
    for position, character in enumerate(text):
        if (character < " " and character not in "\t\r\n") or "\ud800" <= character <= "\udfff":
            refuse("rule.character", text, position, "规则中有控制字符", "a control character in the rule")


def _refuse_character(text: str, position: int) -> NoReturn:
    character = text[position]
    if character in "'\"":
        refuse("rule.unclosed", text, position, "引号没有闭合", "a quotation mark without its closing one",
               found=character)  # fmt: skip
    if character in _FULL_WIDTH:
        meant = _FULL_WIDTH[character]
        refuse("rule.character", text, position, f"全角字符“{character}”，请改用“{meant}”",
               f"full-width {character!r}; write {meant!r}", found=character, expected=meant)  # fmt: skip
    refuse("rule.character", text, position, f"规则中不能有“{character}”", f"{character!r} has no place in a rule",
           found=character)  # fmt: skip


def _refuse_glued(text: str, token: Token, end: int) -> None:
    """`5abc`, `1_000`, `0x1F`, `E'..'` and `'a''b'c` are not what they seem: a word must stand apart."""
    if end >= len(text):
        return
    after = text[end]
    word_follows = after == "_" or after.isalnum()
    if (token.kind == "number" and (word_follows or after == ".")) or (
        token.kind in ("text", "quoted") and (word_follows or after in "'\"")
    ):
        refuse("rule.glued", text, end, f"“{token.text[-12:]}”之后缺少空格或运算符",
               f"a space or an operator is missing after {token.text[-12:]!r}")  # fmt: skip
    if token.kind == "name" and after in "'\"":
        if token.is_word("date"):
            return
        refuse(
            "rule.glued", text, end, "引号之前缺少空格或运算符", "a space or an operator is missing before the quote"
        )
