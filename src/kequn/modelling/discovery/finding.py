"""From a request and a tape to proposed segments: groups, what speaks against them, and each as a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from kequn.domain.errors import Refused, Text
from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of
from kequn.modelling.discovery.doubts import NullTest, YearToYear, bootstrap_jaccard, null_test, year_to_year
from kequn.modelling.discovery.judging import NOBODY, against, joined, ranking, realised
from kequn.modelling.discovery.mixture import Mixture, by_bic
from kequn.modelling.discovery.partitions import adjusted_rand, best_centres, plain
from kequn.modelling.discovery.profiles import profile
from kequn.modelling.discovery.request import Request
from kequn.modelling.discovery.ruling import Grower, fidelity, rule_of, together
from kequn.modelling.discovery.values import Prepared, prepared
from kequn.modelling.leakage import leaks, refuse_unless_allowed
from kequn.modelling.settings import Settings
from kequn.modelling.spec import Spec
from kequn.modelling.tapes import (
    Flags,
    Floats,
    Tape,
    Whole,
    class_numbers,
    feature_columns,
    holding,
    outcomes,
    periods,
    sources_of,
    weights,
)

MARKS = 3  # features that say in a few words what a group is
ALL_DISCOVERED, ALL_RULES, CENTRES = "discovered", "rules", "k_means"


class NoGroups(Refused):
    """The data hold no groups that stand. `figures` is what was measured."""

    def __init__(self, text: Text, figures: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.figures = dict(figures)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows that groups are found on, those of them that are looked at, the later ones; weight, outcome, time."""

    train: Flags
    later: Flags
    sample: Whole
    weight: Floats
    event: Floats | None
    period: Floats | None


@dataclass(frozen=True, slots=True, eq=False)
class Discovered:
    """The card, and for each row of the tape its group, the probability of it, and the group its rule puts it in."""

    card: dict[str, Any]
    request: Request
    groups: Whole
    probability: Floats
    by_rule: Whole


def discover(request: Request, tape: Tape, settings: Settings, day: date, program: str) -> Discovered:
    """Groups of a tape. Refused for leakage, and `NoGroups` where chance explains what was found, or nothing stands."""
    limits = settings.limits
    rows = _rows(request, tape, limits)
    allowed = _leakage(request, tape, rows, settings)
    found = prepared(request.features, feature_columns(request.features, tape), rows.weight, rows.train, limits)
    mixture, criteria, null = _mixture(found, rows, request, limits)
    labels = mixture.groups_of(found.values)
    draw, starts = np.random.default_rng([request.seed, 2]), int(limits["discovery_starts"])
    sampled = found.values.taken(rows.sample)
    stable = bootstrap_jaccard(sampled, labels[rows.sample], mixture.groups, draw, int(limits["discovery_bootstraps"]),
                               starts)  # fmt: skip
    years = _years(found, rows, labels, mixture, draw, limits)
    rules = _rules(found, rows, labels, mixture.groups, limits)
    verdicts = [_verdict(tape, one) for one in rules]
    segments = [
        _segment(group, found, rows, labels, rules[group], verdicts[group], float(stable[group]),
                 years.means(mixture.groups)[group], limits)
        for group in range(mixture.groups)
    ]  # fmt: skip
    if not any(one["stands"] for one in segments):
        why = Text(
            "找到的分组没有一个稳定且能写成规则", "no group that was found is stable and can be written as a rule"
        )
        raise NoGroups(why, {"criteria": criteria, "null": _said(null), "unstable": segments})
    by_rule = _by_rule(verdicts, tape.rows)
    centres = best_centres(plain(sampled), mixture.groups, draw, starts)
    card = {
        "format": 1, "found_on": day.isoformat(), "program": program,
        "pack": {"id": settings.pack, "version": settings.version, "digest": settings.digest},
        "data": {"file": tape.file, "sha256": tape.digest, "rows": tape.rows},
        "rows": {"found_on": int(rows.train.sum()), "looked_at": len(rows.sample), "later": int(rows.later.sum())},
        "features": [_feature(one) for one in (*found.measures, *found.texts)],
        "left_out": {name: {"zh": why.zh, "en": why.en} for name, why in found.left_out.items()},
        "leakage_allowed": allowed, "criteria": criteria, "groups": mixture.groups, "null": _said(null),
        "years": asdict(years), "segments": segments,
        "agreement": float(np.average(by_rule[rows.train] == labels[rows.train], weights=rows.weight[rows.train])),
        "confusion": _confusion(labels[rows.train], by_rule[rows.train], mixture.groups),
        "k_means": {"adjusted_rand": adjusted_rand(centres, labels[rows.sample])},
        **_compared(request, tape, rows, labels, by_rule, segments, limits),
        "limits": {name: value for name, value in limits.items() if name.startswith("discovery_")},
    }  # fmt: skip
    return Discovered(card, request, labels, mixture.belonging(found.values).max(axis=1), by_rule)


def _rows(request: Request, tape: Tape, limits: Mapping[str, float]) -> Rows:
    reading = Spec("scorecard", request.key, request.target, request.event, weight=request.weight)
    tape.column(request.key)
    weight = weights(reading, tape)
    counted = np.isfinite(weight) & (np.nan_to_num(weight) > 0)
    weight = np.where(counted, weight, 0.0)
    train = holding(tape, request.train) & counted
    least, most = int(limits["discovery_rows_min"]), int(limits["discovery_rows_max"])
    if train.sum() < least:
        raise Refused(Text(f"只有 {train.sum()} 行可用，至少需要 {least} 行",
                           f"only {train.sum()} rows to look at; at least {least} are needed"))  # fmt: skip
    places = np.flatnonzero(train)
    draw = np.random.default_rng([request.seed, 0])
    sample = np.sort(draw.choice(places, most, replace=False)) if len(places) > most else places
    event = outcomes(reading, tape) if request.target else None
    later = ~train & counted
    period = periods(tape.column(request.period)) if request.period else None
    if period is not None:
        later &= np.nan_to_num(period, nan=-np.inf) > np.nanmax(period[train], initial=-np.inf)
    return Rows(train, later, sample, weight, event, period)


def _leakage(request: Request, tape: Tape, rows: Rows, settings: Settings) -> dict[str, Any]:
    """A group that knows the outcome tells it: the same check as for a model, where an outcome is named."""
    if rows.event is None:
        return {}
    made = {name: column for name, column in feature_columns(request.features, tape).items()
            if any(one.name == name and one.formula for one in request.features)}  # fmt: skip
    fields = sources_of(request.features, tape)
    found = leaks(tape, [*fields, *made], rows.event, settings.leak_limits, decision_date=request.decision_date,
                  computed=made)  # fmt: skip
    sources = {one.name: sources_of((one,), tape) for one in request.features if one.formula}
    return refuse_unless_allowed(found, sources, request.allow_leakage, tape.file)


def _mixture(found: Prepared, rows: Rows, request: Request, limits: Mapping[str, float]
             ) -> tuple[Mixture, list[dict[str, Any]], NullTest]:  # fmt: skip
    """The mixture of as many groups as the criterion asks for; refused where that is one, or chance does as well."""
    draw, starts = np.random.default_rng([request.seed, 1]), int(limits["discovery_starts"])
    sampled = found.values.taken(rows.sample)
    ordered = by_bic(sampled, int(limits["discovery_groups_max"]), draw, starts, limits["discovery_share_min"])
    criteria = [
        {"groups": one.groups, "bic": one.bic, "smallest": float(one.shares.min()), "settled": one.has_settled}
        for one in sorted(ordered, key=lambda one: one.groups)
    ]
    best = ordered[0]
    if best.groups == 1:
        why = Text("信息准则认为只有一组，未发现客群", "the criterion asks for one group only; nothing was found")
        raise NoGroups(why, {"criteria": criteria})
    null = null_test(sampled, best.groups, draw, int(limits["discovery_permutations"]), starts)
    if not null.is_passed(limits["discovery_null_sds"]):
        raise NoGroups(
            Text("各列打乱后也能分出同样好的组，所见只是偶然，未发现客群",
                 "columns shuffled apart divide as well: what was found is chance, and no groups are there"),
            {"criteria": criteria, "null": _said(null)},
        )  # fmt: skip
    return best, criteria, null


def _said(null: NullTest) -> dict[str, float]:
    return {**asdict(null), "sds": null.sds, "p_value": null.p_value}


def _years(found: Prepared, rows: Rows, labels: Whole, mixture: Mixture, draw: np.random.Generator,
           limits: Mapping[str, float]) -> YearToYear:  # fmt: skip
    """From the first period that groups were found on; where nothing came later, the periods before as well."""
    if rows.period is None:
        return YearToYear((), (), ())
    counted = (rows.weight > 0) & np.isfinite(rows.period)
    if rows.later.any():
        counted &= rows.period >= np.nanmin(rows.period[rows.train])
    places = np.flatnonzero(counted)
    return year_to_year(found.values.taken(places), labels[places], rows.period[places], mixture, draw,
                        int(limits["discovery_starts"]), limits["cohort_rows_min"],
                        int(limits["discovery_rows_max"]))  # fmt: skip


def _rules(found: Prepared, rows: Rows, labels: Whole, groups: int, limits: Mapping[str, float]) -> list[str]:
    grower = Grower(found, rows.sample, labels, groups, limits["discovery_leaf_min"])
    leaves = together(grower.leaves(int(limits["discovery_leaves_max"])))
    return [rule_of(leaves, group, found) for group in range(groups)]


def _verdict(tape: Tape, rule: str) -> Whole:
    """1 where the rule holds for a row, 0 where not, -1 where it cannot be told, by the reader of all rules."""
    if not rule:
        return np.zeros(tape.rows, dtype=np.int64)
    return np.where(holding(tape, rule), 1, np.where(holding(tape, f"not ({rule})"), 0, -1)).astype(np.int64)


def _by_rule(verdicts: Sequence[Whole], rows: int) -> Whole:
    found = np.full(rows, NOBODY, dtype=np.int64)
    for group, verdict in enumerate(verdicts):
        found[(verdict == 1) & (found == NOBODY)] = group
    return found


def _segment(group: int, found: Prepared, rows: Rows, labels: Whole, rule: str, verdict: Whole, jaccard: float,
             years: float | None, limits: Mapping[str, float]) -> dict[str, Any]:  # fmt: skip
    """One proposed segment: what it is, its figures, its rule, and every reason against it."""
    places = np.flatnonzero(rows.train)
    said = profile(found, places, labels[places], group, limits)
    met = fidelity(labels[places], group, verdict[places], rows.weight[places])
    reasons = _against(rule, jaccard, years, met["jaccard"], limits)
    return {
        "number": group + 1, **said, "marks": [_mark(one) for one in said["features"][:MARKS]], "jaccard": jaccard,
        "year_to_year": years, "rule": rule, "fidelity": met, "stands": not reasons,
        "against": [{"zh": one.zh, "en": one.en} for one in reasons],
    }  # fmt: skip


def _against(rule: str, jaccard: float, years: float | None, met: float, limits: Mapping[str, float]) -> list[Text]:
    found = []
    least = limits["discovery_jaccard_min"]
    if jaccard < least:
        found.append(
            Text(f"重抽样重合度 {jaccard:.2f} 低于 {least}", f"overlap under resampling {jaccard:.2f}, below {least}")
        )
    least = limits["discovery_years_min"]
    if years is not None and years < least:
        found.append(
            Text(f"逐期重合度 {years:.2f} 低于 {least}", f"overlap from period to period {years:.2f}, below {least}")
        )
    least = limits["discovery_rule_min"]
    if not rule:
        found.append(Text("写不成规则", "cannot be written as a rule"))
    elif met < least:
        found.append(
            Text(
                f"规则与分组的重合度 {met:.2f} 低于 {least}", f"the rule overlaps the group by {met:.2f}, below {least}"
            )
        )
    return found


def _mark(line: Mapping[str, Any]) -> dict[str, str]:
    if line["kind"] == "number":
        return {"name": line["name"], "side": "high" if line["strength"] > 0 else "low"}
    return {"name": line["name"], "class": line["class"]}


def _feature(one: Any) -> dict[str, Any]:
    said = {"name": one.feature.name, "formula": one.feature.formula}
    if hasattr(one, "classes"):
        return said | {"classes": list(one.classes)}
    return said | {"is_log": one.is_log, "centre": one.centre, "spread": one.spread}


def _confusion(labels: Whole, by_rule: Whole, groups: int) -> list[list[int]]:
    """Rows of each group in the rule of each, and last in none."""
    return [[int(((labels == one) & (by_rule == two)).sum()) for two in (*range(groups), NOBODY)]
            for one in range(groups)]  # fmt: skip


# -- against what exists -----------------------------------------------------------------------------------------------


def _compared(request: Request, tape: Tape, rows: Rows, labels: Whole, by_rule: Whole,
              segments: Sequence[Mapping[str, Any]], limits: Mapping[str, float]) -> dict[str, Any]:  # fmt: skip
    """The existing divisions: how alike they are, and what the groups add to them on later rows."""
    existing = _existing(request, tape)
    alike = [{"name": name, **against(labels[rows.train], parts[rows.train])} for name, (parts, _) in existing.items()]
    if rows.event is None or not rows.later.any():
        return {"alike": alike, "gain": [], "realised": {}}
    names = {group: f"D{one['number']}" for group, one in enumerate(segments)}
    judged = {ALL_DISCOVERED: (labels, names), ALL_RULES: (by_rule, names), **existing}
    event, weight, train, later = rows.event, rows.weight, rows.train, rows.later
    gain = [
        {"name": name, "auc": ranking(parts, event, weight, train, later, limits),
         "with_rules": None if name in (ALL_DISCOVERED, ALL_RULES) else
         ranking(joined(parts, by_rule), event, weight, train, later, limits)}
        for name, (parts, _) in judged.items()
    ]  # fmt: skip
    shown = {name: realised(parts, words, event, weight, train, later, limits)
             for name, (parts, words) in judged.items()}  # fmt: skip
    return {"alike": alike, "gain": gain, "realised": shown}


def _existing(request: Request, tape: Tape) -> dict[str, tuple[Whole, dict[int, str]]]:
    columns = feature_columns(request.compare, tape) if request.compare else {}
    found = {}
    for one in request.compare:
        column = columns[one.name]
        if kind_of(column.type) not in (FactType.TEXT, FactType.BOOLEAN):
            raise Refused(
                Text(f"{one.name} 不是文本，不能作为现有划分", f"{one.name} is no text, so it divides nothing")
            )
        texts = column.cast("string")
        parts = class_numbers(texts)
        said = texts.to_pylist()
        found[one.name] = (parts, {int(place): str(word) for place, word in zip(parts, said, strict=True)
                                   if word is not None})  # fmt: skip
    return found
