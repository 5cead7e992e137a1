"""In which facts a committee lets groups be looked for, and which divisions of the book they are held against."""

from dataclasses import dataclass
from datetime import date

from kequn.domain.errors import Place
from kequn.policy.documents import Complaints
from kequn.policy.pack import Pack
from kequn.policy.planning import build_plan

DOCUMENT = "modelling"
LISTS = ("features", "compare")


@dataclass(frozen=True, slots=True)
class Offered:
    features: tuple[str, ...]
    compare: tuple[str, ...]


def offered_for(pack: Pack, as_of: date) -> Offered:
    """What policy offers on a day; nothing where it says nothing. Refused, with each place, for an unknown word."""
    document = next((one for one in pack.documents(as_of) if one.key == DOCUMENT), None)
    if document is None or "discovery" not in document.body:
        return Offered((), ())
    body, complaints = document.body["discovery"], Complaints()
    known = build_plan(pack, as_of).vocabulary
    for key in LISTS:
        for number, name in enumerate(body.get(key, ()), start=1):
            if name not in known:
                place = Place(document.heading.file, f"discovery.{key}", number, str(name))
                complaints.add(place, key, "没有此事实", "there is no such fact", found=name)
    complaints.settle(pack.id)
    return Offered(tuple(body.get("features", ())), tuple(body.get("compare", ())))
