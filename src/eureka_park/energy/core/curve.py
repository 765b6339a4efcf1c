"""What a further MW would cost in each hour of a plan, and what carbon it would bring: a rising curve of steps.

The duals of a dispatch do not answer this. The value of salt in a plan is degenerate: at an optimum a further MWh
drawn costs more than a MWh saved earns, and the solver's dual may be any figure between the two. The rule here: **the
price is the right-hand derivative**, found by carrying out the exchange. A further MW of an hour comes, cheapest first,
from

- sun and wind that the plan gives up: free;
- surplus that is not sold: what it would have earned;
- a store (salt or battery) that gives more now and less in another hour, or spills less. The other hour sells less, or
  buys: the step costs what that costs there, with the grid's carbon if it is bought, times what the tank loses in
  between. Every tank must carry the exchange in all hours between the two; a step ends where one no longer does;
- the tie, at the hour's tariff and carbon.

Each step is carried out before the next is sought, so the whole curve is a dispatch that could be run: the cost along
it is never less than that of the program solved again. Exchanges of one store with one hour are looked at, not chains
over several stores, so it may be a little more (a test says how little). Steps of one source at one tariff are put
together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch import Dispatch, DispatchProblem
from eureka_park.energy.core.sun import Floats

_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Step:
    """`mw` further MW of an hour from a source, at a price and a carbon that the whole system then bears."""

    mw: float
    mad_per_mwh: float
    gco2_per_kwh: float
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Money:
    """Prices of the hours without carbon (MAD/MWh), carbon of the grid and by source, and the operator's weight."""

    tariff: Floats
    surplus: Floats
    gco2_grid: float
    gco2_by_source: Mapping[str, float]
    mad_per_kg: float
    end_mad_per_mwh: float

    @property
    def end(self) -> tuple[float, float]:
        """Price and carbon of a delivered MWh that the stores lack at the end: bought later, or sold less."""
        carbon_mad = self.mad_per_kg * self.gco2_grid
        is_bought = self.end_mad_per_mwh > max(float(self.surplus.max()), carbon_mad)
        return (self.end_mad_per_mwh - carbon_mad, self.gco2_grid) if is_bought else (self.end_mad_per_mwh, 0.0)


@dataclass(slots=True)
class _Store:
    """A tank or battery while exchanges are carried out; everything in its own MWh (heat, or content)."""

    name: str
    per_unit: float
    most: float
    level_max: float
    kept: float
    drawn: Floats
    level: Floats
    spill: Floats

    def reach(self, hour: int, other: int) -> float:
        """How much more may be given in `hour` if `other` makes up for it, by the levels between them."""
        if other >= hour:
            between = self.level[hour:other]
            return float((between / self.kept ** np.arange(between.size)).min()) if between.size else np.inf
        room = self.level_max - self.level[other:hour]
        return max(0.0, float((room / self.kept ** (np.arange(other - hour, 0.0))).min()))

    def move(self, hour: int, other: int, amount: float) -> None:
        """Carry an exchange out: the levels between the two hours."""
        if other >= hour:
            self.level[hour:other] -= amount * self.kept ** np.arange(other - hour)
        else:
            self.level[other:hour] += amount * self.kept ** np.arange(other - hour, 0.0)


@dataclass(slots=True)
class _Park:
    """The plan while exchanges are carried out in one hour."""

    stores: list[_Store]
    bought_room: Floats
    sold: Floats
    given_up: Floats


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A way to give more: `rank` orders (cost with carbon), `kind` says what another hour does about it."""

    rank: float
    store: int
    other: int
    kind: str
    mad_per_mwh: float
    gco2_per_kwh: float
    price: float  # without losses, for putting like steps together


def further_steps(problem: DispatchProblem, answer: Dispatch, money: Money, hour: int) -> tuple[Step, ...]:
    """The rising steps of a further MW in one hour beyond what the plan serves, the tie's among them.

    Rising in cost with the operator's carbon weight. A flexible load is taken as the plan has put it.
    """
    at_once = _at_once(problem, answer, money, hour)
    tie = _from_tie(_park_of(problem, answer), money, hour)
    own = [(rank, step.mad_per_mwh, step) for rank, step in (*at_once, *tie)]
    return _together([*own, *_from_stores(problem, answer, money, hour)])


def stored_steps(problem: DispatchProblem, answer: Dispatch, money: Money, hour: int) -> tuple[Step, ...]:
    """Of these steps those of the stores alone: what is kept for other hours, or would be spilt in them."""
    return _together(_from_stores(problem, answer, money, hour))


def _from_stores(
    problem: DispatchProblem, answer: Dispatch, money: Money, hour: int
) -> list[tuple[float, float, Step]]:
    park = _park_of(problem, answer)
    park.bought_room[hour] = park.sold[hour] = park.given_up[hour] = 0.0  # those are steps of their own
    found = []
    for exchange in sorted(
        _exchanges(problem, park, money, hour), key=lambda item: (item.rank, item.other, item.store)
    ):
        mw = _carried_out(park, exchange, hour)
        if mw > _TINY:
            step = Step(mw, exchange.mad_per_mwh, exchange.gco2_per_kwh, park.stores[exchange.store].name)
            found.append((exchange.rank, exchange.price, step))
    return found


def _at_once(problem: DispatchProblem, answer: Dispatch, money: Money, hour: int) -> Iterator[tuple[float, Step]]:
    """What the plan gives up, then what it sells, each from its plants in proportion."""
    direct = {name: float(series[hour]) for name, series in problem.direct_mw.items()}
    yield from ((0.0, step) for step in _shared(float(answer.curtailed_mw[hour]), direct, 0.0, money))
    sent = {name: float(series[hour]) for name, series in answer.power_mw.items()}
    earned = float(money.surplus[hour])
    yield from ((earned, step) for step in _shared(float(answer.export_mw[hour]), sent, earned, money))


def _shared(mw: float, weights: Mapping[str, float], price: float, money: Money) -> Iterator[Step]:
    whole = sum(weights.values())
    for name, weight in weights.items():
        if mw * weight > _TINY * max(whole, _TINY):
            yield Step(mw * weight / whole, price, money.gco2_by_source.get(name, 0.0), name)


def _from_tie(park: _Park, money: Money, hour: int) -> Iterator[tuple[float, Step]]:
    room, tariff = float(park.bought_room[hour]), float(money.tariff[hour])
    if room > _TINY:
        yield tariff + money.mad_per_kg * money.gco2_grid, Step(room, tariff, money.gco2_grid, "grid")


def _park_of(problem: DispatchProblem, answer: Dispatch) -> _Park:
    stores = [
        _Store(
            name, plant.per_heat, plant.power_block_mw_th, plant.tes_mwh_th_max, 1.0 - plant.loss_frac,
            answer.power_mw[name] / max(plant.per_heat, _TINY), answer.tes_mwh_th[name].copy(),
            answer.spill_mw_th[name].copy(),
        )
        for name, plant in problem.salt.items()
        if plant.power_block_mw_th > 0
    ]  # fmt: skip
    stores += [
        _Store(
            name, battery.discharge_frac, battery.power_mw / battery.discharge_frac, battery.energy_mwh,
            1.0 - battery.loss_frac, answer.discharge_mw[name] / battery.discharge_frac,
            answer.battery_mwh[name].copy(), np.zeros(problem.n_hours),
        )
        for name, battery in problem.batteries.items()
        if battery.power_mw > 0
    ]  # fmt: skip
    bought_max = np.minimum(problem.import_mw_max, answer.load_mw) if problem.batteries else problem.import_mw_max
    room = np.maximum(0.0, bought_max - answer.import_mw)
    return _Park(stores, room, answer.export_mw.copy(), answer.curtailed_mw.copy())


def _exchanges(problem: DispatchProblem, park: _Park, money: Money, hour: int) -> Iterator[_Exchange]:
    n = problem.n_hours
    for number, store in enumerate(park.stores):
        if store.most - store.drawn[hour] <= _TINY:
            continue
        own = money.gco2_by_source.get(store.name, 0.0)
        lost = store.kept ** (np.arange(n + 1.0) - hour)
        for other in np.flatnonzero(store.spill > _TINY):
            yield _Exchange(0.0, number, int(other), "spill", 0.0, own, 0.0)
        gives = (store.drawn > _TINY) & (np.arange(n) != hour)
        for other in np.flatnonzero(gives & (park.given_up > _TINY)):
            yield _Exchange(0.0, number, int(other), "given up", 0.0, own, 0.0)
        for other in np.flatnonzero(gives & (park.sold > _TINY)):
            price = float(money.surplus[other])
            yield _Exchange(price * lost[other], number, int(other), "sold", price * lost[other], own, price)
        for other in np.flatnonzero(gives & (park.bought_room > _TINY)):
            price, factor = float(money.tariff[other]), float(lost[other])
            rank = (price + money.mad_per_kg * money.gco2_grid) * factor
            yield _Exchange(rank, number, int(other), "bought", price * factor, money.gco2_grid * factor, price)
        if not problem.is_cyclic:
            price, carbon = money.end
            factor = float(lost[n - 1])
            rank = money.end_mad_per_mwh * factor
            yield _Exchange(rank, number, n, "end", price * factor, carbon * factor or own, price)


def _carried_out(park: _Park, exchange: _Exchange, hour: int) -> float:
    """Do as much of an exchange as there is; MW gained in the hour."""
    store, other = park.stores[exchange.store], exchange.other
    lost = store.kept ** (min(other, store.level.size - 1) - hour)
    pool = {"spill": store.spill, "given up": park.given_up, "sold": park.sold, "bought": park.bought_room}.get(
        exchange.kind
    )
    amount = min(store.most - float(store.drawn[hour]), store.reach(hour, other))
    if exchange.kind == "spill" and pool is not None:
        amount = min(amount, float(pool[other]) / lost)
    elif pool is not None:
        amount = min(amount, float(store.drawn[other]) / lost, float(pool[other]) / store.per_unit / lost)
    if amount <= _TINY:
        return 0.0
    store.move(hour, other, amount)
    store.drawn[hour] += amount
    if pool is not None:
        pool[other] -= amount * lost * (1.0 if exchange.kind == "spill" else store.per_unit)
        store.drawn[other] -= 0.0 if exchange.kind == "spill" else amount * lost
    return amount * store.per_unit


def _together(found: list[tuple[float, float, Step]]) -> tuple[Step, ...]:
    """Steps of one source at one price (losses apart) become one at their mean; rising in what they rank by."""
    groups: dict[tuple[float, str], list[tuple[float, Step]]] = {}
    for rank, price, step in found:
        groups.setdefault((round(price, 2), step.source), []).append((rank, step))
    joined = [_mean(group) for group in groups.values()]
    return tuple(step for _, step in sorted(joined, key=lambda item: (item[0], item[1].source)))


def _mean(group: list[tuple[float, Step]]) -> tuple[float, Step]:
    mw = sum(step.mw for _, step in group)
    rank = sum(rank * step.mw for rank, step in group) / mw
    cost = sum(step.mad_per_mwh * step.mw for _, step in group) / mw
    carbon = sum(step.gco2_per_kwh * step.mw for _, step in group) / mw
    return rank, Step(mw, cost, carbon, group[0][1].source)
