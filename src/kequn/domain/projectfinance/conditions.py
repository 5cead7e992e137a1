"""What a loan agreement says of payment and its tests, the same in a model and in its waterfall."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conditions:
    """The order of payment (see `waterfall.WaterfallRules`), and levels and limits that know no period.

    DSCR in times, shares as fractions, amounts in the unit of the model, `cures` a number of times; 0 or () means that
    the rule is absent.
    """

    order: tuple[str, ...] = ()
    dsrf_limit: float = 0.0
    sweep_share: float = 0.0
    lockup_dscr: float = 0.0
    default_dscr: float = 0.0
    cure_dscr: float = 0.0
    cure_limit: float = 0.0
    cures: int = 0
