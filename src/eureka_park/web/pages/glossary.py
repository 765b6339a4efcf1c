"""The words a newcomer meets on the pages, each explained in a sentence. docs/nomenclature.md holds the same table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from eureka_park.web.pages.words import N_, Words

TERMS: Final[Mapping[str, tuple[str, str]]] = {
    "salt": (
        N_("molten salt"),
        N_(
            "Salt at 290 to 565 °C in insulated tanks. Mirrors heat it by day; its heat makes electricity after sunset."
        ),
    ),
    "csp": (
        N_("concentrated solar (CSP)"),
        N_("Mirrors gather the sun's beam as heat, which drives a turbine at once or fills the salt for later."),
    ),
    "pv": (
        N_("photovoltaic (PV)"),
        N_("Panels that turn sunlight into electricity at once; nothing is kept for the night."),
    ),
    "wind": (N_("wind farm"), N_("Turbines of Koudia Al Baida, on the hills above Tétouan, by day and by night.")),
    "grid": (
        N_("grid"),
        N_("The public electricity network. The park buys from it where its own plants do not reach."),
    ),
    "meter": (N_("site meter"), N_("Where the whole site is measured: machines, cooling and supply together.")),
    "pue": (
        N_("PUE"),
        N_("Power at the site meter divided by power in the machines; the rest cools and supplies them."),
    ),
    "p10": (
        N_("p10 to p90"),
        N_("The likely range of a forecast: in eight hours of ten the true value lies between p10 and p90."),
    ),
    "job": (N_("job"), N_("One program that runs with the processors, memory and time it asked for.")),
    "firm": (
        N_("firm"),
        N_("Never capped or paused by the power plan once it runs; the grid is bought for it where needed."),
    ),
    "flex": (
        N_("flexible"),
        N_("Runs at the best hour before its deadline; it may be slowed or paused, its work is kept."),
    ),
    "green": (
        N_("green"),
        N_("Runs on the park's own sun, wind and salt alone. The cheapest; it waits or stands still without them."),
    ),
    "checkpoint": (N_("checkpoint"), N_("What a job writes down so that it can go on later from where it stopped.")),
    "frozen": (N_("frozen"), N_("Standing still in place with its memory kept; it goes on where it was.")),
    "capped": (N_("capped"), N_("Running with less power than it could take, so that all fit under the sky.")),
    "receipt": (
        N_("receipt"),
        N_(
            "What a job used: energy hour by hour and by source, carbon and price. All receipts and idle are the meter."
        ),
    ),
    "gco2": (
        N_("gCO₂"),
        N_("Grams of carbon dioxide that stand behind the energy, from building the plants to burning fuel."),
    ),
    "credits": (
        N_("credits"),
        N_(
            "What a job costs: time on machines plus energy at its hour's price. "
            "One credit is one dirham of the site's table."
        ),
    ),
    "synthetic": (
        N_("synthetic"),
        N_("Made by a model from a seed and fitted to published yearly figures; not measured."),
    ),
    "scale-model": (
        N_("scale model"),
        N_(
            "The plan of the full site, every power divided by the same number "
            "until it fits the machines that are here."
        ),
    ),
    "announced": (N_("announced"), N_("Said in public by the project; not yet there, or not confirmed.")),
    "assumption": (
        N_("assumption"),
        N_("A figure that nobody published where we looked; chosen, dated and open to change."),
    ),
    "park-time": (
        N_("park time"),
        N_("The clock of the sky, of plans, deadlines and receipts. In a paced park it runs faster than your watch."),
    ),
    "clean": (N_("clean power"), N_("What the park's own sun, wind and salt give, measured at the site meter.")),
    "curtailed": (N_("curtailed"), N_("Power that sun or wind could have given and nobody took.")),
    "quote": (N_("quote"), N_("What a job would cost before it is sent: by tier and by hour of start.")),
    "matched": (
        N_("matched hour by hour"),
        N_("Clean power counted only in the hour in which the load draws it, whoever holds its contract."),
    ),
    "contracted": (N_("contracted"), N_("Clean power that the park has bought by contract. Noor's is sold to others.")),
    "additional": (N_("additional"), N_("Supply that would be built for the park, so that nobody else loses it.")),
    "foresight": (
        N_("perfect foresight"),
        N_("The whole year known in advance: the best that any operation could reach."),
    ),
    "flexible-share": (N_("flexible share"), N_("The part of the load that may move to other hours of its day.")),
    "share": (
        N_("share"),
        N_("A project's or person's part of the park. Who has used less than that part of late is served first."),
    ),
    "floor": (
        N_("floor"),
        N_("The part of the forecast power that a share is sure of while it wants it. What it leaves is lent."),
    ),
    "half-life": (N_("half-life"), N_("The time after which past use weighs half as much when turns are decided.")),
    "cap-curve": (N_("cap curve"), N_("How much power each cap saves and how much speed it costs, as measured.")),
    "gang": (N_("gang"), N_("A job on several whole machines at once: they start, pause and stop together.")),
    "rack": (N_("rack"), N_("Machines that stand together behind one network switch.")),
    "pod": (N_("pod"), N_("Racks that share the next faster stretch of the network.")),
    "reservation": (N_("reservation"), N_("Machines and a time that are kept for a job that waits.")),
    "backfill": (N_("backfill"), N_("A later job starts in a gap early, because no reserved start moves for it.")),
    "promise": (
        N_("promise"),
        N_("The start that a waiting job was told. Where it comes later, the cause is said and counted."),
    ),
}


def term_in(words: Words, text: str, key: str = "") -> Markup:
    """A word with its explanation on hover and on focus. `key` names the term where it is not the text itself."""
    name, meaning = TERMS[key or text]
    shown = words.say(name) if not key else words.say(text)
    return Markup('<span class="term" tabindex="0">{}<span role="tooltip" class="tip">{}</span></span>').format(
        shown, words.say(meaning)
    )
