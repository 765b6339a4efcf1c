"""What a site file means to compute and control: machines, what one job can ask for, the policy of the tick."""

from __future__ import annotations

import math
from typing import Final

from eureka_park.compute.core.event import Node
from eureka_park.compute.core.site_room import ClassRoom, SiteRoom
from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_layout import placed_nodes
from eureka_park.foundation.units import GIB, HOUR_S
from eureka_park.foundation.wire.engine import Capability

MIN_RUN_REAL_S: Final = 4.0  # least real seconds between a job's start and its next pause, on a paced home
PAUSE_REAL_S: Final = 15.0  # and between two of its pauses


def flex_default_s(site: Site) -> float | None:
    """The deadline of a flex job that names none: only where the sky binds flex; elsewhere it has not offered to
    wait.
    """
    return site.policy.flex_deadline_default_h * 3600.0 if site.policy.sky == "binding" else None


def room_of(site: Site) -> SiteRoom:
    """What one job can ask for: the classes of machines that an engine here runs."""
    return SiteRoom(
        tuple(
            ClassRoom(
                class_id=kind.id,
                gpu_type=kind.gpu_type,
                n_nodes=kind.n_nodes,
                n_cpus=float(kind.n_cpus),
                memory_bytes=int(kind.memory_gib * GIB),
                n_gpus=kind.n_gpus,
                rated_kw=kind.rated_kw,
            )
            for kind in site.nodes
            if kind.engine == "local"
        )
    )


def nodes_of(site: Site) -> tuple[Node, ...]:
    """The machines of a site that an engine here runs."""
    return tuple(
        Node(
            node_id=node_id,
            engine=kind.engine,
            n_cpus=float(kind.n_cpus),
            memory_bytes=int(kind.memory_gib * GIB),
            n_gpus=kind.n_gpus,
            gpu_type=kind.gpu_type,
            rated_kw=kind.rated_kw,
            idle_kw=kind.idle_kw,
            gpu_kw_max=kind.gpu_w_max / 1000.0,
            rack=rack,
            pod=pod,
            sleep_kw=kind.sleep_kw,
        )
        for kind, node_id, rack, pod in placed_nodes(kind for kind in site.nodes if kind.engine == "local")
    )


def policy_of(site: Site, capabilities: frozenset[Capability], pace_factor: float = 1.0) -> Policy:
    """The tick's policy from the site's; powers of a scale model are those of the machine.

    Pausing and starting again cost real seconds at any pace: least run and rate of pauses leave them room.
    """
    return Policy(
        sky=Sky(site.policy.sky),
        service_reserve_kw=site.policy.service_reserve_mw * site.factor * 1000.0,
        cap_steps_frac=site.policy.cap_steps_frac,
        min_run_s=max(site.policy.min_run_s, MIN_RUN_REAL_S * pace_factor if pace_factor > 1 else 0.0),
        pause_rate_max_per_h=min(
            site.policy.pause_rate_max_per_h, HOUR_S / (PAUSE_REAL_S * pace_factor) if pace_factor > 1 else math.inf
        ),
        carbon_mad_per_kg=site.policy.carbon_weight_mad_per_kg,
        flex_wait_gain_frac=site.policy.flex_wait_gain_frac,
        margin_frac=site.policy.margin_frac,
        lead_s=site.policy.lead_s,
        n_considered_max=site.policy.n_considered_max,
        lookahead=site.policy.lookahead,
        scan=site.policy.scan,
        half_life_s=site.policy.half_life_s,
        reserve_depth=site.policy.reserve_depth,
        patient_s=site.policy.patient_s,
        reclaim_after_s=site.policy.reclaim_after_s,
        reclaim_pauses_max_per_h=site.policy.reclaim_pauses_max_per_h,
        tick_s=site.policy.tick_s,
        cap_curve=site.cap_rows,
        can_cap=Capability.CAP in capabilities,
        can_freeze=Capability.FREEZE in capabilities,
        can_resize=Capability.RESIZE in capabilities,
    )
