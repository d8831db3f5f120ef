"""Quantiles of a histogram, as Prometheus computes them.

The rules are those of `histogram_quantile` for classic histograms
(https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile): linear interpolation inside the
bucket that holds the rank, 0 as the lower bound of the first one, and the highest finite bound for a rank in the
bucket without an upper bound. A limit on p99 then means here what it means on the team's dashboard.
"""

from __future__ import annotations

import math
from collections.abc import Mapping


def quantile(q: float, buckets: Mapping[float, float]) -> float | None:
    """Return the `q`-quantile of the observations in `buckets`.

    Args:
        q: above 0, at most 1.
        buckets: cumulative counts by inclusive upper bound, `inf` among them; bounds are above 0. A count below the
            one before it (buckets that were read at slightly different times) is taken for equal to it.

    Returns:
        The quantile in the unit of the bounds; None where there is no observation or no finite bound.

    Raises:
        ValueError: `q` is out of range, or there is no bucket `inf`.
    """
    if not 0 < q <= 1:
        raise ValueError(f"a quantile is above 0 and at most 1, not {q}")
    if math.inf not in buckets:
        raise ValueError("a histogram needs the bucket +Inf: without it the number of observations is unknown")
    bounds = sorted(buckets)
    counts: list[float] = []
    for bound in bounds:
        counts.append(max(buckets[bound], counts[-1] if counts else 0.0))
    total = counts[-1]
    if total <= 0 or len(bounds) == 1:
        return None
    rank = q * total
    index = next(i for i, count in enumerate(counts) if count >= rank)
    if index == len(bounds) - 1:
        return bounds[-2]
    start, below = (bounds[index - 1], counts[index - 1]) if index else (0.0, 0.0)
    return start + (bounds[index] - start) * (rank - below) / (counts[index] - below)
