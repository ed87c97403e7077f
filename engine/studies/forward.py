"""Forward: what the months ahead come to: the cumulative profit, when it has paid back, and when a model stops earning.

Concludes from profits that the forward formulas give, month by month. Knows neither Excel nor HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PAID_BACK, NOT_PAID_BACK, NOTHING_TO_PAY_BACK = "paid back", "not paid back in these months", "nothing to pay back"
STOPS, EARNS, NEVER_EARNS = "stops earning", "earns to the last month", "does not earn in any month"


@dataclass(frozen=True)
class Outlook:
    """Cumulative profit less the investment in $ by month, and two answers with the month they name, counted from 1."""

    cumulative: tuple[float, ...]
    payback: str
    payback_month: int | None
    earning: str
    stops_month: int | None


def outlook(profits: Sequence[float], investment: float = 0) -> Outlook:
    """What so many months of profit in $, the next month first, come to after an investment in $.

    The month a model stops earning is the first from which on it earns in none; a loss that is made good is none.
    Errors: ValueError where there is no month, or one without a profit.
    """
    months = np.asarray(profits, dtype=float)
    if not months.size or not np.isfinite(months).all():
        raise ValueError("a month without a profit has no outlook")
    cumulative = np.cumsum(months) - investment
    paid = np.flatnonzero(cumulative >= 0)
    earning = np.flatnonzero(months > 0)
    payback, payback_month = (PAID_BACK, int(paid[0]) + 1) if paid.size else (NOT_PAID_BACK, None)
    if investment <= 0:
        payback, payback_month = NOTHING_TO_PAY_BACK, None
    stops, stops_month = (STOPS, int(earning[-1]) + 2) if earning.size else (NEVER_EARNS, None)
    if stops_month is not None and stops_month > len(months):
        stops, stops_month = EARNS, None
    return Outlook(tuple(cumulative.tolist()), payback, payback_month, stops, stops_month)
