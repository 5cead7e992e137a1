"""The rules of the bench: as many segments as asked for, drawn from the ratios and classes of a policy.

Their thresholds are quantiles of what a run found, so that each rule divides the book somewhere.
"""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kequn.domain.definitions import Definition, Plan
from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.changing import needed_for

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
Leaf = tree.Expr


def rules_plan(plan: Plan, findings: Path, count: int, *, seed: int = 20261124, moved: int = 0) -> Plan:
    """The policy with `count` segments of three leaves and nothing else that is written.

    The thresholds of the first `moved` segments stand a little elsewhere, as in an earlier edition of a policy.
    """
    draw = random.Random(seed)
    numbers, classes = _leaves(plan, findings)
    segments = []
    for at in range(count):
        one, other = draw.sample(numbers, 2)
        third = draw.choice(classes)
        low, high = draw.choice(one[1]), draw.choice(other[1])
        if at < moved:
            low *= 1.01
        rule = tree.And((_above(one[0], low), tree.Or((tree.Not(_above(other[0], high)), _among(draw, *third)))))
        segments.append(Definition(f"bench_{at}", Grain.CUSTOMER, FactType.BOOLEAN, rule, "segment"))
    whole = replace(plan, definitions=(*plan.definitions, *segments))
    wanted = {needed.name for one in segments for needed in needed_for(whole, one.name)[0]}
    made = {one.name for one in segments}
    kept = tuple(replace(one, output=one.name in made) for one in whole.definitions if one.name in wanted)
    return replace(plan, definitions=kept, digest=f"{plan.digest} rules {count} {moved}")


def _leaves(plan: Plan, findings: Path) -> tuple[list[tuple[Leaf, list[float]]], list[tuple[Leaf, list[str]]]]:
    """The ratios with their quantiles, and the classes with their values, as one run found them."""
    numbers: list[tuple[Leaf, list[float]]] = []
    classes: list[tuple[Leaf, list[str]]] = []
    for one in plan.findings():
        if one.grain != Grain.CUSTOMER or not one.output or one.kind not in ("derived", "dimension"):
            continue
        column = pq.read_table(findings, columns=[one.name]).column(one.name)
        leaf = tree.FactRef(one.name, Grain.CUSTOMER, one.type)
        if one.type == FactType.NUMBER:
            known = pc.drop_null(column).to_numpy()
            if len(known):
                numbers.append((leaf, [float(cut) for cut in np.quantile(known, SHARES)]))
        elif one.type == FactType.TEXT:
            words = sorted(word for word in pc.unique(column.cast("string")).to_pylist() if word is not None)
            classes.extend([(leaf, words)] if words else [])
    return numbers, classes


def _above(leaf: Leaf, low: float) -> tree.Expr:
    return tree.Comparison(">=", leaf, tree.Constant(low, FactType.NUMBER))


def _among(draw: random.Random, leaf: Leaf, words: list[str]) -> tree.Expr:
    some: Any = tuple(tree.Constant(word, FactType.TEXT) for word in draw.sample(words, min(3, len(words))))
    return tree.OneOf(leaf, some, False)
