"""What a `[[plants]]` block leaves out: facts of the known plant that it names, then what its type usually has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eureka_park.foundation.plant_data import Fact, facts, known_plants, type_facts
from eureka_park.foundation.plant_file import Plant

_WHOLE: Final = frozenset({"n_turbines"})


def filled_plants(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a site file with every plant filled in. What is of a wrong kind is left for the check."""
    plants = data.get("plants")
    if not isinstance(plants, list):
        return dict(data)
    filled = [filled_plant(item) if isinstance(item, dict) else item for item in plants]
    places = data.get("weather_sites")
    first = places[0].get("id") if isinstance(places, list) and places and isinstance(places[0], dict) else None
    for item in filled:
        if isinstance(item, dict) and item.get("type") == "battery" and first is not None:
            item.setdefault("weather_site", first)  # a battery has no weather, but it stands somewhere
    return {**data, "plants": filled}


def filled_plant(block: Mapping[str, Any]) -> dict[str, Any]:
    """One block: its own words first, then those of the known plant, then defaults of the type in the order below."""
    name = block.get("known_as")
    known = facts(name) if isinstance(name, str) and name in known_plants() else {}
    own = {key: _plain(key, fact) for key, fact in known.items() if key in Plant.model_fields}
    if known:
        own = {"id": name, **own, "source": known_source(known)}
    filled = {**own, **block}
    plant_type = filled.get("type")
    usual = type_facts(plant_type) if isinstance(plant_type, str) else {}
    filled |= {key: _plain(key, fact) for key, fact in usual.items() if key in Plant.model_fields and key not in filled}
    for key, value in _derived(filled, usual).items():
        filled.setdefault(key, value)
    return filled


def known_source(known: Mapping[str, Fact]) -> str:
    """What the facts of a known plant rest on, in one line: each source once, assumptions named as such."""
    merged = (fact for key, fact in known.items() if key in Plant.model_fields)
    texts = (f"assumption: {fact.source}" if fact.label == "assumption" else fact.source for fact in merged)
    return "; ".join(dict.fromkeys(texts))


def merged_facts_text(data: Mapping[str, Any]) -> str:
    """What known plants add to a site file, as comments: value, label, source and date of each figure."""
    lines: list[str] = []
    for block in data.get("plants") or ():
        name = block.get("known_as") if isinstance(block, dict) else None
        if not isinstance(name, str) or name not in known_plants():
            continue
        lines += ["", f"# {block.get('id', name)}: known as {name}"]
        for key, fact in facts(name).items():
            if key not in block:
                lines.append(f"#   {key} = {fact.text}  ({fact.label}: {fact.source}; {fact.date})")
    return "\n".join(lines)


def _derived(filled: Mapping[str, Any], usual: Mapping[str, Fact]) -> dict[str, Any]:
    """What follows from the size of a plant, by the figures of its type."""
    gross = filled.get("gross_mw")
    if isinstance(gross, bool) or not isinstance(gross, int | float) or gross <= 0:
        return {}

    def usually(name: str) -> float:
        value = filled.get("parameters", {}).get(name, usual[name].value)
        return float(value)

    if filled["type"] in ("csp-trough", "csp-tower"):
        return _derived_csp(filled, float(gross), usually)
    if filled["type"] == "wind":
        return {"n_turbines": max(1, round(gross / usually("turbine_mw")))}
    if filled["type"] == "battery":
        return {"energy_mwh": gross * usually("energy_h"), "charge_mw": float(gross)}
    return {}


def _derived_csp(filled: Mapping[str, Any], gross: float, usually: Any) -> dict[str, Any]:
    try:
        block = float(filled.get("power_block_mw", gross * usually("net_of_gross_frac")))
        mirrors = usually("mirror_m2_per_mw") + usually("mirror_m2_per_mw_and_h") * float(filled["tes_h"])
        derived = {"power_block_mw": block, "mirror_area_m2": gross * mirrors}
        if filled["type"] == "csp-tower":
            derived["receiver_mw_th"] = usually("receiver_per_block") * gross / usually("eta_gross_frac")
    except (TypeError, ValueError, AttributeError):
        return {}
    return derived


def _plain(key: str, fact: Fact) -> Any:
    return int(fact.value) if key in _WHOLE and isinstance(fact.value, float) else fact.value
