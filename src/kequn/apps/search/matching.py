"""Which records answer a question, as a mask over all record numbers of a kind. Nothing here knows of scope."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from kequn.apps.search.asking import Way, ways_of, words_of
from kequn.apps.search.models import BLOCK, SHELF, Kind, Posting, Shelf
from kequn.apps.search.postings import Mask, put
from kequn.apps.search.services import read_lines
from kequn.apps.search.tokens import Numbers, once

HEARD_AT_MOST = 3_000  # longer pinyin is checked against so many texts; beyond, its neighbouring syllables suffice
RANKED_AT_MOST = 5_000
CHUNK = 5_000
Postings = dict[int, list[tuple[int, bytes]]]


@dataclass(slots=True)
class Answer:
    """The records of one kind: all that answer, those that begin with the question, those that are it exactly."""

    all: Numbers
    begins: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    exact: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))


def answers(question: str) -> dict[Kind, Answer]:
    """The records of every kind that answer all words of the question."""
    words = words_of(question)
    read = [ways_of(word) for word in words]
    wanted = {token for ways in read for way in ways for group in way.groups for token in group}
    wanted |= {way.starts for ways in read for way in ways if way.starts is not None}
    held: dict[int, Postings] = defaultdict(lambda: defaultdict(list))
    rows = Posting.objects.filter(token__in=wanted) if wanted else Posting.objects.none()
    for kind, token, block, members in rows.order_by().values_list("kind", "token", "block", "members"):
        held[kind][token].append((block, members))
    return {kind: _Kind(kind, held[kind]).answer(words, read) for kind in Kind}


@dataclass(slots=True)
class _Kind:
    kind: Kind
    held: Postings
    size: int = 0
    texts: dict[int, str] = field(default_factory=dict)
    shelves: set[int] = field(default_factory=set)

    def answer(self, words: list[str], read: list[tuple[Way, ...]]) -> Answer:
        self.size = (1 + max((block for some in self.held.values() for block, _ in some), default=-1)) * BLOCK
        if not self.size or not words:
            return Answer(np.zeros(0, np.int64))
        found, starts = np.ones(self.size, np.bool_), np.zeros(self.size, np.bool_)
        for ways in read:
            here = np.zeros(self.size, np.bool_)
            for way in ways:
                met = self._met(way, found)
                here |= met
                if way.starts is not None:
                    starts |= met & self._mask((way.starts,))
            found &= here
        begins = np.flatnonzero(found & starts)
        exact = np.zeros(0, np.int64)
        if len(begins) <= RANKED_AT_MOST:
            begins, exact = self._ranked(begins, words, spoken=any(way.is_spoken for ways in read for way in ways))
        return Answer(np.flatnonzero(found), begins, exact)

    def _mask(self, tokens: tuple[int, ...]) -> Mask:
        mask = np.zeros(self.size, np.bool_)
        for token in tokens:
            for block, members in self.held.get(token, ()):
                put(mask, block, members)
        return mask

    def _met(self, way: Way, among: Mask) -> Mask:
        met = among.copy()
        for group in way.groups:
            met &= self._mask(group)
        if way.stands_in:
            met &= self._holding(way.stands_in, np.flatnonzero(met))
        elif way.sounds is not None:
            numbers = np.flatnonzero(met)
            if len(numbers) <= HEARD_AT_MOST:
                self._read(numbers)
                sounds, texts = way.sounds, self.texts
                met[:] = False
                met[[one for one in numbers.tolist() if any(map(sounds, texts.get(one, "").split("\t")))]] = True
        return met

    def _holding(self, word: str, among: Numbers) -> Mask:
        """The records in whose texts the word stands; looked up on the shelves of these numbers."""
        mask = np.zeros(self.size, np.bool_)
        wanted = once(among // SHELF).tolist()
        for start in range(0, len(wanted), CHUNK):
            rows = Shelf.objects.filter(kind=self.kind, number__in=wanted[start : start + CHUNK])
            for number, lines in rows.order_by().values_list("number", "lines"):
                places = [place for place, texts in enumerate(lines.split("\n")) if word in texts]
                mask[number * SHELF : (number + 1) * SHELF][places] = True
        return mask

    def _ranked(self, begins: Numbers, words: list[str], *, spoken: bool) -> tuple[Numbers, Numbers]:
        """Of those that share the first two characters, who truly begins so, and who is it exactly."""
        whole = "".join(words)
        self._read(begins)
        kept, exact = [], []
        for one in begins.tolist():
            texts = self.texts.get(one, "").split("\t")
            if whole in texts:
                exact.append(one)
            elif spoken or any(text.startswith(whole) for text in texts):
                kept.append(one)
        return np.array(kept, np.int64), np.array(exact, np.int64)

    def _read(self, numbers: Numbers) -> None:
        """Fetch the texts of these records, shelf by shelf."""
        wanted = sorted(set(once(numbers // SHELF).tolist()) - self.shelves)
        self.shelves.update(wanted)
        for start in range(0, len(wanted), CHUNK):
            rows = Shelf.objects.filter(kind=self.kind, number__in=wanted[start : start + CHUNK])
            for number, lines in rows.order_by().values_list("number", "lines"):
                self.texts.update(read_lines(number, lines))
