"""Salt as it really is: what tanks hold, turn by turn, and what they give to machines that need it.

Everything is told as power for machines (IT kW and kWh): heat, power blocks and contents by what they would feed. A
tank loses its part of an hour's content as the hour begins, as in a plan; then heat comes evenly. In each turn tanks
give what sun, wind and batteries do not, as far as power blocks and contents reach, whatever the plan says: a kWh from
the tank saves a kWh that is bought, now or later, and the sooner it is drawn the more room is left for heat. So what a
plan says of salt holds nothing back from work that runs; it tells how much may be begun (`offered_kw`). What nobody
draws stays in the tank, and what does not fit is spilt.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.kernels import kernel

Floats = npt.NDArray[np.float64]

LEAST_KW: Final = 1e-9  # a power block of less gives nothing


class Salt(NamedTuple):
    """The tanks of a run by rows (none where a sky has none), hours by columns.

    `direct_kw` by hour is what there is without salt: below zero where it does not cover what the site itself draws.
    """

    direct_kw: Any
    heat_kw: Any
    block_kw: Any
    size_kwh: Any
    kept_frac: Any  # what an hour leaves of a content
    level_kwh: Any  # now
    levels_kwh: Any  # at the beginning of each hour that has begun
    given_kwh: Any  # by hour
    spilt_kwh: Any
    clean_kwh: Any  # by hour: drawn from tanks, or there without them


def no_salt(clean_kw: Floats) -> Salt:
    """Of a sky whose clean power is what it is, whatever is drawn."""
    n, none = len(clean_kw), np.zeros(0)
    rows = np.zeros((0, n))
    return Salt(clean_kw.copy(), rows, rows.copy(), none, none.copy(), none.copy(), np.zeros((0, n + 1)), np.zeros(n),
                np.zeros(n), np.zeros(n))  # fmt: skip


@kernel
def begin_hour(salt: Salt, hour: int) -> None:
    """Tanks lose what an hour costs them; what they held is written down."""
    for tank in range(salt.level_kwh.shape[0]):
        salt.levels_kwh[tank, hour] = salt.level_kwh[tank]
        salt.level_kwh[tank] *= salt.kept_frac[tank]


@kernel
def most_kw(salt: Salt, hour: int, hours: float) -> float:
    """What all tanks could give evenly from now on for so many hours within this one."""
    most = 0.0
    for tank in range(salt.level_kwh.shape[0]):
        most += min(salt.block_kw[tank, hour], salt.heat_kw[tank, hour] + salt.level_kwh[tank] / hours)
    return most


@kernel
def offered_kw(salt: Salt, hour: int, planned_kw: float, hours: float) -> float:
    """Clean power that may be counted on for the rest of an hour: the salt that was planned for it, as far as it is
    there, on top of the rest.
    """
    return max(0.0, salt.direct_kw[hour] + min(planned_kw, most_kw(salt, hour, hours)))


@kernel
def clean_most_kw(salt: Salt, hour: int, hours: float) -> float:
    """All clean power that could be had for so many hours."""
    return max(0.0, salt.direct_kw[hour] + most_kw(salt, hour, hours))


@kernel
def give(salt: Salt, hour: int, drawn_kw: float, hours: float) -> float:
    """Serve so much power for so many hours; returns what of it was clean, or might have been without salt, kW.

    Tanks that could give for longest give first: so all are there for as long as may be.
    """
    need_kw = max(0.0, drawn_kw - salt.direct_kw[hour])
    given_kw, done, n = 0.0, 0, salt.level_kwh.shape[0]
    for _time in range(n):
        best, longest_h = -1, -1.0
        for tank in range(n):
            block_kw = salt.block_kw[tank, hour]
            if done & (1 << tank) == 0 and block_kw > LEAST_KW and salt.level_kwh[tank] / block_kw > longest_h:
                best, longest_h = tank, salt.level_kwh[tank] / block_kw
        if best < 0:
            break
        done |= 1 << best
        there_kw = salt.heat_kw[best, hour] + salt.level_kwh[best] / hours
        kw = min(need_kw - given_kw, salt.block_kw[best, hour], there_kw)
        given_kw += kw
        salt.level_kwh[best] -= kw * hours
    for tank in range(n):
        holds_kwh = max(0.0, salt.level_kwh[tank] + salt.heat_kw[tank, hour] * hours)
        salt.level_kwh[tank] = min(holds_kwh, salt.size_kwh[tank])
        salt.spilt_kwh[hour] += holds_kwh - salt.level_kwh[tank]
    clean_kw = max(0.0, salt.direct_kw[hour] + given_kw)
    salt.given_kwh[hour] += given_kw * hours
    salt.clean_kwh[hour] += clean_kw * hours
    return clean_kw
