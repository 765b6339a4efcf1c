"""Words that reach a page through data (states, tiers, methods, kinds, chapters), marked so that catalogues hold them.

Pages say them by the code itself: `words.say(job["state"])`. A test compares every table with the code's own
enumeration, so a new state cannot appear on a page without its words.
"""

from __future__ import annotations

from typing import Final

from eureka_park.web.pages.words import N_

STATES: Final = (
    N_("queued"),
    N_("starting"),
    N_("running"),
    N_("pausing"),
    N_("paused"),
    N_("frozen"),
    N_("finished"),
    N_("failed"),
    N_("cancelled"),
    N_("lost"),
)
# What a timeline says beside states: a cap, and the moment before the end.
HAPPENINGS: Final = (N_("capped"), N_("ending"), N_("promised"))
TIERS: Final = (N_("firm"), N_("flex"), N_("green"))
CLASSES: Final = (N_("batch"), N_("interactive"), N_("service"))
METHODS: Final = (N_("measured"), N_("modelled"))
PLANT_TYPES: Final = (N_("csp-trough"), N_("csp-tower"), N_("pv"), N_("wind"), N_("battery"))
PLANT_STATUS: Final = (N_("operating"), N_("announced"))
CHART_UNITS: Final = (N_("GW"), N_("MW"), N_("kW"), N_("W"))
PLANTS: Final = (N_("Noor I"), N_("Noor II"), N_("Noor III"), N_("Noor IV"), N_("Koudia Al Baida"))
# What the site files of the package say of themselves, shown on the page of the site.
SITE_TEXTS: Final = (
    N_("found on this machine; CPU and idle power are assumptions where no meter is readable"),
    N_(
        "Announced: 386 MW of site capacity, power from Noor Ouarzazate and Koudia Al Baida. The announcement names no "
        "hardware: node classes and everything marked assumption are this product's own. The power of Noor is sold to "
        "MASEN/ONEE under 25-year contracts and reaches Tétouan only through the grid: figures here are matched hour "
        "by hour, not contracted."
    ),
)
# The chapters of a watched day, title and text.
CHAPTERS: Final = (
    N_("Before sunrise"),
    N_("It is still dark. Firm work runs on the wind and the grid; green work waits for the sun."),
    N_("Sunrise"),
    N_("The first light reaches the panels and the mirrors. Work that waited for the sun begins."),
    N_("The salt fills"),
    N_("The mirrors gather more heat than the turbines take. The rest goes into the salt tanks, for the evening."),
    N_("Sunset"),
    N_("The sun goes down and the panels fade. The tanks begin to give what they gathered."),
    N_("The salt takes over"),
    N_("No sun, and the work goes on: hot salt makes steam, and steam drives the turbines."),
    N_("Night: the wind and what is left of the salt"),
    N_("The tanks have given what they had. Green work stands still and loses nothing; firm work goes on."),
)
