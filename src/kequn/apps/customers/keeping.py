"""Answers about a part of the book, kept in each process until an act of the audit chain may have changed the book.

Every change of customers, facilities, groups and findings is a transaction that leaves one line in the audit chain; so
what was found since the last line that could have changed them still stands. The mark of that line, the reader's scope
and the question are the key of what is kept: a new publication, another scope and another reader have another key.
Acts are taken to change the book unless they are named in QUIET. A chain without a line keeps nothing.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from kequn.apps.accounts.access import Person
from kequn.apps.audit.bulk import Numbers, numbers_of
from kequn.apps.audit.models import GENESIS
from kequn.apps.audit.selectors import last_hash, last_line_but
from kequn.apps.audit.services import is_writing
from kequn.apps.customers.selectors import scope_of, visible_to

MOST = 512  # answers of one process; a set of customers takes a bit for each of the book, most others less
WHOLE_BOOK = ("book",)  # the scope of what shows nobody anything by itself
QUIET = frozenset({  # acts that leave customers, facilities, groups and standing findings as they are
    "accounts.active", "accounts.add", "accounts.change", "accounts.oidc", "accounts.password.own",
    "accounts.password.reset", "accounts.preferences", "accounts.sessions.end", "accounts.team", "accounts.token",
    "accounts.token_removed", "accounts.totp.begin", "accounts.totp.codes", "accounts.totp.off", "accounts.totp.on",
    "accounts.totp.reset", "accounts.totp.used", "accounts.unlock", "accounts.user", "accounts.view",
    "accounts.view_removed", "assessments.hierarchy", "assessments.pin", "assessments.pin_ended", "briefings.batch",
    "briefings.batch_made", "briefings.cancel", "briefings.overview", "briefings.report", "customers.export",
    "discoveries.ask", "discoveries.end", "discoveries.keep", "governance.discard", "governance.draft",
    "governance.propose", "governance.refuse", "governance.submit", "governance.withdraw", "import.refused",
    "mapping.keep", "mapping.remove", "mapping.rename", "projects.actual", "projects.simulate", "projects.simulated",
    "ratings.begin", "ratings.covenant", "ratings.covenant_ended", "ratings.discard", "ratings.report",
    "ratings.rerate", "ratings.revise", "ratings.sample", "ratings.scored", "ratings.submit", "run.replay",
    "sign_in", "sign_in.failed", "sign_out",
})  # fmt: skip

Answer = TypeVar("Answer")
_answers: OrderedDict[tuple[object, ...], Any] = OrderedDict()
_mark = GENESIS  # of the answers that are kept
_lock = Lock()


def kept(*, person: Person | None, question: tuple[object, ...], work: Callable[[], Answer], at: str = "") -> Answer:
    """The answer to a question about the person's part of the book; `work` answers where it is not kept.

    `question` names what is asked and every argument that the answer depends on beside the records and the scope.
    Without a person it is about the whole book, whoever reads. `at` is the mark of the book where the caller has just
    read it. Nobody may change what is answered: the next reader of the same scope gets the same object. Inside a
    transaction that writes nothing is kept, because its own line is not in the chain yet.
    """
    global _mark  # noqa: PLW0603 - one process keeps the answers of one mark
    mark = at or book_mark()
    if mark == GENESIS or is_writing():
        return work()
    key = (mark, WHOLE_BOOK if person is None else scope_of(person), question)
    with _lock:
        if mark != _mark:
            _answers.clear()
            _mark = mark
        if key in _answers:
            _answers.move_to_end(key)
            return cast("Answer", _answers[key])
    answer = work()
    with _lock:
        _answers[key] = answer
        if len(_answers) > MOST:
            _answers.popitem(last=False)
    return answer


def kept_numbers(*, person: Person, question: tuple[object, ...], work: Callable[[], Numbers], at: str = "") -> Numbers:
    """Numbers of customers, smallest first, each once; kept as one bit for each customer of the book."""
    bits = kept(person=person, question=question, work=lambda: _as_bits(work()), at=at)
    return np.flatnonzero(np.unpackbits(bits))


def _as_bits(numbers: Numbers) -> NDArray[np.uint8]:
    mask = np.zeros(1 + int(numbers.max(initial=-1)), np.bool_)
    mask[numbers] = True
    return np.packbits(mask)


def numbers_visible_to(person: Person, at: str = "") -> Numbers:
    """The numbers of all customers that the person may see, smallest first."""
    return kept_numbers(
        person=person, question=("visible",), work=lambda: numbers_of(visible_to(person), "pk")[0], at=at
    )


def book_mark() -> str:
    """The hash of the last audit line that may have changed the book. It is read before the records are."""
    return _loud_line(last_hash())


@lru_cache(maxsize=8)
def _loud_line(_head: str) -> str:
    """The chain up to a head never changes, so its last loud line is looked for once."""
    return last_line_but(QUIET)


def forget() -> None:
    """Keep nothing more, for who changes records beside the audit chain, as tests do."""
    with _lock:
        _answers.clear()
    _loud_line.cache_clear()
