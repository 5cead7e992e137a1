"""What one customer is worth in a year, line by line, and its group with it."""

from typing import Any

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.explaining import Known
from kequn.apps.assessments.models import Run
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.strategies.worth import CONTRIBUTION, LINES, group_worth
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import language

SIGNS = ("leaving_balances", "leaving_enquiries", "leaving_repaid", "leaving_unused")
OTHERS = ("worth_capital", "worth_manager_days")


def worth_of_customer(person: Person, run: Run, known: Known, customer: Customer) -> dict[str, Any]:
    """Every line with its value, a dash where it is not known; each opens what it was made from."""
    defined = {one.name for one in known.plan.definitions}
    if CONTRIBUTION not in defined:
        return {}
    spoken = language()
    teller, answers = Teller(known.pack, known.plan, spoken, unit(spoken)), known.answers()

    def line(name: str, sign: str) -> dict[str, Any]:
        value = answers.get(name)
        said = teller.value(name, value) if value is not None else "–"
        return {"key": name, "label": labels.fact(name, spoken), "sign": sign, "value": said}

    return {
        "lines": [line(name, "+" if sign > 0 else "−") for name, sign in LINES if name in defined],
        "contribution": line(CONTRIBUTION, "="), "others": [line(name, "") for name in OTHERS if name in defined],
        "signs": [{"key": name, "label": labels.fact(name, spoken), "holds": answers.get(name)}
                  for name in SIGNS if name in defined],
        "group": _group(person, run, customer),
    }  # fmt: skip


def _group(person: Person, run: Run, customer: Customer) -> dict[str, int] | None:
    """The members that the reader sees, together."""
    if customer.group_id is None:
        return None
    numbers = list(visible_to(person).filter(group_id=customer.group_id).order_by("pk").values_list("pk", flat=True))
    found = group_worth(run, numbers)
    return None if found is None else {"contribution": found[0], "known": found[1], "members": len(numbers)}
