"""A token bucket: how often somebody may ask. Pure: time is an argument, and what is left is handed back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` requests at once, refilled at `per_s`."""

    per_s: float
    burst: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left, as of an instant."""

    n_left: float
    at_s: float


def take(bucket: Bucket | None, limit: Limit, now_s: float, n: float = 1.0) -> tuple[Bucket, float]:
    """The bucket after taking `n` from it, and 0; or as it is, and after how many seconds there will be enough.

    None is a full bucket. A clock that goes back refills nothing.
    """
    if bucket is None:
        n_left = limit.burst
    else:
        n_left = min(limit.burst, bucket.n_left + max(0.0, now_s - bucket.at_s) * limit.per_s)
    if n_left >= n:
        return Bucket(n_left - n, now_s), 0.0
    return Bucket(n_left, now_s), (n - n_left) / limit.per_s
