"""What the verdict's figures rest on, to be translated.

The words are those of `energy/data/verdict.toml` and of the built-in site. A source that is not here (a changed site
file, own assumptions) stays as it was written.
"""

from __future__ import annotations

from typing import Final

from eureka_park.web.pages.words import N_

SOURCE_TEXTS: Final = (
    N_("DatacenterDynamics, May 2024; Construction Review Online, May 2024"),
    N_("DatacenterDynamics, May 2024; it adds that no financing was told"),
    N_("assumption of this product: 10.2 kW a node and PUE 1.15 fill 386 MW; the announcement names no hardware"),
    N_("assumption: the common form of H100 and H200 servers"),
    N_("NVIDIA H100 and H200 SXM data sheets, as quoted in arXiv 2604.11391"),
    N_("NVIDIA DGX B200 manual, chapter 7: reading of a 700 W part"),
    N_("NVIDIA DGX H100 and H200: 10.2 kW at most"),
    N_("assumption; no measured figure for a whole node was found"),
    N_("Shanghai AI Laboratory, Acme traces, cluster Seren: 169 W of 400 W (data CC BY 4.0)"),
    N_("Shanghai AI Laboratory, Acme traces, cluster Kalos: 192 W of 400 W (data CC BY 4.0)"),
    N_("assumption inside the published 1.08 to 1.25 for liquid-cooled sites"),
    N_("assumption"),
    N_(
        "public cost sheet of August 2024, beside a Thinkmate quotation of 317,000 (22 August 2024); others: about 270,000 for a DGX H100 (SemiAnalysis, May 2023, quoted by Epoch), 199,000 list price (supercluster.blog). No dated list price of a DGX H200 was found"  # noqa: E501
    ),
    N_("the same cost sheet, row of 32,768 nodes: 22,500 for switches and 30,400 for cables and connectors"),
    N_(
        "CBRE, North America Data Center Trends, quoted by build.inc (2025); for sites built for AI, 20 million and more are quoted (Giga Energy, June 2026)"  # noqa: E501
    ),
    N_(
        "the rate of this product's cost table (foundation/costs.toml): MAD 23.1 billion given as USD 2.31 billion, July 2025; about 9.2 in January 2026"  # noqa: E501
    ),
    N_(
        "ONEE, 30 June 2025 at 21:30, quoted by L'Economiste and Le360 (22 July 2025); 7,560 MW in 2024; no figure for 2026 was found"  # noqa: E501
    ),
    N_("ANRE, annual report for 2024, quoted by Hespress; production 43,713 GWh"),
    N_("yearly mean of 2024, lowcarbonpower.org (from EIA, Ember, IEA)"),
    N_(
        "mean of data centres in the United States, 0.36 (2014) to 0.38 (2023), report of the Lawrence Berkeley National Laboratory, quoted by hydraulogistics.at; none is told for the announced site"  # noqa: E501
    ),
    N_("2024 yearly mean, lowcarbonpower.org (from EIA, Ember, IEA); no hourly series seen"),
    N_("assumption: the tie carries the whole site"),
    N_("assumption, 2026-11: ONEE's very-high-voltage prices are not published where we looked"),
    N_("laws 40-19 and 82-21, 1 Mar 2026 to 28 Feb 2027, lereporter.ma, Feb 2026"),
    N_("ANRE, TURT 6.39 centimes/kWh for 2024 (period 1 Mar 2024 to 28 Feb 2027), echos-enr and le360"),
)
