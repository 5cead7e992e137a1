"""The committee's settings for models, read from the policy pack: limits by name, and the master scale."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kequn.domain.errors import Refused, Text
from kequn.modelling.scorecard import Scale
from kequn.policy.pack import Pack
from kequn.policy.planning import tables_of

PREFIX = "model_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits without their prefix; `grades` with the PD at which each ends, best first, the last without end."""

    limits: Mapping[str, float]
    grades: tuple[tuple[str, float | None], ...]
    pack: str
    version: str
    digest: str

    @property
    def scale(self) -> Scale:
        return Scale(self.limits["score_base"], self.limits["odds_base"], self.limits["points_double"])

    @property
    def leak_limits(self) -> dict[str, float]:
        return {name: self.limits[f"leak_{name}"] for name in ("auc", "shape", "dated")}

    @property
    def psi_limits(self) -> dict[str, float]:
        return {name: self.limits[f"psi_{name}"] for name in ("watch", "act")}


def settings_of(pack: Pack, as_of: date) -> Settings:
    """The settings in force; Refused where the pack has no document for models or no master scale."""
    document = next((one for one in pack.documents(as_of) if one.key == "modelling"), None)
    if document is None:
        raise Refused(Text(f"政策包 {pack.id} 没有 modelling.yaml", f"the policy pack {pack.id} has no modelling.yaml"))
    constants = document.body.get("constants", {})
    limits = {name.removeprefix(PREFIX): float(row["value"]) for name, row in constants.items()}
    return Settings(limits, _grades(pack, as_of), pack.id, pack.version, pack.digest)


def _grades(pack: Pack, as_of: date) -> tuple[tuple[str, float | None], ...]:
    """The grades of the table `grade` that follow from a PD, without that of default."""
    table = tables_of(pack, as_of).get("grade")
    names = [fact.name for fact in table.inputs] if table is not None else []
    if table is None or "pd" not in names:
        raise Refused(Text("政策包没有按PD划分的主标尺", "the policy pack has no master scale over the PD"))
    place = names.index("pd")
    found = []
    for row in table.rows:
        bounds = dict(row.cells[place].bounds)
        if bounds:
            found.append((bounds.get(">=", 0.0), str(row.outcomes[0]), bounds.get("<")))
    return tuple((grade, upper) for _, grade, upper in sorted(found))
