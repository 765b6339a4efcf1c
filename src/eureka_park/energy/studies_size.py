"""What must be built: additions for one share or many, and what changes them, told as one JSON value.

With one share its figures stand at the top; with several there is one entry of `sizes` for each. Figures of the year
are medians over the years that were run, `_p10` and `_p90` beside; every one of those years reaches the share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from eureka_park import __version__
from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.energy.crew import n_cores, run_all
from eureka_park.energy.studies import DEFAULT_SCENARIO, FORESIGHT, told_basis, years_request
from eureka_park.foundation.cost_data import cost_facts, cost_sections
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import Site

PARETO_SHARES: Final = (0.50, 0.60, 0.70, 0.80, 0.85, 0.90, 0.95, 0.99)
DULL_SEEDS: Final = tuple(range(1, 21))
WIND_PLANNED_MW: Final = 40.0
Step = Callable[[str, int], None]
Done = Callable[[int, int], None]
METHOD: Final = (
    "least yearly cost over every hour of every year by planes under each week (Benders), then whole years by the same "
    "program as park energy year; where a year falls short the search goes on, so every year told reaches the share"
)
ERROR: Final = "error_frac: what the weeks promised less what the whole year gives, where it is largest; share of load"
EXISTING: Final = (
    "The site's own plants come first and are counted although their power is sold to others; additions are new supply."
)
FLEXIBLE: Final = (
    "Assumption: work that moves within its local day costs nothing; whoever runs it chose a tier with a deadline."
)
_COST_CASES: Final[tuple[dict[str, Any], ...]] = (
    {"name": "as in the table"},
    *(
        {"name": f"{title} {100 * (factor - 1):+.0f} %", "scale": dict.fromkeys(parts, factor)}
        for title, parts in (
            ("wind", ("wind",)), ("PV", ("pv",)), ("CSP", ("csp-tower", "csp-trough")), ("battery", ("battery",)),
        )
        for factor in (0.8, 1.2)
    ),
)  # fmt: skip


def sizing_study(
    site: Site,
    load_mw: float | Sequence[float],
    shares: Sequence[float] | float,
    seeds: Sequence[int] = (1,),
    *,
    weather: Mapping[str, Path] | None = None,
    scenario: str = DEFAULT_SCENARIO,
    without: Sequence[str] = (),
    flex_frac: float = 0.0,
    life_years: float | None = None,
    least: str = "additions",
    most_mw: Mapping[str, float] | None = None,
    n_workers: int | None = None,
    step: Step | None = None,
    progress: Done | None = None,
) -> dict[str, Any]:
    """The cheapest additions for each share of `shares` (0 to 1), in every year of `seeds` or of the weather files.

    `least`: `additions`, their own yearly cost; `all`, what is then bought and sold too. `most_mw` limits new plants by
    type (`wind`, `pv`, `csp-tower`, `csp-trough`, `battery`). Several shares are spread over `n_workers` processes
    (default: the cores), with `progress(done, of)`; one share is computed here, with `step(what, number)`. The answer
    does not depend on `n_workers`. Raises BadInput.
    """
    wanted = _checked_shares(shares)
    request = _request(site, load_mw, seeds, weather, scenario, without, flex_frac, life_years, least, most_mw or {})
    parts = _parts(wanted, n_workers or n_cores())
    requests = [{**request, "task": "size", "shares": list(part)} for part in parts]
    answers = [_here(requests[0], step)] if len(requests) == 1 else run_all(requests, n_workers, progress)
    by_share = {
        share: told
        for part, answer in zip(parts, answers, strict=True)
        for share, told in zip(part, answer["sizes"], strict=True)
    }
    sizes = [by_share[share] for share in wanted]
    return {
        "what": "size",
        **_head(site, request, seeds, weather),
        **(sizes[0] if len(wanted) == 1 else {"sizes": sizes}),
        "existing": EXISTING,
        "flexible": FLEXIBLE,
        "method": METHOD,
        "error": ERROR,
        **told_basis(site, answers[0]["basis"]),
        "supply": "",  # `existing` says it: additions are additional
        "assumptions": assumptions(life_years),
    }


def sensitivities(
    site: Site,
    load_mw: float | Sequence[float],
    share: float,
    seeds: Sequence[int] = (1,),
    *,
    weather: Mapping[str, Path] | None = None,
    scenario: str = DEFAULT_SCENARIO,
    without: Sequence[str] = (),
    flex_frac: float = 0.0,
    life_years: float | None = None,
    n_workers: int | None = None,
    progress: Done | None = None,
) -> list[dict[str, Any]]:
    """What changes the additions for one share: costs, interest, Noor III, a dull year, prices, carbon, flexible load.

    One entry for each case: `name`, `from` (the case it is compared with), `size`, and `change_mw` by type. Cases
    `with what is bought` seek the least cost of additions, bought and sold energy together.
    """
    wanted = _checked_shares(share)
    request = _request(site, load_mw, seeds, weather, scenario, without, flex_frac, life_years, "additions", {})
    requests = list(_cases({**request, "task": "size-cases", "shares": list(wanted)}, site, weather))
    answers = run_all(requests, n_workers, progress)
    rows = [row for answer in answers for row in answer["cases"]]
    return list(_compared(rows))


def assumptions(life_years: float | None = None) -> list[dict[str, Any]]:
    """Every figure of the cost table with what it rests on; and the one life for everything where it was asked for."""
    rows: list[dict[str, Any]] = [
        {
            "name": f"{section}.{name}",
            "value": fact.value,
            "unit": fact.unit,
            "label": fact.label,
            "source": fact.source,
            "date": fact.date,
        }
        for section in cost_sections()
        for name, fact in cost_facts(section).items()
    ]
    if life_years is not None:
        rows.append(
            {"name": "life_years", "value": life_years, "unit": "year", "label": "asked", "source": "", "date": ""}
        )
    return rows


def _cases(request: dict[str, Any], site: Site, weather: Mapping[str, Path] | None) -> Any:
    """Requests whose answers follow each other in the table; each lays its own weeks out."""
    costs = Costs.of_table()
    rates = [
        {"name": f"interest {100 * costs[key]:.1f} %", "set": {"money.discount_frac": costs[key]}}
        for key in ("money.discount_low_frac", "money.discount_high_frac")
    ]
    yield {**request, "cases": [*_COST_CASES, *rates]}

    def one(name: str, **changes: Any) -> dict[str, Any]:
        return {**request, "cases": [{"name": name}], **changes}

    yield one("20 % of the load may move within its day", flex_frac=0.2)
    yield one(f"at most {WIND_PLANNED_MW:g} MW of new wind", most_mw={"wind": WIND_PLANNED_MW})
    if site.plants:
        yield one("no plant of the site counts: its power is sold", without=[plant.id for plant in site.plants])
    if request["scenario"] == DEFAULT_SCENARIO and any("noor-iii" in (p.id, p.known_as) for p in site.plants):
        yield one("without Noor III", scenario="noor-iii-out")
    if not weather:
        seed = run_all([{**request, "task": "size-dullest", "seeds": list(DULL_SEEDS)}], 1)[0]["seed"]
        yield one(f"the dullest of 20 years (seed {seed})", seeds=[seed])
    bought = {"least": "all"}
    yield one("with what is bought", **bought)
    grid, policy = site.grid, site.policy
    for factor in (0.0, 2.0):
        prices = {
            name: getattr(grid, name) * factor for name in ("surplus_peak_mad_per_mwh", "surplus_off_peak_mad_per_mwh")
        }
        yield one(f"with what is bought, surplus price times {factor:g}", grid=prices, **bought)
    for factor in (0.0, 3.0):
        weight = {"carbon_weight_mad_per_kg": policy.carbon_weight_mad_per_kg * factor}
        yield one(f"with what is bought, carbon weight times {factor:g}", policy=weight, **bought)


def _compared(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Each case beside its own base: what it builds more or less of each type, and what that costs."""
    base = {False: rows[0], True: next((row for row in rows if row["name"] == "with what is bought"), rows[0])}
    for row in rows:
        other = base[row["name"].startswith("with what is bought")]
        was, now = by_type_mw(other["size"]), by_type_mw(row["size"])
        change = {kind: now.get(kind, 0.0) - was.get(kind, 0.0) for kind in sorted({*was, *now})}
        yield {
            "name": row["name"],
            "from": other["name"],
            "by_type_mw": now,
            "change_mw": change,
            "capital_change_musd": row["size"]["capital_musd"] - other["size"]["capital_musd"],
            "yearly_change_mmad": row["size"]["yearly_mmad"] - other["size"]["yearly_mmad"],
            "size": {key: value for key, value in row["size"].items() if key not in ("site_toml", "by_year", "before")},
        }


def by_type_mw(size: Mapping[str, Any]) -> dict[str, float]:
    """New power by type; `battery_mwh` and `salt_h` beside."""
    found: dict[str, float] = {}
    for item in size["additions"]:
        found[item["type"]] = found.get(item["type"], 0.0) + item["power_mw"]
        if item["energy_mwh"]:
            found["battery_mwh"] = found.get("battery_mwh", 0.0) + item["energy_mwh"]
    return found


def _here(request: Mapping[str, Any], step: Step | None) -> dict[str, Any]:
    from eureka_park.energy.size_tasks import size

    return size(request, step)


def _checked_shares(shares: Sequence[float] | float) -> tuple[float, ...]:
    found = tuple(float(share) for share in ([shares] if isinstance(shares, int | float) else shares))
    for share in found:
        if not 0.0 <= share <= 1.0:
            raise BadInput(f"cfe = {share:g} is outside 0 to 1.", fix="Give a share such as 0.9.", field="cfe")
    if not found:
        raise BadInput("No share was given.", fix="Give one or more, such as 0.9.", field="cfe")
    return tuple(dict.fromkeys(found))


def _parts(shares: Sequence[float], n_workers: int) -> list[tuple[float, ...]]:
    """Shares dealt out to workers, each a rising row of its own: planes of one help the next."""
    n_parts = max(1, min(n_workers, len(shares) // 2 or 1))
    ordered = sorted(shares)
    return [tuple(ordered[start::n_parts]) for start in range(n_parts)]


def _request(
    site: Site,
    load_mw: float | Sequence[float],
    seeds: Sequence[int],
    weather: Mapping[str, Path] | None,
    scenario: str,
    without: Sequence[str],
    flex_frac: float,
    life_years: float | None,
    least: str,
    most_mw: Mapping[str, float],
) -> dict[str, Any]:
    if least not in ("additions", "all"):
        raise BadInput(f"least = '{least}' is not known.", fix="Give additions or all.", field="least")
    if life_years is not None and not 1.0 <= life_years <= 100.0:
        raise BadInput(f"{life_years:g} years is no life of a plant.", fix="Give 1 to 100.", field="life_years")
    load = load_mw if isinstance(load_mw, int | float) else [float(value) for value in load_mw]
    if not isinstance(load, float | int) and len(load) != HOURS_PER_YEAR:
        raise BadInput(
            f"The load has {len(load)} hours, a year {HOURS_PER_YEAR}.", fix="Give one value for each.", field="load"
        )
    if not float(np.sum(load)) > 0.0:
        raise BadInput("There is no load to size for.", fix="Give a load of more than 0 MW.", field="load_mw")
    return {
        **years_request(site, seeds, weather, scenario, without),
        "seeds": list(seeds),
        "weather": {place: str(path) for place, path in (weather or {}).items()},
        "load_mw": load,
        "flex_frac": flex_frac,
        "life_years": life_years,
        "least": least,
        "most_mw": dict(most_mw),
    }


def _head(
    site: Site, request: Mapping[str, Any], seeds: Sequence[int], weather: Mapping[str, Path] | None
) -> dict[str, Any]:
    costs = Costs.of_table()
    return {
        "version": __version__,
        "site": site.name,
        **{name: request[name] for name in ("scenario", "without", "flex_frac", "life_years", "least", "most_mw")},
        "load": "constant" if isinstance(request["load_mw"], int | float) else "profile",
        "load_mean_mw": float(np.mean(request["load_mw"])),
        "seeds": [] if weather else list(seeds),
        "n_years": 1 if weather else len(seeds),
        "mad_per_usd": costs.mad_per_usd,
        "discount_frac": costs["money.discount_frac"],
        "foresight": FORESIGHT,
    }
