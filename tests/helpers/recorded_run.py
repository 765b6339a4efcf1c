"""Small real runs of the twin as records: three days of a scale model of 32 nodes, played once for all tests."""

from __future__ import annotations

from functools import cache

from eureka_park.control.of_site import policy_of
from eureka_park.foundation.site_file import Scale, Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.wire.engine import Capability
from eureka_park.twin.run import PolicyName, TwinRequest, run_recorded
from eureka_park.twin.run_record import RunRecord

N_NODES = 32


def scale_model(n_nodes: int = N_NODES) -> Site:
    """The full site's sky in proportion, over so many of its nodes."""
    site = load_site("eureka-park")
    factor = n_nodes / site.nodes[0].n_nodes
    return site.model_copy(
        update={
            "nodes": (site.nodes[0].model_copy(update={"n_nodes": n_nodes}),),
            "scale": Scale(of=site.name, factor=factor),
            "pue": site.pue.model_copy(update={"it_mw_rated": (site.pue.it_mw_rated or 0.0) * factor}),
        }
    )


@cache
def recorded_run(policy: PolicyName = "park", days: float = 3.0, seed: int = 2) -> RunRecord:
    """A run as its files keep it. Others share it: copy what you change."""
    site = scale_model()
    rules = policy_of(site, frozenset(Capability) - {Capability.RESIZE})
    return run_recorded(site, TwinRequest(days=days, seed=seed, policy=policy, load_frac=1.2, bound=False), rules)
