"""Arrays of the room. Axis 0 is time (the first period first); any further axis is scenarios.

The scalar face and the vector face are the same functions: a series of shape (periods,) is one case, of shape
(periods, scenarios) many. Amounts are in one currency and unit, inflows positive, at the end of their period.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Like = float | Sequence[float] | Array


def series(value: Like, periods: int) -> Array:
    """A number or a series as an array with `periods` rows; a number holds in every period.

    >>> series(0.05, 2)
    array([0.05, 0.05])
    """
    found = np.asarray(value, dtype=np.float64)
    return np.broadcast_to(found, (periods,)) if found.ndim == 0 else found


def widened(value: Like, periods: int, like: Array) -> Array:
    """The same, with axes for the scenarios of `like` behind the periods, so that the two may be combined."""
    found = series(value, periods)
    return found.reshape(found.shape + (1,) * (like.ndim - found.ndim)) if found.ndim < like.ndim else found


def listed(values: Array) -> list[float]:
    """A series of one case as plain numbers."""
    return [float(one) for one in values]


def ratio(above: Array, below: Array) -> Array:
    """above / below, and infinity where `below` is nil: nothing is owed there, the ratio is not defined."""
    out = np.full(np.broadcast_shapes(above.shape, below.shape), np.inf)
    np.divide(above, below, out=out, where=below != 0.0)
    return out


def defined(value: float) -> float | None:
    """A figure for a reader: None where it is not defined. Never NaN, never infinity.

    >>> defined(1.25), defined(float("inf"))
    (1.25, None)
    """
    return float(value) if np.isfinite(value) else None
