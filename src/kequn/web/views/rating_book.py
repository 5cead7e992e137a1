"""The book by grade, moves between ratings, overrides, and the register of models."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import SEE_OUTCOMES, may
from kequn.apps.ratings import selectors
from kequn.apps.ratings.challenging import REGISTERED, registered
from kequn.apps.ratings.services import policy_at, rating_date
from kequn.modelling.models import CARD
from kequn.policy.rating import RatingPolicy
from kequn.web.templatetags.kequn import language


@require_safe
def rating_portfolio(request: HttpRequest) -> HttpResponse:
    """Ratings in force by grade and model; from which grade to which they moved; what was moved by hand."""
    policy = policy_at(rating_date())
    spoken = language()
    counts = selectors.distribution(person=request.user)
    grades = [*policy.scheme.scale.grades, policy.scheme.scale.default]
    models = [(name, one.label.in_language(spoken)) for name, one in policy.scheme.models.items()]
    total = sum(counts.values())
    rows = [
        {"grade": grade, "pd": policy.scheme.scale.pds[grade],
         "cells": [counts.get((name, grade), 0) for name in policy.scheme.models],
         "all": sum(counts.get((name, grade), 0) for name in policy.scheme.models)}
        for grade in grades
    ]  # fmt: skip
    by_hand = selectors.overrides(person=request.user)
    moved = sum(n for notches, n in by_hand.items() if notches)
    context = {
        "models": models, "rows": rows, "total": total, "sums": [sum(row["cells"][at] for row in rows)
                                                                  for at in range(len(models))],
        "moves": _moves(selectors.moves(person=request.user), grades), "overrides": by_hand, "moved": moved,
        "may_validate": may(request.user, SEE_OUTCOMES),
        "champions": fitted_models(), "policy": policy, "source": policy.source.in_language(spoken),
    }  # fmt: skip
    return render(request, "kequn/rating_portfolio.html", context)


def _moves(counts: Any, grades: list[str]) -> dict[str, Any]:
    """A matrix of the grades that occur."""
    seen = [grade for grade in grades if any(grade in pair for pair in counts)]
    rows = [
        {"grade": before, "cells": [{"count": counts.get((before, after), 0), "same": before == after}
                                    for after in seen]}
        for before in seen
    ]  # fmt: skip
    return {"grades": seen, "rows": rows}


@require_safe
def rating_models(request: HttpRequest) -> HttpResponse:
    """Every model with its purpose, modules, steward, review and status; fitted models beside them."""
    policy, today = policy_at(rating_date()), rating_date()
    context = {
        "cards": _cards(policy), "fitted": fitted_models(), "today": today, "policy": policy,
        "source": policy.source.in_language(language()), "digest": policy.digest, "folder": REGISTERED,
    }  # fmt: skip
    return render(request, "kequn/rating_models.html", context)


def _cards(policy: RatingPolicy) -> list[dict[str, Any]]:
    spoken, today = language(), rating_date()
    found = []
    for name, model in policy.scheme.models.items():
        steward = policy.stewards[name]
        parts = [
            {"label": part.module.label.in_language(spoken), "weight": part.weight, "required": part.required,
             "lines": [line.label.in_language(spoken) for line in part.module.lines]}
            for part in model.parts
        ]  # fmt: skip
        found.append(
            {
                "name": name, "label": model.label.in_language(spoken), "why": model.why.in_language(spoken),
                "owner": steward.owner.in_language(spoken), "review_due": steward.review_due,
                "is_late": steward.review_due < today,
                "validity": model.validity_months, "parts": parts,
            }
        )  # fmt: skip
    return found


def fitted_models() -> list[dict[str, Any]]:
    """The cards of models that `kequn model fit` wrote into the `models` folder of the home, by name."""
    found: list[dict[str, Any]] = []
    for folder in registered():
        try:
            card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found.append({"name": folder.name, "problem": _("its card cannot be read")})
            continue
        found.append({"name": folder.name, "inputs": len(card.get("inputs", ()))} | _trained(card))
    return found


def _trained(card: dict[str, Any]) -> dict[str, Any]:
    """What a card says of its fit."""
    trained = card.get("trained", {})
    auc = trained.get("auc", {})
    kinds = {"scorecard": _("Scorecard"), "challenger": _("Challenger"), "warning": _("Warning model")}
    return {
        "kind": kinds.get(card.get("kind", ""), card.get("kind", "")), "rows": trained.get("rows"),
        "events": trained.get("events"), "auc": auc.get("value"), "low": auc.get("low"), "high": auc.get("high"),
    }  # fmt: skip
