"""Ask for a discovery, do it in the background, keep one that was made from a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.models import Run, RunState
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.audit.services import line
from kequn.apps.discoveries.models import Discovery, DiscoveryState
from kequn.apps.discoveries.selectors import offered
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.governance.versions import refuse_who_may_not
from kequn.apps.jobs.services import Lease, LeaseLost, enqueue, handler, heartbeat
from kequn.domain.errors import KequnError, Refused, Text
from kequn.modelling.discovery.finding import NoGroups, discover
from kequn.modelling.discovery.request import Request
from kequn.modelling.settings import settings_of
from kequn.modelling.spec import Feature
from kequn.modelling.tapes import Tape
from kequn.version import VERSION

KIND = "discovery"
KEY, PERIOD = "customer_id", "as_of_"
LONGEST_TITLE = 120
LARGEST_SEED = 1_000_000


def request_discovery(*, person: Person, features: Sequence[str], title: str = "", seed: int = 1) -> Discovery:
    """Ask that groups be looked for in the facts of the last published run."""
    refuse_who_may_not(person)
    run = latest_published()
    if run is None:
        raise Refused(Text("尚无已发布的运行，先运行一次", "no run has been published; run the book first"))
    may_be = offered(run.as_of).features
    wanted = [name for name in may_be if name in set(features)]
    unknown = sorted(set(features) - set(may_be))
    if unknown:
        raise Refused(Text(f"政策不允许用于发现：{unknown[0]}", f"policy does not offer {unknown[0]} for discovery"))
    if len(wanted) < 2:
        raise Refused(Text("请至少选择两个指标", "choose at least two features"))
    if not 0 <= seed <= LARGEST_SEED:
        raise Refused(Text(f"随机种子应在 0 与 {LARGEST_SEED} 之间", f"the seed is from 0 to {LARGEST_SEED}"))
    name = title.strip()[:LONGEST_TITLE] or f"{run.as_of} · {len(wanted)}"
    with line(actor=person.actor_key, action="discoveries.ask", features=len(wanted)) as audit:
        asked = Discovery.objects.create(
            title=name, features=wanted, seed=seed, run=run, actor=person.actor_key, made_at=timezone.now()
        )
        audit.subject = str(asked.pk)
        audit.wrote("discoveries.Discovery", [[asked.pk, asked.title, *wanted]])
        enqueue(kind=KIND, arguments={"discovery": asked.pk}, actor=person.actor_key, key=f"{KIND}-{asked.pk}")
    return asked


@handler(KIND)
def do_discovery(lease: Lease) -> dict[str, Any]:
    """The job. Where the book holds no groups that is an answer; a killed worker's work is begun anew."""
    asked = Discovery.objects.select_related("run").get(pk=lease.arguments["discovery"])
    if asked.state in (DiscoveryState.FOUND, DiscoveryState.REFUSED):
        return {"discovery": asked.pk}
    try:
        with heartbeat(lease):
            card = _found_in(asked)
    except LeaseLost:
        raise
    except Refused as refused:
        figures = refused.figures if isinstance(refused, NoGroups) else None
        _end(asked, lease, DiscoveryState.REFUSED, card=figures, said=refused.text)
        return {"discovery": asked.pk}
    except KequnError as error:
        _end(asked, lease, DiscoveryState.FAILED, said=error.text)
        raise
    except Exception:  # the work may be tried again; until then, and after the last time, its page says so
        _end(asked, lease, DiscoveryState.FAILED, said=Text("未能完成发现", "the discovery could not be made"))
        raise
    _end(asked, lease, DiscoveryState.FOUND, card=card)
    return {"discovery": asked.pk}


def _end(asked: Discovery, lease: Lease, state: DiscoveryState, *, card: Mapping[str, Any] | None = None,
         said: Text | None = None) -> None:  # fmt: skip
    with line(actor=asked.actor, action="discoveries.end", subject=str(asked.pk), state=str(state)) as audit:
        lease.hold()
        asked.state, asked.card, asked.ended_at = state, card, timezone.now()
        asked.said = f"{said.zh}\n{said.en}" if said is not None else ""
        asked.save(update_fields=["state", "card", "ended_at", "said"])
        audit.wrote("discoveries.Discovery", [[asked.pk, str(state), asked.said]])


def _found_in(asked: Discovery) -> dict[str, Any]:
    """The card of what the findings of the run, and those of the dates before it, hold."""
    assert asked.run is not None  # noqa: S101 - asked on the page, so it has one
    may_be = offered(asked.run.as_of)
    names = [*asked.features, *(one for one in may_be.compare if one not in asked.features)]
    runs = [asked.run, *_before(asked.run)]
    table = pa.concat_tables([_findings(run, names) for run in runs], promote_options="default")
    missing = [name for name in names if name not in table.column_names]
    compare = tuple(Feature(name) for name in may_be.compare if name not in missing)
    request = Request(
        key=KEY, features=tuple(Feature(name) for name in asked.features if name not in missing), compare=compare,
        train=f"{PERIOD} = {_day(asked.run)}", period=PERIOD, seed=asked.seed,
    )  # fmt: skip
    limits = settings_of(policy_in_use(), asked.run.as_of)
    tape = Tape(table, f"run {asked.run.pk}", asked.run.results_digest)
    return discover(request, tape, limits, timezone.localdate(), VERSION).card


def _before(run: Run) -> list[Run]:
    """The last published run of each earlier date whose files are there, for how groups last over time."""
    found: dict[Any, Run] = {}
    earlier = Run.objects.filter(state=RunState.PUBLISHED, as_of__lt=run.as_of).order_by("-as_of", "-published_at")
    for one in earlier[:50]:
        if one.as_of not in found and (Path(settings.KEQUN_HOME) / one.folder / "findings.parquet").is_file():
            found[one.as_of] = one
    return list(found.values())[:3]


def _findings(run: Run, names: Sequence[str]) -> pa.Table:
    file = Path(settings.KEQUN_HOME) / run.folder / "findings.parquet"
    if not file.is_file():
        raise Refused(Text("此次运行的结果文件不在", "the result files of the run are not here"))
    there = set(pq.read_schema(file).names)
    table = pq.read_table(file, columns=[KEY, *(name for name in names if name in there)])
    return table.append_column(PERIOD, pa.array([float(_day(run))] * table.num_rows, pa.float64()))


def _day(run: Run) -> int:
    return int(f"{run.as_of:%Y%m%d}")


def keep_card(*, person: Person, card: Mapping[str, Any], title: str) -> Discovery:
    """Keep a discovery that `kequn model discover` made from a file."""
    refuse_who_may_not(person)
    now = timezone.now()
    with line(actor=person.actor_key, action="discoveries.keep") as audit:
        kept = Discovery.objects.create(
            title=title.strip()[:LONGEST_TITLE], state=DiscoveryState.FOUND, card=dict(card), actor=person.actor_key,
            features=[one["name"] for one in card["features"]], made_at=now, ended_at=now,
        )  # fmt: skip
        audit.subject = str(kept.pk)
        audit.wrote("discoveries.Discovery", [[kept.pk, kept.title, card["data"]["sha256"]]])
    return kept
