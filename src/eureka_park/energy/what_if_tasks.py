"""What one process computes for a what-if question: the exact year, in plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.hourly import hourly_table
from eureka_park.energy.core.supply import Supply, supply_from
from eureka_park.energy.core.what_if import Wish, solved_year, told_additions, with_new
from eureka_park.energy.core.year import year_result
from eureka_park.energy.study_tasks import basis_of, supply_asked
from eureka_park.foundation.site_file import Site


def what_if(request: Mapping[str, Any]) -> dict[str, Any]:
    """The exact year of `wish`: `{"result", "additions", "weather", "plants"}`, and `hourly` where asked for."""
    wish = Wish(**{name: float(value) for name, value in request["wish"].items()})
    supply = supply_asked(request)

    def models(site: Site) -> Supply:
        return supply_from(site, supply.weather, str(request["scenario"]))

    wished = with_new(supply, models, wish, Costs.of_table())
    year = solved_year(wished.supply, wish)
    told = {"result": year_result(year).to_json(), "additions": told_additions(wished), **basis_of(wished.supply)}
    return {**told, "hourly": hourly_table(year)} if request.get("hourly") else told
