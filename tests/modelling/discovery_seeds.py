"""Groups planted in twenty books are found, and twenty books of noise are refused: every seed, and what was measured.

python -m tests.modelling.discovery_seeds --count 20 [--separation 2.5] [--rows 2000]
"""

import argparse
import sys
import time
from datetime import date

from kequn.modelling.discovery.finding import NoGroups, discover
from kequn.modelling.discovery.partitions import adjusted_rand
from kequn.modelling.discovery.request import request_of
from kequn.modelling.settings import settings_of
from kequn.modelling.tapes import Tape
from kequn.policy import load_pack
from tests.modelling.planted import REQUEST, planted, shuffled

DAY = date(2026, 6, 1)
WELL = 0.9  # adjusted Rand index at which planted groups count as found


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--count", type=int, default=20)
    wanted.add_argument("--separation", type=float, default=2.5)
    wanted.add_argument("--rows", type=int, default=2000)
    asked = wanted.parse_args()
    settings, found, refused = settings_of(load_pack("cn"), DAY), 0, 0
    print("seed\tgroups\tadjusted Rand\tstand\tseconds\tshuffled")
    for seed in range(asked.count):
        begun = time.perf_counter()
        table, groups = planted(seed, asked.rows, asked.separation)
        alike, said = _found(table, groups, settings)
        seconds = time.perf_counter() - begun
        noise = _refused(shuffled(table, seed), settings)
        print(f"{seed}\t{said}\t{seconds:.1f}\t{noise or 'NOT REFUSED'}", flush=True)
        found, refused = found + (alike >= WELL), refused + bool(noise)
    print(f"planted groups found: {found} of {asked.count}; noise refused: {refused} of {asked.count}")
    return 0 if found == refused == asked.count else 1


def _found(table, groups, settings):
    try:
        made = discover(request_of(REQUEST), Tape(table, "planted", ""), settings, DAY, "")
    except NoGroups as error:
        return 0.0, f"-\t-\t{error.text.en}"
    alike = adjusted_rand(made.groups, groups)
    stand = sum(one["stands"] for one in made.card["segments"])
    return alike, f"{made.card['groups']}\t{alike:.3f}\t{stand}"


def _refused(table, settings) -> str:
    try:
        discover(request_of(REQUEST), Tape(table, "shuffled", ""), settings, DAY, "")
    except NoGroups as error:
        return f"refused ({error.figures['null']['sds']:.1f} sd)" if "null" in error.figures else "refused (one group)"
    return ""


if __name__ == "__main__":
    sys.exit(main())
