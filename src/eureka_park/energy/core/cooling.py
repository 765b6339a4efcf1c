"""Between the site meter and the machines: cooling and supply. The only place that knows PUE depends on load."""

from __future__ import annotations

from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.site_file import Pue


def site_mw_from_it_mw(it_mw: float, pue: Pue, outdoor_c: float | None = None) -> float:
    """Power at the site meter for an IT power; MW.

    At rated IT load in mild weather it is `nominal` times the IT power. A share of the rated overhead is drawn at any
    load; the rest follows the load and grows above `outdoor_c_ref`. Without `outdoor_c` the weather is mild.
    """
    return _fixed_mw(pue) + max(0.0, it_mw) * _slope(pue, outdoor_c)


def it_mw_from_site_mw(site_mw: float, pue: Pue, outdoor_c: float | None = None) -> float:
    """The exact inverse: IT power that a site power feeds; 0 where the fixed overhead takes it all. MW."""
    return max(0.0, site_mw - _fixed_mw(pue)) / _slope(pue, outdoor_c)


def it_mw_beyond_fixed(site_mw: Floats, pue: Pue) -> Floats:
    """As `it_mw_from_site_mw`, of many powers in mild weather; below 0 where the fixed overhead takes more. MW."""
    return (site_mw - _fixed_mw(pue)) / _slope(pue, None)


def _fixed_mw(pue: Pue) -> float:
    return (pue.nominal - 1.0) * pue.fixed_share_frac * (pue.it_mw_rated or 0.0)


def _slope(pue: Pue, outdoor_c: float | None) -> float:
    warmer_c = 0.0 if outdoor_c is None else max(0.0, outdoor_c - pue.outdoor_c_ref)
    following = (pue.nominal - 1.0) * (1.0 - pue.fixed_share_frac)
    return 1.0 + following * (1.0 + pue.outdoor_slope_frac_per_c * warmer_c)
