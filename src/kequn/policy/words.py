"""How a value of a closed list is said: `product` `term_loan` is 定期贷款, a term loan."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kequn.domain.errors import Place, Text
from kequn.policy.documents import Complaints, label_of, read_document
from kequn.policy.pack import Pack

FILE = "words.yaml"
ANY = "any"


@dataclass(frozen=True, slots=True)
class Words:
    """Texts by fact or finding, then by value; `any` holds where a fact has no word of its own."""

    texts: Mapping[str, Mapping[str, Text]]

    def of(self, name: str, value: str) -> Text:
        """The words for a value; the value itself in both languages where none are written."""
        own = self.texts.get(name, {}).get(value) or self.texts.get(ANY, {}).get(value)
        return own or Text(value, value)

    def knows(self, name: str, value: str) -> bool:
        return value in self.texts.get(name, {}) or value in self.texts.get(ANY, {})


def words_of(pack: Pack) -> Words:
    """The words of a pack; Refused where a word lacks a language."""
    return _read(pack.folder, pack.digest)


@lru_cache(maxsize=8)
def _read(folder: Path, _digest: str) -> Words:
    complaints = Complaints()
    document = read_document(folder / FILE, complaints)
    texts = {
        str(name): {
            str(value): label_of(said, Place(FILE, str(name), None, str(value)), complaints)
            for value, said in rows.items()
        }
        for name, rows in document.body.get("words", {}).items()
    }
    complaints.settle(folder.name)
    return Words(texts)
