"""What was announced in May 2024 beside what is known, with sources and dates; names of rows and scenarios.

What was not found is said as such. Sources keep their own names in every language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eureka_park.web.pages.words import N_


@dataclass(frozen=True, slots=True)
class Fact:
    """One point: its name, what was announced, what is known, and where that stands."""

    point: str
    announced: str
    known: str
    source: str


ROW_NAMES: Final = {
    "constant": N_("{mw} drawn constantly, as announced"),
    "fleet-low": N_("What a real fleet draws, low: GPUs at {share} of their rating"),
    "fleet-high": N_("What a real fleet draws, high: GPUs at {share} of their rating"),
    "cfe-99": N_("The largest load carried to {share}"),
    "cfe-90": N_("The largest load carried to {share}"),
    "cfe-75": N_("The largest load carried to {share}"),
}
SCENARIO_NAMES: Final = {
    "all-plants": N_("All plants"),
    "noor-iii-out": N_("Noor III out"),
    "historical-availability": N_("As available as in the past"),
}
SCENARIO_TEXTS: Final = {
    "all-plants": N_("Noor I to IV and Koudia Al Baida run all year."),
    "noor-iii-out": N_("Noor III stands still all year, as in 2022."),
    "historical-availability": N_("Outages as on record, hour by hour; Noor III out for its share of 2019 to 2024."),
}
SOURCE_NAMES: Final = {
    "wind": N_("Wind"),
    "pv": N_("Sun (PV)"),
    "csp": N_("Direct sun (CSP)"),
    "salt": N_("Molten salt"),
    "battery": N_("Battery"),
    "grid": N_("Grid"),
}
FACTS: Final = (
    Fact(
        N_("The project"),
        N_("A 386 MW data centre for AI in Tétouan, with GenV, Ryse Research and an Expo, on 50,000 m²."),
        N_("Iozera, of Houston, was incorporated in December 2023. No data centre built by it was found."),
        "DatacenterDynamics, May 2024; DCmag, May 2024",
    ),
    Fact(
        N_("The agreement"),
        N_("A memorandum of understanding with the government, to be signed in Austin on 8 May 2024."),
        N_("No confirmation of the signature was found. In the same week the press doubted the offer."),
        "Yabiladi, May 2024; The Voice, 9 May 2024",
    ),
    Fact(
        N_("The money"),
        N_("US$500 million."),
        N_("No financing was told. The sum buys a small part of such a site: see below."),
        "DatacenterDynamics, May 2024",
    ),
    Fact(
        N_("The dates"),
        N_("Works from the last quarter of 2024, operation in the second quarter of 2026."),
        N_("Both dates have passed. No report of works or of operation was found; in January 2026 the project was still listed as announced."),  # noqa: E501
        "DatacenterDynamics, May 2024; Jeune Afrique, quoted by Le360, 12 January 2026",
    ),
    Fact(
        N_("The power"),
        N_("Noor Ouarzazate and the wind farm of Koudia Al Baida."),
        N_("Their output is sold: 25-year contracts with MASEN and ONEE for Noor, 20 years with MASEN for Koudia. The same plants are named as supply of another project of 500 MW."),  # noqa: E501
        "csp.guru, 2023; Société Générale; Jeune Afrique, quoted by Le360, 12 January 2026",
    ),
    Fact(
        N_("Noor III"),
        N_("Counted in with the others."),
        N_("Out from summer 2021 to early 2023, and again from 21 March 2024. No page that confirms its restart was found."),  # noqa: E501
        "Zawya and Reuters; MEES, 10 March 2023; pv magazine, 2024",
    ),
    Fact(
        N_("Koudia Al Baida"),
        N_("Counted in with the others."),
        N_("100 MW since its renewal: 20 machines of 5 MW, first energy by March 2024. Its measured yearly output was not found."),  # noqa: E501
        "electrical-engineering-morocco.com, March 2024; MEES",
    ),
    Fact(
        N_("The machines"),
        N_("None named."),
        N_("Everything here about nodes and GPUs is an assumption: servers of the kind of a DGX H100."),
        "DatacenterDynamics, May 2024",
    ),
    Fact(
        N_("Connection to the grid and water"),
        N_("Nothing told."),
        N_("No study of the connection, of the grid’s room at Tétouan, or of cooling water was found."),
        "",
    ),
)  # fmt: skip
INPUT_NAMES: Final = {
    "price_peak": N_("Grid power in peak hours"),
    "price_full": N_("Grid power in full hours"),
    "price_off_peak": N_("Grid power in off-peak hours"),
    "transport": N_("Transport on the public grid"),
    "surplus": N_("Price paid for surplus"),
    "line_loss": N_("Losses from Ouarzazate to Tétouan"),
    "grid_carbon": N_("Carbon of the public grid"),
    "import_max": N_("Most power from the grid"),
}
