"""Which rating model would fit a customer that none fits, and with what: so that a rating refused is no dead end."""

from typing import Any

from kequn.apps.assessments.explaining import Known
from kequn.domain.facts import CHILD_GRAINS, Grain
from kequn.domain.rules.plain import reader_of
from kequn.domain.rules.reader import HERE
from kequn.domain.rules.tree import Function, facts_in
from kequn.policy.rating import RatingPolicy
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import language

TABLE = "rating_model"
UNKNOWN = "unknown"
SIZE, LACKS = "size", "size_lacks_"  # the size standard says itself which facts it wants


def models_that_might_fit(known: Known, policy: RatingPolicy) -> list[dict[str, Any]]:
    """Every model in the order in which policy tries them: the condition in words, and the facts of it not known."""
    teller, spoken = Teller(known.pack, known.plan, language(), unit(language())), language()
    item = labels.item(TABLE)
    rows = item.table.get("rows", ()) if item is not None and item.table is not None else ()
    found = []
    for row in rows:
        model = policy.scheme.models.get(row["then"])
        names = [name for name, wanted in row["when"].items() if wanted is True]
        if model is None or not names:
            continue
        missing = dict.fromkeys(fact for name in names for fact in _missing(known, name))
        found.append(
            {
                "label": model.label.in_language(spoken), "why": model.why.in_language(spoken),
                "when": [teller.sentence(known.plan.definition(name).expr) for name in names],
                "missing": [{"fact": fact, "label": teller.name(fact)} for fact in missing],
            }
        )  # fmt: skip
    return found


def _missing(known: Known, name: str) -> tuple[str, ...]:
    """What is not known of a condition. It says no where it cannot tell: what stands before that no is looked at."""
    reader = reader_of(known.plan, known.as_of).reader(known.record)
    defined = {one.name for one in known.plan.definitions}
    expr = known.plan.definition(name).expr
    inner = expr.arguments[0] if isinstance(expr, Function) and expr.name == "coalesce" else expr
    refs = [ref for ref in facts_in(inner) if ref.grain not in CHILD_GRAINS]
    unknown = [ref.name for ref in refs if reader.read(ref) == UNKNOWN or
               (reader.read(inner) is None and reader.read(ref) is None)]  # fmt: skip
    found: dict[str, None] = {}
    for one in unknown:
        if one == SIZE:
            lacks = [other.removeprefix(LACKS) for other in defined if other.startswith(LACKS)]
            found |= dict.fromkeys(
                sorted(fact for fact in lacks if reader.fact(f"{LACKS}{fact}", Grain.CUSTOMER, HERE) is True)
            )
        else:
            found |= dict.fromkeys(known.reason(one).missing if one in defined else (one,))
    return tuple(found)
