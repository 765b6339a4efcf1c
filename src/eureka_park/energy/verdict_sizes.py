"""New supply of the verdict: the least-cost additions for some loads and shares, as `park energy size` finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eureka_park.energy.crew import Progress, run_all
from eureka_park.energy.verdict_schema import Additions, Point
from eureka_park.foundation.site_file import Site, site_to_json

_KINDS: Final = {"wind": "wind", "pv": "pv", "csp-trough": "csp", "csp-tower": "csp", "battery": "battery"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A constant load under a scenario, and the shares it shall reach."""

    scenario: str
    load_mw: float
    shares: tuple[float, ...]


def sizes_of(
    site: Site, asked: Sequence[Asked], seed: int, n_workers: int | None = None, progress: Progress | None = None
) -> list[list[dict[str, Any]]]:
    """For each question its answers in the order of its shares, each as `park energy size --json` tells it."""
    requests = [
        {
            "task": "size",
            "site": site_to_json(site),
            "scenario": item.scenario,
            "without": [],
            "flex_frac": 0.0,
            "seeds": [seed],
            "load_mw": item.load_mw,
            "shares": list(item.shares),
        }
        for item in asked
    ]
    return [answer["sizes"] for answer in run_all(requests, n_workers, progress)]


def additions_from(size: Mapping[str, Any], asked: Asked, seed: int) -> Additions:
    """One answer as the verdict keeps it."""
    target = float(size["cfe_target_frac"])
    sums = _sums(size["additions"])
    load = f"--load-mw {asked.load_mw:.6g} --cfe {target:g}"
    return {
        "target_frac": target,
        "reached_frac": float(size["cfe_frac"]),
        "is_reached": bool(size["is_reached"]),
        "wind_mw": sums["wind"],
        "pv_mw": sums["pv"],
        "csp_mw": sums["csp"],
        "csp_tes_h": sums["tes_h"],
        "battery_mw": sums["battery"],
        "battery_mwh": sums["mwh"],
        "capital_mad": 1e6 * float(size["capital_mmad"]),
        "mad_per_kwh": float(size["all_mad_per_kwh"]),
        "gco2_per_kwh": float(size["gco2_per_kwh"]),
        "land_ha": float(size["land_ha"]),
        "command": f"park energy size {load} --scenario {asked.scenario} --seeds {seed}",
    }


def point_from(size: Mapping[str, Any]) -> Point:
    """One answer as a point of the trade-off."""
    sums = _sums(size["additions"])
    return {
        "cfe_frac": float(size["cfe_frac"]),
        "mad_per_kwh": float(size["all_mad_per_kwh"]),
        "capital_mad": 1e6 * float(size["capital_mmad"]),
        "gco2_per_kwh": float(size["gco2_per_kwh"]),
        "wind_mw": sums["wind"],
        "pv_mw": sums["pv"],
        "csp_mw": sums["csp"],
        "battery_mwh": sums["mwh"],
    }


def _sums(additions: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Powers by kind; hours of salt as a mean over the power of new CSP; the battery's energy."""
    sums = dict.fromkeys(("wind", "pv", "csp", "battery", "tes_h", "mwh"), 0.0)
    for item in additions:
        kind, power = _KINDS[str(item["type"])], float(item["power_mw"])
        sums[kind] += power
        if kind == "csp":
            sums["tes_h"] += power * float(item["tes_h"] or 0.0)
        if kind == "battery":
            sums["mwh"] += float(item["energy_mwh"] or 0.0)
    sums["tes_h"] = sums["tes_h"] / sums["csp"] if sums["csp"] > 0 else 0.0
    return {name: round(value, 1) for name, value in sums.items()}
