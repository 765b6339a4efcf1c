"""The verdict in plain words. It follows from the figures, whatever they are."""

from __future__ import annotations

from eureka_park.energy.verdict_schema import Cell, Study
from eureka_park.web.pages.words import N_, Words

_YES = N_("Yes: hour by hour, the plants named could carry {share} of a constant {mw}.")
_ALMOST = N_(
    "Almost: hour by hour, the plants named could carry at most {share} of a constant {mw}; the public grid, the rest."
)
_NO = N_(
    "No: hour by hour, the plants named could carry at most {share} of a constant {mw}; the public grid, the rest."
)
YES_FRAC, ALMOST_FRAC = 0.99, 0.90


def cell_of(study: Study, row: str, scenario: str) -> Cell:
    """The one cell of a row under a scenario."""
    return next(cell for cell in study["cells"] if (cell["row"], cell["scenario"]) == (row, scenario))


def verdict_sentence(study: Study, words: Words) -> str:
    """The first sentence of the report."""
    cell = cell_of(study, "constant", "all-plants")
    share = cell["cfe_frac"]["p50"]
    text = _YES if share >= YES_FRAC else _ALMOST if share >= ALMOST_FRAC else _NO
    return words.say(text, share=words.percent(share), mw=words.power(cell["load_mw"]["p50"]))


def reasons(study: Study, words: Words) -> list[str]:
    """What has to be said right after it: outage, ownership, honest size, what would close the gap."""
    without = cell_of(study, "constant", "noor-iii-out")
    honest = cell_of(study, "cfe-90", "all-plants")
    past = cell_of(study, "constant", "historical-availability")
    told = [
        words.say(
            "Without Noor III it is {share}; with outages as in the past, {past}.",
            share=words.percent(without["cfe_frac"]["p50"]),
            past=words.percent(past["cfe_frac"]["p50"]),
        ),
        words.say(
            "That power is already sold to MASEN and ONEE under long contracts. A park that takes it adds no clean power to the country; it moves it."  # noqa: E501
        ),
        words.say(
            "What these plants could carry to {share}, all of them running, is {mw}.",
            share=words.percent(0.90),
            mw=words.power(honest["load_mw"]["p50"]),
        ),
    ]
    return [*told, *_gap(study, words)]


def _gap(study: Study, words: Words) -> list[str]:
    best = next((size for size in study["sizes"] if size["target_frac"] == 0.90), None)
    if best is None:
        return []
    return [
        words.say(
            "To carry {mw} to {share}, new supply is needed: {what}. It costs about {money} to build.",
            mw=words.power(study["site_mw"]),
            share=words.percent(best["target_frac"]),
            what=additions_text(best, words),
            money=mad_text(best["capital_mad"], words),
        )
    ]


def additions_text(size: object, words: Words) -> str:
    """The sizes of new supply in a row; `nothing` where none is needed."""
    assert isinstance(size, dict)
    parts = []
    if size["wind_mw"] >= 0.5:
        parts.append(words.say("{mw} of wind", mw=words.power(size["wind_mw"])))
    if size["pv_mw"] >= 0.5:
        parts.append(words.say("{mw} of PV", mw=words.power(size["pv_mw"])))
    if size["csp_mw"] >= 0.5:
        hours = words.number(size["csp_tes_h"], 0)
        parts.append(words.say("{mw} of CSP with {h} h of salt", mw=words.power(size["csp_mw"]), h=hours))
    if size["battery_mwh"] >= 0.5:
        parts.append(words.say("a battery of {mwh}", mwh=words.energy(1000 * size["battery_mwh"])))
    return words.joined(parts) if parts else words.say("none")


def mad_text(mad: float, words: Words) -> str:
    """Dirhams in billions or millions."""
    if abs(mad) >= 1e9:
        return words.say("MAD {n} billion", n=words.number(mad / 1e9, 1))
    return words.say("MAD {n} million", n=words.number(mad / 1e6, 0))
