"""What a question asks for: each of its words may be read as letters of a text, as initials, or as pinyin."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from kequn.apps.search.readings import finished, readings, splits
from kequn.apps.search.tokens import CHINESE, Form, is_chinese, of_characters, of_initials, of_syllables, squeezed

MOST_WORDS, LONGEST_WORD = 6, 40
_run = re.compile(f"[{CHINESE}]+")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to read a word: a record must have at least one token of each group."""

    groups: tuple[tuple[int, ...], ...]
    starts: int | None = None  # whoever has this token too begins so
    stands_in: str = ""  # must stand in one of its texts, where tokens do not suffice
    sounds: Callable[[str], bool] | None = None  # must hold for one of its texts, where tokens do not suffice
    is_spoken: bool = False


def words_of(question: str) -> list[str]:
    """The words of a question, squeezed; what is beyond measure is left out."""
    words = (squeezed(one)[:LONGEST_WORD] for one in question[:400].split())
    return list(dict.fromkeys(one for one in words if one))[:MOST_WORDS]


def ways_of(word: str) -> tuple[Way, ...]:
    """The ways to read one squeezed word."""
    if word.isascii() and word.isalpha():
        return (_letters(word), _initials(word), *_syllables(word))
    return (_letters(word) if _run.search(word) is None else _chinese(word),)


def _letters(word: str) -> Way:
    """Letters and digits: one or two begin a text, three and more stand anywhere in it."""
    if len(word) < 3:
        start = of_characters(Form.HEAD if len(word) == 1 else Form.HEAD2, word)
        return Way(((start,),), start)
    start = of_characters(Form.HEAD2, word[:2])
    triples = dict.fromkeys(of_characters(Form.TRIPLE, word[place : place + 3]) for place in range(len(word) - 2))
    return Way(tuple((one,) for one in triples), start, word if len(word) > 3 else "")


def _chinese(word: str) -> Way:
    if len(word) == 1:
        return Way(((of_characters(Form.CHARACTER, word),),), of_characters(Form.HEAD, word))
    pairs = dict.fromkeys(
        of_characters(Form.PAIR, word[place : place + 2])
        for place in range(len(word) - 1)
        if is_chinese(word[place]) or is_chinese(word[place + 1])
    )
    start = of_characters(Form.HEAD2, word[:2])
    return Way(tuple((one,) for one in pairs), start, word if len(word) > 2 else "")


def _initials(word: str) -> Way:
    if len(word) == 1:
        start = of_initials(Form.INITIAL_HEAD, word)
        return Way(((start,),), start, is_spoken=True)
    form, size = (Form.INITIALS2, 2) if len(word) == 2 else (Form.INITIALS3, 3)
    grams = dict.fromkeys(of_initials(form, word[place : place + size]) for place in range(len(word) - size + 1))
    sounds = None if len(word) <= 3 else lambda text: any(word in one for one in _initials_of(text))
    return Way(tuple((one,) for one in grams), of_initials(Form.INITIAL_HEAD2, word[:2]), sounds=sounds, is_spoken=True)


def _initials_of(text: str) -> list[str]:
    return ["".join(one[:1] or " " for one in read) for run in _run.findall(text) for read in readings(run)]


def _syllables(word: str) -> list[Way]:
    found = []
    for split in splits(word):
        if all(len(one) == 1 for one in split):
            continue
        *whole, last = split
        groups = [(of_syllables(*pair),) for pair in pairwise(whole)]
        before = whole[-1:]
        groups.append(tuple(of_syllables(*before, one) for one in finished(last)))
        start = of_initials(Form.INITIAL_HEAD2, split[0][0] + split[1][0]) if whole else None
        sounds = _spoken_test(" " + " ".join(split)) if len(split) > 2 else None
        found.append(Way(tuple(groups), start, sounds=sounds, is_spoken=True))
    return found


def _spoken_test(spoken: str) -> Callable[[str], bool]:
    def sounds(text: str) -> bool:
        return any(spoken in " " + " ".join(read) for run in _run.findall(text) for read in readings(run))

    return sounds
