"""What the figures of Eureka Park's plants rest on: measured, announced, published or assumed, and by whom.

Figures of any other site are labelled by the site file alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

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


_CSP_GURU: Final = Known(PUBLISHED, N_("csp.guru, edition of mid-2023"))
_NET: Final = Known(ASSUMPTION, N_("net power and efficiency are this product's own, November 2026"))
_FIGURES: Final[Mapping[str, Mapping[str, tuple[object, Known]]]] = {
    "noor-i": {
        "gross_mw": (160.0, _CSP_GURU),
        "power_block_mw": (145.0, _NET),
        "tes_h": (3.0, _CSP_GURU),
        "commissioned": ("2016-02-05", Known(PUBLISHED, N_("first power to the grid, csp.guru"))),
        "year_gwh_published": (
            424.0,
            Known(MEASURED, N_("KfW evaluation, June and July 2025: mean of its real years; 370 GWh were planned")),
        ),
    },
    "noor-ii": {
        "gross_mw": (200.0, _CSP_GURU),
        "power_block_mw": (185.0, _NET),
        "tes_h": (7.0, Known(PUBLISHED, N_("csp.guru; others write 6 and 7.2 h"))),
        "commissioned": ("2018-01", _CSP_GURU),
        "year_gwh_published": (600.0, Known(ANNOUNCED, N_("planned, csp.guru; what it really gave was not found"))),
    },
    "noor-iii": {
        "gross_mw": (150.0, _CSP_GURU),
        "power_block_mw": (140.0, _NET),
        "tes_h": (7.5, Known(PUBLISHED, N_("Sener; csp.guru writes 7 h"))),
        "commissioned": ("2018-12", Known(PUBLISHED, N_("on line in December 2018, csp.guru"))),
        "year_gwh_published": (500.0, Known(ANNOUNCED, N_("planned, csp.guru; what it really gave was not found"))),
    },
    "noor-iv": {
        "gross_mw": (72.0, _CSP_GURU),
        "commissioned": (
            "2018-04",
            Known(ANNOUNCED, N_("works from April 2017, planned for a year: Modern Power Systems")),
        ),
        "year_gwh_published": (119.0, Known(ANNOUNCED, N_("at least 119 GWh planned, page of the KfW project"))),
    },
    "koudia": {
        "gross_mw": (
            100.0,
            Known(PUBLISHED, N_("20 machines of 5 MW: electrical-engineering-morocco.com, March 2024")),
        ),
        "commissioned": ("2024-06", Known(ANNOUNCED, N_("planned for the first half of 2024: medias24, MEES"))),
        "year_gwh_published": (
            367.0,
            Known(
                ASSUMPTION,
                N_(
                    "this product's estimate, range 330 to 410 GWh; "
                    "two and a half times the old farm's 200 GWh, as the press wrote, is not credible at 100 MW"
                ),
            ),
        ),
    },
}  # fmt: skip
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


def known(site: Site, plant: Plant, field: str) -> Known:
    """What a figure of a plant rests on; the site file's own word where the built-in figure was changed."""
    expected, found = _FIGURES.get(plant.id, {}).get(field, (None, Known("", "")))
    value = getattr(plant, field)
    if is_eureka_park(site) and value == expected:
        return found
    label = ANNOUNCED if plant.status == "announced" else SITE_FILE
    return Known(label, plant.source)
