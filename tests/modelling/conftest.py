"""A small made book of loans whose risk is known: what raises it, what knows the outcome, and what says nothing."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kequn.modelling.settings import Settings, settings_of
from kequn.policy import load_pack

ROWS = 3000


def made_book(rows: int = ROWS, seed: int = 7, shift: float = 0.0) -> pa.Table:
    """Loans of 2018 to 2023: leverage and sector raise the risk, cover lowers it, `noise` says nothing."""
    draw = np.random.default_rng(seed)
    leverage, cover = draw.normal(0, 1, rows), draw.normal(0, 1, rows)
    sector = draw.choice(["trade", "power", "Chen, Li & Co"], rows, p=[0.5, 0.3, 0.2])
    risk = -2.2 + shift + 0.9 * leverage - 0.7 * cover + np.where(sector == "trade", 0.6, 0.0)
    bad = draw.random(rows) < 1 / (1 + np.exp(-risk))
    year = draw.integers(2018, 2024, rows)
    granted = [date(int(one), 3, 1) for one in year]
    term = np.where(bad, draw.integers(5, 120, rows), 12 * draw.integers(1, 10, rows))
    missing = draw.random(rows) < 0.1
    return pa.table(
        {
            "loan": [f"L{at:05d}" for at in range(rows)],
            "status": np.where(bad, "bad", "good"),
            "leverage": pa.array(leverage, mask=missing),
            "cover": cover,
            "sector": sector,
            "is_new": draw.random(rows) < 0.5,
            "noise": draw.normal(0, 1, rows),
            "granted": granted,
            "year": year,
            "term": term.astype(float),
            "loss": np.where(bad, draw.random(rows) * 1000 + 1, 0.0),
            "written_off": [
                day + timedelta(days=300) if gone else None for day, gone in zip(granted, bad, strict=True)
            ],
        }
    )


SPEC = {
    "kind": "scorecard", "key": "loan", "target": "status", "event": "bad", "period": "year",
    "decision_date": "granted", "train": "year <= 2021",
    "features": ["leverage", "cover", "sector", "is_new", "noise", {"name": "gap", "formula": "leverage - cover"}],
}  # fmt: skip


@pytest.fixture(scope="session")
def book(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("book") / "loans.parquet"
    pq.write_table(made_book(), path)
    return path


@pytest.fixture(scope="session")
def settings() -> Settings:
    found = settings_of(load_pack("cn"), date(2026, 6, 1))
    return replace(found, limits={**found.limits, "trees": 60})  # enough for a small book
