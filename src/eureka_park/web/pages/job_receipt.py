"""A receipt as a picture: a ring by source, bars by hour, the same as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eureka_park.bootstrap import Park
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.foundation.units import HOUR_S, parse_instant_s
from eureka_park.web.charts.hour_bars import HourBar, hour_bars
from eureka_park.web.charts.plan import data_block
from eureka_park.web.charts.tank import ring
from eureka_park.web.pages.draw import colours_of, names_of
from eureka_park.web.pages.words import CLOSE, N_, OPEN, Words, isolated


def figure_and_unit(text: str) -> tuple[str, str]:
    """A figure apart from its unit, for a narrow place; the whole text where it cannot be divided."""
    figure, _, unit = text.strip(OPEN + CLOSE).partition(CLOSE)
    return isolated(figure), unit.strip()


def used_of(words: Words, receipt: Mapping[str, Any]) -> str:
    """The receipt in one sentence."""
    total, grid = receipt["kwh"], receipt["kwh_by_source"].get(GRID_SOURCE_ID, 0.0)
    return words.say(
        "It used {energy}, {share} of it from sun, wind and salt, and stands for {gco2} of CO₂.",
        energy=words.energy(total),
        share=words.percent((total - grid) / total if total else None),
        gco2=words.grams(receipt["gco2"]),
    )


def receipt_of(park: Park, words: Words, receipt: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of a receipt. Sources in the site's order, those that gave nothing left out."""
    names, colours = names_of(park, words), colours_of(park)
    total, amounts = receipt["kwh"], receipt["kwh_by_source"]
    ids = [name for name in park.site.source_ids if amounts.get(name)]
    ids.sort(key=lambda name: _ORDER.index(colours[name]) if colours[name] in _ORDER else len(_ORDER))
    figure, unit = figure_and_unit(words.energy(total))
    by_css: dict[str, tuple[str, float]] = {}
    for name in ids:
        shown, amount = by_css.get(colours[name], ("", 0.0))
        by_css[colours[name]] = (words.joined(filter(None, [shown, names[name]])), amount + amounts[name])
    bars = [
        HourBar(
            words.clock(parse_instant_s(hour["hour_at"])),
            [(colours[name], names[name], hour["kwh_by_source"].get(name, 0.0)) for name in ids],
        )
        for hour in receipt["hours"]
    ]
    return {
        "energy": words.energy(total),
        "it_energy": words.energy(receipt["it_kwh"]),
        "gco2": words.grams(receipt["gco2"]),
        "intensity": words.number(receipt["gco2"] / total, 0) if total else "–",
        "credits": words.number(receipt["credits"], 6 if receipt["credits"] < 1 else 2),
        "method": receipt["method"],
        "scale_model": receipt["scale_model"],
        "ring": ring(
            [(css, shown, kwh) for css, (shown, kwh) in by_css.items()],
            figure,
            words.say("Energy by source"),
            unit,
        ),
        "bars": hour_bars(bars, words, words.say("Energy by hour and source"), data_id="receipt-data"),
        "readings": data_block("receipt-data", [_told(words, item) for item in bars]),
        "sources": [
            {
                "css": colours[name],
                "name": names[name],
                "energy": words.energy(amounts[name]),
                "share": words.percent(amounts[name] / total if total else None),
            }
            for name in ids
        ],
        "rows": [_row(words, hour, ids) for hour in receipt["hours"]],
        "refunds": [_refund(words, item) for item in receipt.get("refunds", ())],
    }


_REFUNDED: Final = {
    "lost_node": N_("a machine that failed lost the work"),
    "disturbed": N_("firm work was disturbed"),
    "unknown": N_("the park failed it"),
}


def _refund(words: Words, item: Mapping[str, Any]) -> str:
    """When, how much was paid back for how long, and why."""
    return words.say(
        "{time}: {credits} credits for {length} of machine time, as {why}.",
        time=words.when(parse_instant_s(item["at"])),
        credits=words.number(item["credits"], 2),
        length=words.duration(item["node_h"] * HOUR_S),
        why=words.say(_REFUNDED.get(item["why"], _REFUNDED["unknown"])),
    )


_ORDER = ("wind", "pv", "csp", "salt", "battery", "grid")


def _told(words: Words, item: HourBar) -> list[str]:
    """An hour as it is read: its time, its energy, and what each source gave of it."""
    shares = [words.pair(name, words.energy(kwh)) for _css, name, kwh in item.shares if kwh > 0]
    return [item.text, words.energy(item.kwh), *shares]


def _row(words: Words, hour: Mapping[str, Any], ids: list[str]) -> list[str]:
    cells = [words.energy(hour["kwh_by_source"].get(name, 0.0)) for name in ids]
    credits = words.number(hour["credits"], 6)
    return [
        words.when(parse_instant_s(hour["hour_at"])),
        *cells,
        words.energy(hour["kwh"]),
        words.grams(hour["gco2"]),
        credits,
    ]
