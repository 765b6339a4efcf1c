"""The site: plants, machines, policy and prices, each with what it rests on."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from eureka_park.bootstrap import Park
from eureka_park.web.auth import park_of
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.words import N_, Words

POLICIES = {
    "green": N_("The sky binds green jobs only. Flex jobs with a deadline wait for better hours, never beyond it."),
    "binding": N_("The sky binds green and flex jobs; firm jobs and those whose deadline presses may use the grid."),
    "observed": N_("The sky is only watched: it holds no job back."),
}


def site_page(request: Request) -> HTMLResponse:
    """What this park is made of."""
    park, words = park_of(request), words_of(request)
    site, plan = park.site, park.energy.current_plan()
    labels = [words.say("assumption"), words.say("announced"), words.say("synthetic weather")]
    lead = words.say("{mw} of site capacity, {n} plants.", mw=words.power(site.site_mw_max), n=len(site.plants))
    if site.scale is not None:
        labels = [words.say("scale model"), *labels]
        lead = words.say(
            "This machine ({here} at the site meter) stands for Eureka Park at {mw}: "
            "every power is divided by {factor}.",
            here=words.power(site.site_kw_rated / 1000),
            mw=words.power(site.site_mw_max),
            factor=words.number(1 / site.factor, 0),
        )
    return page(
        request,
        "site.html",
        "/site",
        site=site,
        lead=lead,
        labels=labels,
        plants=_plants(park),
        nodes=_nodes(park, words),
        policy=words.say(POLICIES[park.sky]),
        policy_facts=_policy(park, words),
        prices=_prices(park),
        plan_labels=dict(plan.labels) if plan else {},
    )


def _plants(park: Park) -> list[dict[str, Any]]:
    return [
        {
            "title": plant.title or plant.id,
            "type": plant.type,
            "status": plant.status,
            "since": plant.commissioned or "",
            "mw": f"{plant.gross_mw:g}",
            "salt": f"{plant.tes_h:g} h" if plant.tes_h else "",
            "gwh": f"{plant.year_gwh_published:g}" if plant.year_gwh_published else "",
            "source": plant.source,
        }
        for plant in park.site.plants
    ]


def _nodes(park: Park, words: Words) -> list[dict[str, Any]]:
    return [
        {
            "id": node.id,
            "n": f"{node.n_nodes:,}".replace(",", " "),
            "cpus": node.n_cpus,
            "gpus": f"{node.n_gpus} {node.gpu_type}".strip(),
            "memory": f"{node.memory_gib:.3g} GiB",
            "rated": words.power(node.rated_kw / 1000),
            "idle": words.power(node.idle_kw / 1000),
            "label": node.label,
        }
        for node in park.site.nodes
    ]


def _policy(park: Park, words: Words) -> list[tuple[str, str]]:
    policy, pue = park.site.policy, park.site.pue
    caps = ", ".join(f"{frac:.0%}".replace("%", " %") for frac in policy.cap_steps_frac)
    return [
        (words.say("Power caps, in steps"), caps),
        (words.say("Least run time before a pause"), words.duration(policy.min_run_s)),
        (words.say("Most pauses of a job in an hour"), f"{policy.pause_rate_max_per_h:g}"),
        (words.say("Time to write a checkpoint"), words.duration(policy.grace_s)),
        (words.say("Price of carbon in decisions"), f"{policy.carbon_weight_mad_per_kg:g} MAD/kg"),
        (words.say("Site power over IT power (PUE) at rated load"), f"{pue.nominal:g}"),
    ]


def _prices(park: Park) -> list[dict[str, str]]:
    gpu, cpu = park.site.prices.mad_per_gpu_h, park.site.prices.mad_per_cpu_h
    tiers = ("firm", "flex", "green")
    return [{"tier": tier, "gpu": f"{getattr(gpu, tier):g}", "cpu": f"{getattr(cpu, tier):g}"} for tier in tiers]
