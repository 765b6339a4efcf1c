"""What the figures of plants rest on, as the plant data says: measured, announced, published or assumed, by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.plant_data import fact
from eureka_park.foundation.site_file import Plant, Site
from eureka_park.web.pages.words import N_

MEASURED, PUBLISHED, ANNOUNCED, ASSUMPTION, SYNTHETIC = (
    N_("measured"), N_("published"), N_("announced"), N_("assumption"), N_("synthetic"),
)  # fmt: skip
SITE_FILE: Final = N_("site file")
LABEL_MEANINGS: Final = (
    (MEASURED, N_("Read from a meter or stated by those who read one.")),
    (SYNTHETIC, N_("Made by a model from a seed and fitted to published yearly figures; not measured.")),
    (PUBLISHED, N_("Stated by a register, a maker or the press; not checked by us.")),
    (ANNOUNCED, N_("Said in public by the project; not yet there, or not confirmed.")),
    (ASSUMPTION, N_("A figure that nobody published where we looked; chosen, dated and open to change.")),
)
TETOUAN_DEG: Final = (35.57, -5.37)


@dataclass(frozen=True, slots=True)
class Known:
    """What a figure rests on: its label and its source."""

    label: str
    source: str


# What the plant data says of the figures that pages show, for translators; a test keeps the two alike.
SOURCES: Final = (
    N_("csp.guru, edition of mid-2023"),
    N_("net power and efficiency are this product's own, November 2026"),
    N_("first power to the grid, csp.guru"),
    N_("KfW evaluation, June and July 2025: mean of its real years; 370 GWh were planned"),
    N_("csp.guru; others write 6 and 7.2 h"),
    N_("planned, csp.guru; what it really gave was not found"),
    N_("solarpaces.org"),
    N_("Sener; csp.guru writes 7 h"),
    N_("on line in December 2018, csp.guru"),
    N_("KfW project page"),
    N_("works from April 2017, planned for a year: Modern Power Systems"),
    N_("at least 119 GWh planned, page of the KfW project"),
    N_("20 machines of 5 MW: electrical-engineering-morocco.com, March 2024"),
    N_("planned for the first half of 2024: medias24, MEES"),
    N_(
        "this product's estimate, range 330 to 410 GWh; "
        "two and a half times the old farm's 200 GWh, as the press wrote, is not credible at 100 MW"
    ),
)
SHOWN: Final = ("gross_mw", "power_block_mw", "tes_h", "commissioned", "year_gwh_published")
OUTAGES: Final[Mapping[str, tuple[str, str]]] = {
    "noor-iii": (
        N_(
            "It stood still from summer 2021 to early 2023 after its salt tank leaked, and again from 21 March 2024; "
            "a return was announced for November 2024. No page that confirms the return was found. "
            "The plan on these pages counts it as running."
        ),
        "Zawya/Reuters; MEES, 25 March 2022 and 10 March 2023; pv-magazine",
    ),
}
CONTRACTS: Final = N_(
    "The power of Noor is sold to MASEN and ONEE under contracts of 25 years. It can reach Tétouan only through the "
    "public grid: what is shown here is matched hour by hour, not contracted."
)
# What a plant of the built-in site reaches its site through; other sites say nothing of it.
THROUGH_GRID: Final = frozenset({"ouarzazate"})


def is_eureka_park(site: Site) -> bool:
    """Whether the plants are those of the built-in site."""
    return (site.scale.of if site.scale else site.name) == "eureka-park"


def known(plant: Plant, field: str) -> Known:
    """What a figure of a plant rests on: the plant data's word, or the site file's where it sets its own."""
    found = fact(plant, field)
    if found.label != "site file":
        return Known(found.label, found.source)
    return Known(ANNOUNCED if plant.status == "announced" else SITE_FILE, plant.source)
