"""No signal stands is said only where every signal can be told."""

import duckdb
import pytest

from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.facts import _gravest, _level_sql, levels_of
from kequn.apps.ratings.services import rating_date
from kequn.domain.rating.wording import LEVELS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("held", "unknown", "said"), [(0, 0, "none"), (0, 1, "unknown"), (1, 1, None)])
def test_a_signal_that_cannot_be_told_is_not_said_to_be_absent(held, unknown, said):
    pack, day = policy_in_use(), rating_date()
    levels = levels_of(pack, day)
    values = dict.fromkeys(levels, False)
    names = list(levels)
    values |= dict.fromkeys(names[:unknown], None) | dict.fromkeys(names[-1:] * held, True)
    wanted = said or levels[names[-1]].value
    assert _gravest(levels, values) == wanted
    columns = ", ".join(f'CAST(? AS BOOLEAN) AS "{name}"' for name in levels)
    asked = f"SELECT {_level_sql(pack, day, set(levels))} FROM (SELECT {columns})"
    with duckdb.connect() as con:
        found = con.execute(asked, list(values.values())).fetchone()[0]
    assert found == wanted
    assert LEVELS[found].en != LEVELS["none"].en or said == "none"
