"""Booking energy: what accounts used in an interval, split by hour and by source into lines that add up exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eureka_park.foundation.errors import Internal
from eureka_park.ledger.core.exact import MICRO, micro, split, split_hours
from eureka_park.ledger.core.metering import Attribution, site_energy
from eureka_park.ledger.core.receipt import HourLine

_FRACTIONS_MISS_MAX = 1e-6
_NANO_PER_UJ_AND_KWH = 3600 * MICRO  # uJ x (micro-unit per kWh) / this = nano-units


@dataclass(frozen=True, slots=True)
class EnergyLine:
    """What one account (a job's id, or `idle`) used: at the node and at the site meter, and from which sources.

    `shares`: fractions by source id that add up to 1. `tier`: the tier of the job, or `idle`.
    """

    account: str
    it_uj: int
    site_uj: int
    shares: Mapping[str, float]
    tier: str = ""


@dataclass(frozen=True, slots=True)
class EnergyBooking:
    """The energy of one node over `[start_s, end_s)` in park time, by account; the lines add up to the node's totals.

    `gco2_per_kwh` and `mad_per_kwh` are per kWh at the site meter, by source.
    """

    start_s: float
    end_s: float
    lines: tuple[EnergyLine, ...]
    gco2_per_kwh: Mapping[str, float]
    mad_per_kwh: Mapping[str, float]
    node_it_uj: int
    node_site_uj: int
    method: str

    @classmethod
    def of(
        cls,
        attribution: Attribution,
        *,
        start_s: float,
        end_s: float,
        pue: float,
        shares: Mapping[str, Mapping[str, float]],
        gco2_per_kwh: Mapping[str, float],
        mad_per_kwh: Mapping[str, float],
    ) -> EnergyBooking:
        """The booking of an attribution, in the park hours `[start_s, end_s)`. `shares`: by account, then by source."""
        it_uj = attribution.by_account()
        site_uj = site_energy(it_uj, pue)
        return cls(
            start_s=start_s,
            end_s=end_s,
            lines=tuple(EnergyLine(name, it_uj[name], site_uj[name], shares[name]) for name in it_uj if it_uj[name]),
            gco2_per_kwh=gco2_per_kwh,
            mad_per_kwh=mad_per_kwh,
            node_it_uj=attribution.node_uj,
            node_site_uj=sum(site_uj.values()),
            method=attribution.method,
        )


def check_booking(booking: EnergyBooking) -> None:
    """Raise Internal unless the lines add up to the node's totals and the sources of each to the whole."""
    sums = (sum(line.it_uj for line in booking.lines), sum(line.site_uj for line in booking.lines))
    if sums != (booking.node_it_uj, booking.node_site_uj):
        raise Internal(
            f"Accounts have {sums} uJ, the node {(booking.node_it_uj, booking.node_site_uj)}.",
            fix="Report this.",
        )
    for line in booking.lines:
        if line.it_uj == line.site_uj == 0:
            continue  # nothing to split, so its shares may be empty
        is_whole = abs(sum(line.shares.values()) - 1.0) <= _FRACTIONS_MISS_MAX
        if min(line.it_uj, line.site_uj, *line.shares.values()) < 0 or not is_whole:
            raise Internal(f"The energy of {line.account} does not split by {dict(line.shares)}.", fix="Report this.")


def hour_lines(booking: EnergyBooking) -> Iterator[tuple[str, HourLine]]:
    """The booking as (account, line of one hour and source); per account they add up to its energy exactly."""
    for line in booking.lines:
        if line.it_uj == line.site_uj == 0:
            continue
        site_hours = split_hours(booking.start_s, booking.end_s, line.site_uj)
        it_hours = split_hours(booking.start_s, booking.end_s, line.it_uj)
        weights = list(line.shares.values())
        for (hour_s, it_uj), (_, site_uj) in zip(it_hours, site_hours, strict=True):
            cells = zip(line.shares, split(it_uj, weights), split(site_uj, weights), strict=True)
            for source, it_part_uj, site_part_uj in cells:
                if it_part_uj or site_part_uj:
                    yield line.account, _line(booking, hour_s, source, it_part_uj, site_part_uj)


def _line(booking: EnergyBooking, hour_s: int, source: str, it_uj: int, site_uj: int) -> HourLine:
    gco2_ng = _nano(site_uj, booking.gco2_per_kwh[source])
    cost_nmad = _nano(site_uj, booking.mad_per_kwh[source])
    return HourLine(hour_s, source, it_uj, site_uj, gco2_ng, cost_nmad, booking.method)


def _nano(energy_uj: int, per_kwh: float) -> int:
    """Energy times a rate per kWh, in billionths of the rate's unit."""
    return (energy_uj * micro(per_kwh) + _NANO_PER_UJ_AND_KWH // 2) // _NANO_PER_UJ_AND_KWH
