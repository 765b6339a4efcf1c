"""The arithmetic of one hold: what its job has cost, what is charged of it, and how it grows when work goes on longer.

Node time runs as the job does. `excused_s` of it was lost or disturbed and is paid back: it does not count against the
declared time, so that a failed node never makes a job dearer. `declared_s` is what the hold stands for, renewals
included; each renewal has its own rates from where it begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eureka_park.foundation.units import HOUR_S
from eureka_park.ledger.billing.store import Hold, Part
from eureka_park.ledger.core.holding import taken_in_order
from eureka_park.ledger.core.posting import CREDIT, INCOME, Posting, held_account
from eureka_park.ledger.core.pricing import Rates

RENEWED_S: Final = float(HOUR_S)  # of run time that a renewal holds
RENEWED_ENERGY: Final = 1.5  # so much more energy is held for it than the job has used per hour so far


@dataclass(frozen=True, slots=True)
class Running:
    """A job that has run for `node_s` so far, all attempts and nodes together; GPUs and CPUs are those of each node."""

    job_id: str
    n_gpus: int
    n_cpus: float
    node_s: float
    n_nodes: int = 1


@dataclass(frozen=True, slots=True)
class Longer:
    """What a hold lacks for the work that goes on: node time at these rates, and credits for it with its energy."""

    node_s: float
    rates: Rates
    amount_micro: int


def paid_until_s(hold: Hold) -> float:
    """The node time up to which the hold stands for a job's work."""
    return hold.declared_s + hold.excused_s


def time_micro(hold: Hold, item: Running) -> int:
    """What the time of a job has cost so far, each stretch at its own price, refunded ones included."""
    later = [(step["from_s"], Rates(step["gpu_h"], step["cpu_h"], "", 0.0)) for step in hold.price.get("steps", ())]
    stretches = [(0.0, Rates.from_json(hold.price, hold.tier)), *later]
    ends = [from_s for from_s, _ in stretches[1:]] + [float("inf")]
    return sum(
        rates.time_micro(item.n_gpus, item.n_cpus, min(item.node_s, until_s) - from_s)
        for (from_s, rates), until_s in zip(stretches, ends, strict=True)
    )


def listed(hold: Hold, item: Running, listed_micro: int) -> int:
    """The whole cost of a job that is over: hours beyond the declared ones cost what was in force then.

    `listed_micro`: the same with all its time at the promised rates.
    """
    first = Rates.from_json(hold.price, hold.tier).time_micro(item.n_gpus, item.n_cpus, item.node_s)
    return listed_micro - first + time_micro(hold, item)


def needed(hold: Hold, item: Running, cost_micro: int, rates: Rates) -> Longer:
    """What work needs that goes on beyond what its hold stands for: whole hours of run time, and energy at the pace of
    so far with a margin.
    """
    block_s = RENEWED_S * max(1, item.n_nodes)
    longer_s = (int((item.node_s - paid_until_s(hold)) // block_s) + 1) * block_s
    energy = max(0, cost_micro - time_micro(hold, item)) * RENEWED_ENERGY / max(1.0, item.node_s)
    return Longer(longer_s, rates, rates.time_micro(item.n_gpus, item.n_cpus, longer_s) + round(energy * longer_s))


def longer(hold: Hold, more: Longer, taken: Mapping[str, int]) -> Hold:
    """The hold with what was taken for more work; its ceiling rises by as much."""
    step = {"from_s": paid_until_s(hold), "gpu_h": more.rates.mad_per_gpu_h, "cpu_h": more.rates.mad_per_cpu_h}
    steps = list(hold.price.get("steps", ()))
    if not steps or any(steps[-1][name] != step[name] for name in ("gpu_h", "cpu_h")):
        steps.append(step)
    return replace(
        hold,
        n_renewals=hold.n_renewals + 1,
        declared_s=hold.declared_s + more.node_s,
        ceiling_micro=hold.ceiling_micro + sum(taken.values()),
        price={**hold.price, "steps": steps},
        parts=_joined(hold.parts, taken),
        refused_at_s=None,
    )


def due(hold: Hold, cost_micro: int) -> int:
    """What a job must have been charged by now: never more than its ceiling, never less than it was."""
    return max(hold.charged_micro, min(cost_micro - hold.refunded_micro, hold.ceiling_micro))


def charged(hold: Hold, amount_micro: int) -> tuple[Hold, tuple[Posting, ...]]:
    """Charge so much of a hold; below zero: back into it. What is not held cannot be charged."""
    if amount_micro == 0:
        return hold, ()
    parts = hold.parts
    if amount_micro > 0:
        spent = taken_in_order([part.amount_micro for part in parts], min(amount_micro, hold.held_micro))
    else:
        spent = [-part for part in taken_in_order([part.spent_micro for part in parts[::-1]], -amount_micro)][::-1]
    parts = tuple(
        replace(part, amount_micro=part.amount_micro - now, spent_micro=part.spent_micro + now)
        for part, now in zip(parts, spent, strict=True)
    )
    total = sum(spent)
    postings = (Posting(held_account(hold.project), CREDIT, -total), Posting(INCOME, CREDIT, total))
    return replace(hold, parts=parts, charged_micro=hold.charged_micro + total), postings if total else ()


def excused(hold: Hold, item: Running, cost_micro: int, *, is_all: bool) -> tuple[Hold, float, int, int]:
    """Take off a bill what was not charged yet, or with `is_all` everything: the hold with it, the node time and the
    micro-credits that are refunded, and how many of those were charged and come back.
    """
    from_s = hold.excused_s if is_all else hold.settled_s
    node_s = max(0.0, item.node_s - from_s)
    back = hold.charged_micro if is_all else 0
    off = max(0, cost_micro - hold.refunded_micro - hold.charged_micro) + back
    changed = replace(
        hold,
        refunded_micro=hold.refunded_micro + off,
        excused_s=item.node_s if is_all else hold.excused_s + node_s,
        settled_s=max(hold.settled_s, item.node_s),
    )
    return changed, node_s, off, back


def _joined(parts: Sequence[Part], taken: Mapping[str, int]) -> tuple[Part, ...]:
    known = {part.account: part for part in parts}
    for account, amount in taken.items():
        before = known.get(account, Part(account, 0))
        known[account] = replace(before, amount_micro=before.amount_micro + amount)
    return tuple(known.values())
