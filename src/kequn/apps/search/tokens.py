"""The tokens of texts, as whole numbers: made for many texts at once, and one by one for a question.

Texts are squeezed first: one width, small letters, no spaces or signs. A token is its form and what it holds:

    CHARACTER  中         PAIR     中国, 中a    TRIPLE    abc, 123 (nothing Chinese in it)
    HEAD       ^中        HEAD2    ^中国       the beginning of a text
    SYLLABLE   zhong      SYLLABLES  zhong guo
    INITIALS2  zg         INITIALS3  zgy       INITIAL_HEAD ^z   INITIAL_HEAD2 ^zg

Characters beyond 16 bits, and beyond 13 in triples, share their token with others; nobody's name is hurt by it.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kequn.apps.search.readings import LONGEST, by_phrase, plain_readings, special_phrases, syllables

Numbers = NDArray[np.int64]
CHINESE = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007\U00020000-\U0003ffff"
LONGEST_TEXT = 300
PLACE_BITS = 16
_dropped = re.compile(r"[\W_]+")
_chinese = re.compile(f"[{CHINESE}]")


class Form(IntEnum):
    CHARACTER = 1
    PAIR = 2
    TRIPLE = 3
    HEAD = 4
    HEAD2 = 5
    SYLLABLE = 6
    SYLLABLES = 7
    INITIALS2 = 8
    INITIALS3 = 9
    INITIAL_HEAD = 10
    INITIAL_HEAD2 = 11


WIDTH = {
    Form.CHARACTER: 16, Form.PAIR: 16, Form.TRIPLE: 13, Form.HEAD: 16, Form.HEAD2: 16, Form.SYLLABLE: 10,
    Form.SYLLABLES: 10, Form.INITIALS2: 5, Form.INITIALS3: 5, Form.INITIAL_HEAD: 5, Form.INITIAL_HEAD2: 5,
}  # fmt: skip


def squeezed(text: str) -> str:
    """One form for texts and questions: half width, small letters, no spaces, no signs."""
    return _dropped.sub("", unicodedata.normalize("NFKC", text).casefold())[:LONGEST_TEXT]


def is_chinese(character: str) -> bool:
    return _chinese.match(character) is not None


def token(form: Form, parts: Iterable[int]) -> int:
    """One token from the numbers of its characters, syllables or letters."""
    value = 0
    for one in parts:
        value = value << WIDTH[form] | one & ((1 << WIDTH[form]) - 1)
    return int(form) << 40 | value


def of_characters(form: Form, text: str) -> int:
    return token(form, map(ord, text))


def of_initials(form: Form, letters: str) -> int:
    return token(form, (ord(one) - 96 for one in letters))


def of_syllables(*spoken: str) -> int:
    form = Form.SYLLABLE if len(spoken) == 1 else Form.SYLLABLES
    return token(form, (_syllable_numbers()[one] for one in spoken))


@lru_cache(maxsize=1)
def _syllable_numbers() -> dict[str, int]:
    return {one: number for number, one in enumerate(syllables(), start=1)}


# --- many texts at once -------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.bool_], Numbers, Numbers, Numbers]:
    """By character: is it Chinese, which syllable; by syllable: its initial; how special phrases begin."""
    chinese = np.zeros(1 << 16, np.bool_)
    for first, last in ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x3007, 0x3007)):
        chinese[first : last + 1] = True
    said, numbers = np.zeros(1 << 16, np.int64), _syllable_numbers()
    for character, syllable in plain_readings().items():
        if ord(character) < 1 << 16:
            said[ord(character)] = numbers[syllable]
    initials = np.array([0, *(ord(one[0]) - 96 for one in syllables())], np.int64)
    heads = {of_characters(Form.PAIR, one[:2]) for one in special_phrases()}
    return chinese, said, initials, np.array(sorted(heads), np.int64)


def tokens_of(texts: Sequence[tuple[int, Sequence[str]]]) -> Numbers:
    """All tokens of many records, each a place and its texts: sorted, each once, as `token << 16 | place`."""
    if not texts:
        return np.zeros(0, np.int64)
    joined = "\0\0" + "\0\0".join(one for _, some in texts for one in some) + "\0\0"
    wide = np.frombuffer(joined.encode("utf-32-le"), np.uint32).astype(np.int64)
    lengths = np.fromiter((sum(len(one) + 2 for one in some) for _, some in texts), np.int64, len(texts))
    places = np.repeat(np.fromiter((place for place, _ in texts), np.int64, len(texts)), lengths)
    places = np.concatenate([np.zeros(2, np.int64), places])
    table, said, initials, heads = _tables()
    code = wide & 0xFFFF
    chinese = np.where(wide < 1 << 16, table[code], wide >= 0x20000)
    spoken = np.where(wide < 1 << 16, said[code], 0)
    made = [*_of_characters(code, chinese, places)]
    by_context = _corrected(joined, code, spoken, heads)
    for read, fresh in ((by_context, None), (spoken, by_context != spoken)):
        if fresh is None or fresh.any():
            made += _of_readings(read, initials[read], code, places, fresh)
    return once(np.concatenate(made))


def once(values: Numbers) -> Numbers:
    """Sorted, each once (numpy's own `unique` goes through a hash table, ten times slower here)."""
    ordered = np.sort(values)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def _keys(form: Form, parts: Sequence[Numbers], where: NDArray[np.bool_], places: Numbers) -> Numbers:
    value = np.zeros(int(where.sum()), np.int64)
    mask = (1 << WIDTH[form]) - 1
    for one in parts:
        value = value << WIDTH[form] | one[where] & mask
    return (np.int64(int(form) << 40) | value) << PLACE_BITS | places[where]


def _of_characters(code: Numbers, chinese: NDArray[np.bool_], places: Numbers) -> Iterable[Numbers]:
    """Every array is read at i - 1, i, i + 1 and i + 2; two zeros stand between texts, so no token spans two."""
    before, here, after, third = code[:-3], code[1:-2], code[2:-1], code[3:]
    place = places[1:-2]
    han, next_han, third_han = chinese[1:-2], chinese[2:-1], chinese[3:]
    some, pair, triple = here > 0, (here > 0) & (after > 0), (here > 0) & (after > 0) & (third > 0)
    start = some & (before == 0)
    yield _keys(Form.CHARACTER, (here,), han, place)
    yield _keys(Form.PAIR, (here, after), pair & (han | next_han), place)
    yield _keys(Form.TRIPLE, (here, after, third), triple & ~(han | next_han | third_han), place)
    yield _keys(Form.HEAD, (here,), start, place)
    yield _keys(Form.HEAD2, (here, after), start & pair, place)


def _of_readings(
    read: Numbers, initial: Numbers, code: Numbers, places: Numbers, fresh: NDArray[np.bool_] | None
) -> Iterable[Numbers]:
    """The tokens of what is said; with `fresh` only those that touch a place that is said in another way."""
    here, after = read[1:-2], read[2:-1]
    first, second, third = initial[1:-2], initial[2:-1], initial[3:]
    place, start = places[1:-2], (code[:-3] == 0) & (here > 0)
    pair = (here > 0) & (after > 0)
    triple = pair & (read[3:] > 0)
    one = np.ones(len(here), np.bool_) if fresh is None else fresh[1:-2]
    two = one if fresh is None else one | fresh[2:-1]
    three = one if fresh is None else two | fresh[3:]
    return [
        _keys(Form.SYLLABLE, (here,), (here > 0) & one, place),
        _keys(Form.SYLLABLES, (here, after), pair & two, place),
        _keys(Form.INITIALS2, (first, second), pair & two, place),
        _keys(Form.INITIALS3, (first, second, third), triple & three, place),
        _keys(Form.INITIAL_HEAD, (first,), start & one, place),
        _keys(Form.INITIAL_HEAD2, (first, second), start & pair & two, place),
    ]


def _corrected(joined: str, code: Numbers, spoken: Numbers, heads: Numbers) -> Numbers:
    """What is said when phrases count; looked for only where a special phrase can begin."""
    pairs = np.int64(int(Form.PAIR) << 40) | code[:-1] << 16 | code[1:]
    corrected, numbers, done = spoken.copy(), _syllable_numbers(), -1
    candidates = np.flatnonzero((spoken[:-1] > 0) & np.isin(pairs, heads))
    for start in candidates.tolist():
        if start < done:
            continue
        found = by_phrase(joined[start : start + LONGEST])
        for offset, syllable in found.items():
            corrected[start + offset] = numbers.get(syllable, 0)
        done = start + max(found, default=0)
    return corrected
