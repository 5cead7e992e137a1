"""What facts, findings and their values are called on a page. All of it comes from the policy pack in use."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from kequn.apps.governance.selectors import policy_in_use
from kequn.domain.definitions import Plan
from kequn.domain.errors import Language, Text
from kequn.policy import Pack, build_plan, load_pack
from kequn.policy.documents import Heading
from kequn.policy.items import Item
from kequn.policy.words import words_of

UNKNOWN = "unknown"
SECONDS_UNREAD = 5
BOOLEANS = {"true": Text("是", "yes"), "false": Text("否", "no"), "-": Text("尚无", "not yet")}
MOODS = {
    "high": "good", "middle": "watch", "low": "bad",
    "blue": "unknown", "yellow": "watch", "orange": "bad", "red": "bad",
}  # fmt: skip
__all__ = ["Language", "fact", "headings", "item", "mood", "pack", "value"]


def pack() -> Pack:
    """The policy that this installation uses: looked at once for each page, not for every word."""
    kept = _kept.get()
    if kept is None:
        found = policy_in_use(files=_files(settings.KEQUN_PACK, int(time.monotonic() / SECONDS_UNREAD)))
        if _in_request.get():
            _kept.set(found)
        return found
    return kept


@lru_cache(maxsize=2)
def _files(name: str, _moment: int) -> Pack:
    return load_pack(name)


_in_request: ContextVar[bool] = ContextVar("kequn_labels_in_request", default=False)
_kept: ContextVar[Pack | None] = ContextVar("kequn_policy_of_request", default=None)


class PolicyOfRequest:
    """Middleware: one reading of the policy in use holds for the whole request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        inside, mark = _in_request.set(True), _kept.set(None)
        try:
            return self.get_response(request)
        finally:
            _kept.reset(mark)
            _in_request.reset(inside)


@dataclass(frozen=True, slots=True)
class Names:
    items: dict[str, Item]
    headings: dict[str, Heading]


@lru_cache(maxsize=8)
def _names(used: Pack, as_of: date) -> Names:
    items = {one.name: one for one in used.items(as_of)}
    return Names(items, {one.key: one.heading for one in used.documents(as_of)})


def names(as_of: date | None = None) -> Names:
    return _names(pack(), as_of or timezone.localdate())


def plan() -> Plan:
    """The policy in force today, with the words of what it defines and looks up."""
    return build_plan(pack(), timezone.localdate())


def dimensions() -> list[str]:
    """The classes that the policy gives, in its order."""
    return [one.name for one in plan().findings() if one.kind == "dimension"]


def item(name: str) -> Item | None:
    """What the pack defines under a name today."""
    return names().items.get(name)


def headings() -> dict[str, Heading]:
    """Title, source, date in force and status of the documents in force today."""
    return names().headings


def fact(name: str, language: Language) -> str:
    """The label of a fact or of a definition; its name where it has none."""
    found = item(name)
    if found is not None:
        return found.label.in_language(language)
    known = plan().vocabulary.get(name)
    if known is None:
        return name
    return (known.zh if language == "zh" else known.en) or name


def value(name: str, code: str | None, language: Language) -> str:
    """How a value is said: a class, a choice, yes or no, a dash where there is none."""
    if code is None or code == "":
        return "–"
    words = words_of(pack())
    if not words.knows(name, code) and code in BOOLEANS:
        return BOOLEANS[code].in_language(language)
    return words.of(name, code).in_language(language)


def place(name: str, code: str) -> tuple[int, str]:
    """Where a class stands among its kin: in the order of the words, others by their code, what is unknown last."""
    if code in {UNKNOWN, "-"}:
        return (1_000_000, code)
    ordered = list(words_of(pack()).texts.get(name, {}))
    return (ordered.index(code) if code in ordered else len(ordered), code)


def mood(code: str | None) -> str:
    """The colour class of a state: good, watch, bad or unknown."""
    return "unknown" if not code or code == UNKNOWN else MOODS.get(code, "")


def in_yuan(minor: int | None, currency: str, as_of: date) -> int | None:
    """An amount of a record in fen of yuan, by policy's rate at a date; unknown where policy has no rate."""
    if minor is None or currency in {"", "CNY"}:
        return minor
    rate = pack().cny_per_unit(currency, as_of)
    return None if rate is None else round(minor * rate)
