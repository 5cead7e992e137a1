"""The peers of `kequn bench portfolio`: rule-engine, optbinning and pandas over the same rows.

Runs in an environment of its own (requirements/bench.txt), as a child of the bench: reads peer_facts.parquet and
peer_rules.json in the folder given, writes peers.json and peer_scores.parquet there.
"""

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import rule_engine
from optbinning import BinningProcess

RULE_ENGINE_ROWS = 2_000
FITTED_ROWS = 20_000


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work):
    started = cpu()
    answer = work()
    return cpu() - started, answer


def with_rule_engine(frame, texts):
    rows = frame.head(RULE_ENGINE_ROWS).to_dict("records")
    rules = {name: rule_engine.Rule(text) for name, text in texts.items()}
    seconds, hits = timed(lambda: {name: sum(1 for row in rows if rule.matches(row)) for name, rule in rules.items()})
    started = time.process_time()
    for row in rows[:500]:
        for rule in rules.values():
            rule.matches(row)
    one = (time.process_time() - started) / min(500, len(rows))
    return {"rows": len(rows), "cpu_seconds": seconds, "one_seconds": one, "hits": hits}


def with_optbinning(frame, folder):
    names = list(frame.columns)
    sample = frame.head(FITTED_ROWS)
    ranks = sample.rank(pct=True).sum(axis=1)
    noise = np.random.default_rng(15).normal(0, ranks.std(), len(sample))
    target = ((ranks + noise) > ranks.quantile(0.8)).astype(int)
    process = BinningProcess(names)
    process.fit(sample.to_numpy(), target.to_numpy())
    values = frame.to_numpy()
    seconds, scores = timed(lambda: process.transform(values, metric="woe"))
    bins = {}
    for name in names:
        binned = process.get_binned_variable(name)
        splits = [float(split) for split in binned.splits]
        table = binned.binning_table.build()
        bins[name] = {"splits": splits, "woe": [float(woe) for woe in table["WoE"].to_list()[: len(splits) + 1]]}
    pd.DataFrame(np.asarray(scores), columns=names).to_parquet(folder / "peer_scores.parquet")
    return {"rows": len(frame), "cpu_seconds": seconds}, bins


def with_pandas(frame, texts, bins):
    rules, _ = timed(lambda: pd.DataFrame({name: frame.eval(text, engine="python") for name, text in texts.items()}))

    def scored():
        return pd.DataFrame(
            {
                name: np.asarray(one["woe"])[np.searchsorted(one["splits"], frame[name].to_numpy(), side="right")]
                for name, one in bins.items()
            }
        )

    scoring, _ = timed(scored)
    return {"rows": len(frame), "rules_cpu_seconds": rules, "scoring_cpu_seconds": scoring}


def main(folder):
    warnings.simplefilter("ignore")
    frame = pd.read_parquet(folder / "peer_facts.parquet")
    texts = json.loads((folder / "peer_rules.json").read_text())
    binned, bins = with_optbinning(frame, folder)
    found = {"rule_engine": with_rule_engine(frame, texts), "optbinning": binned, "bins": bins,
             "pandas": with_pandas(frame, texts, bins)}  # fmt: skip
    (folder / "peers.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
