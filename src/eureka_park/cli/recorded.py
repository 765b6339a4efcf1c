"""What a home holds of its own past, as `park policy diff` and `park twin replay --from journal` play it again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eureka_park.cli.site import machine_facts

if TYPE_CHECKING:
    from eureka_park.bootstrap import Park
    from eureka_park.foundation.site_file import Site
    from eureka_park.twin.rehearsal import Recorded, Side


def sites_of(park: Park, site_name: str | None) -> tuple[Site, Site]:
    """The site under the policy that holds, and under that which the file is laid over: the site's own."""
    from eureka_park.adapters.home_policy import home_site
    from eureka_park.foundation.site_reading import load_site

    if site_name is None:
        return park.site, home_site(park.home, machine_facts(), is_default=True)
    site = load_site(site_name, machine_facts())
    return site, site


def side_of(park: Park, site: Site) -> Side:
    """A site's policy as the engine that ran here last lets it be, at the park's pace."""
    from eureka_park.control.of_site import flex_default_s, policy_of
    from eureka_park.foundation.wire.engine import Capability
    from eureka_park.twin.rehearsal import Side

    told = json.loads(park.home.read("run/engine.json") or "{}").get("capabilities", [str(item) for item in Capability])
    can = frozenset(item for item in Capability if str(item) in told)  # of the engine that ran here last
    return Side(site, policy_of(site, can, park.facts.pace.factor), flex_default_s(site))


def recorded_of(park: Park, from_s: float, to_s: float, site: Site | None) -> Recorded:
    """What the home holds of a stretch of park time. `site`: its machines in place of the home's, and power as much
    larger.
    """
    from eureka_park.control.of_site import nodes_of
    from eureka_park.foundation.cap_curve import speed_frac
    from eureka_park.live.journal import recorded_events
    from eureka_park.live.loop import TICK_S
    from eureka_park.twin.journal_week import read_week
    from eureka_park.twin.rehearsal import PLAN_GAP_S, Recorded

    if to_s > park.facts.pace.park_origin_s:  # before it there was no park
        from_s = max(from_s, park.facts.pace.park_origin_s)
    week = read_week(recorded_events(park.db), from_s, to_s, lambda cap: speed_frac(cap, park.site.cap_rows))
    plans = park.energy.plans_between(from_s, to_s, PLAN_GAP_S)
    recorded = Recorded(week, plans, TICK_S * park.facts.pace.factor)
    if site is None:
        return recorded
    nodes = nodes_of(site.model_copy(update={"nodes": tuple(_as_local(kind) for kind in site.nodes)}))
    had_kw = sum(node.rated_kw for node in week.nodes)
    week.nodes = nodes
    scale = sum(node.rated_kw for node in nodes) / had_kw if had_kw > 0 else 1.0
    return replace(recorded, scale=scale, site=park.site)


def _as_local(kind: Any) -> Any:
    return kind.model_copy(update={"engine": "local"})


def last_s(park: Park) -> float:
    """Park time now; of a park at rest when somebody last decided there."""
    lease = park.lease()
    now_s = park.clock.park_s()
    return now_s if lease is None else min(now_s, park.facts.pace.park_from_real_s(lease.until_real_s))
