"""How Chinese is read: the pinyin of a text without tones, by the longest known phrase, else by its commonest reading.

A character with several readings is read in its phrase (重庆 chong qing, 银行 yin hang). Where the phrase changes the
reading, the plain one is offered too, because people type either.
"""

import unicodedata
from functools import lru_cache

from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

LONGEST = 4
_v = str.maketrans({"ü": "v", "ê": "e"})


@lru_cache(maxsize=4_096)
def without_tone(syllable: str) -> str:
    """`zhōng` as `zhong`, `lǜ` as `lv`: what is typed."""
    kept = [one for one in unicodedata.normalize("NFD", syllable) if one not in "\u0300\u0301\u0304\u030c"]
    return unicodedata.normalize("NFC", "".join(kept)).translate(_v)


@lru_cache(maxsize=1)
def plain_readings() -> dict[str, str]:
    """The commonest reading of each character."""
    read = {chr(code): without_tone(said.split(",", 1)[0]) for code, said in pinyin_dict.items()}
    return {character: said for character, said in read.items() if said.isascii() and said.isalpha()}


@lru_cache(maxsize=1)
def special_phrases() -> dict[str, tuple[str, ...]]:
    """The phrases that are not read as their characters are."""
    plain, found = plain_readings(), {}
    for phrase, said in phrases_dict.items():
        if len(phrase) <= LONGEST and len(said) == len(phrase):
            read = tuple(without_tone(one[0]) for one in said)
            if read != tuple(plain.get(one, "") for one in phrase):
                found[phrase] = read
    return found


def by_phrase(run: str) -> dict[int, str]:
    """The places of a text whose reading a phrase changes, with that reading. The longest phrase wins."""
    special, plain, found, place = special_phrases(), plain_readings(), {}, 0
    while place < len(run) - 1:
        step = 1
        for length in range(min(LONGEST, len(run) - place), 1, -1):
            read = special.get(run[place : place + length])
            if read is not None:
                found |= {place + n: one for n, one in enumerate(read) if one != plain.get(run[place + n])}
                step = length
                break
        place += step
    return found


def readings(run: str) -> tuple[tuple[str, ...], ...]:
    """The readings of an unbroken run of Chinese: by phrases first; by single characters too, where that differs."""
    plain, special = plain_readings(), by_phrase(run)
    alone = tuple(plain.get(one, "") for one in run)
    if not special:
        return (alone,)
    return tuple(special.get(place, one) for place, one in enumerate(alone)), alone


@lru_cache(maxsize=1)
def syllables() -> tuple[str, ...]:
    """Every syllable that a character can have, in plain letters; its place here is its number in the index."""
    every = set(plain_readings().values())
    for said in pinyin_dict.values():
        every.update(without_tone(one) for one in said.split(","))
    return tuple(sorted(one for one in every if one.isascii() and one.isalpha()))


@lru_cache(maxsize=1)
def _known() -> tuple[frozenset[str], frozenset[str]]:
    whole = frozenset(syllables())
    return whole, frozenset(one[:length] for one in whole for length in range(1, len(one) + 1))


@lru_cache(maxsize=4_096)
def splits(letters: str, most: int = 24) -> tuple[tuple[str, ...], ...]:
    """The ways to read letters as syllables of which the last may be unfinished; the fewest syllables first."""
    whole, heads = _known()
    found: list[tuple[str, ...]] = []
    waiting: list[tuple[tuple[str, ...], str]] = [((), letters)]
    while waiting and len(found) < most:
        done, rest = waiting.pop(0)
        if rest in heads and (done or len(rest) > 1):
            found.append((*done, rest))
        for length in range(min(6, len(rest) - 1), 0, -1):
            if rest[:length] in whole and len(waiting) < 512:
                waiting.append(((*done, rest[:length]), rest[length:]))
    return tuple(sorted(found, key=len))


@lru_cache(maxsize=512)
def finished(head: str) -> tuple[str, ...]:
    """The syllables that begin so; the head itself is one of them when it is a whole syllable."""
    return tuple(one for one in syllables() if one.startswith(head))
