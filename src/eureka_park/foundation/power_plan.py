"""PowerPlan: what *could* be drawn, interval by interval, and what more would cost. Energy makes it, control and
web read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from eureka_park.foundation.errors import Unavailable

Series = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CurveStep:
    """One step of the rising curve: up to `up_to_mw` (cumulative, at the site meter) a further MW costs this much."""

    up_to_mw: float
    cost_mad_per_mwh: float
    gco2_per_kwh: float
    source: str


@dataclass(frozen=True, slots=True)
class PowerPlan:
    """A plan over equal intervals `[start_s + i*step_s, start_s + (i+1)*step_s)` in UTC epoch seconds of park time.

    All powers are MW at the site meter and >= 0; one value per interval. `available_by_source_mw` sums to
    `clean_available_mw_p50`; `by_source_mw` (with `grid`) is the dispatch that would serve `load_mw`.
    `tes_mwh_th` is salt, `battery_mwh` what batteries hold, at the end of each interval by plant; only plants fill
    batteries. `calibration` is by plant the `raw_gwh` of the model in a year, the `factor` on it and the `year_gwh`
    that this makes (of the full site, also in a scale model). `labels` says what every figure rests on.
    """

    plan_id: str
    site: str
    issued_at_s: float
    start_s: float
    step_s: float
    load_mw: Series
    clean_available_mw_p10: Series
    clean_available_mw_p50: Series
    clean_available_mw_p90: Series
    grid_limit_mw: Series
    available_by_source_mw: Mapping[str, Series]
    by_source_mw: Mapping[str, Series]
    export_mw: Series
    curtailed_mw: Series
    unserved_mw: Series
    tes_mwh_th: Mapping[str, Series]
    tes_mwh_th_max: Mapping[str, float]
    curve: tuple[tuple[CurveStep, ...], ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    battery_mwh: Mapping[str, Series] = field(default_factory=dict)
    battery_mwh_max: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def n_intervals(self) -> int:
        """How many intervals the plan has."""
        return len(self.load_mw)

    @property
    def firm_mw(self) -> Series:
        """What can be drawn with nine chances in ten: the clean power's p10, and the tie."""
        return tuple(p10 + tie for p10, tie in zip(self.clean_available_mw_p10, self.grid_limit_mw, strict=True))

    def firm_steps_mw(self, index: int) -> Series:
        """Of each step of an interval's curve, the MW that are firm: clean power up to its p10 in the curve's order,
        all of the grid's, nothing of what is beyond the plan's own clean power.
        """
        left, below_mw, firm = self.clean_available_mw_p10[index], 0.0, []
        for step in self.curve[index]:
            width_mw, below_mw = step.up_to_mw - below_mw, step.up_to_mw
            part = width_mw if step.source == "grid" else min(left, width_mw)
            left -= 0.0 if step.source == "grid" else part
            firm.append(part)
        return tuple(firm)

    @property
    def end_s(self) -> float:
        """The instant at which the last interval ends."""
        return self.start_s + self.n_intervals * self.step_s

    def index_at(self, now_s: float) -> int:
        """The interval that holds `now_s`. Raises Unavailable when the plan does not reach it."""
        index = int((now_s - self.start_s) // self.step_s)
        if not 0 <= index < self.n_intervals:
            raise Unavailable(
                "The power plan does not reach this instant.", fix="Wait for the next plan.", code="plan_expired"
            )
        return index

    def interval_start_s(self, index: int) -> float:
        """The instant at which interval `index` begins."""
        return self.start_s + index * self.step_s

    def salt_before(self, instant_s: float) -> dict[str, float] | None:
        """Salt, and what batteries hold, at the start of the interval that holds an instant; None where the plan cannot
        say (its first interval).
        """
        index = int((instant_s - self.start_s) // self.step_s) - 1
        if not 0 <= index < self.n_intervals:
            return None
        return {name: series[index] for name, series in {**self.tes_mwh_th, **self.battery_mwh}.items()}

    def scaled(self, factor: float, *, plan_id: str | None = None, **labels: str) -> PowerPlan:
        """The same plan with every power and energy multiplied by `factor` (a scale model); costs per MWh stay."""

        def times(series: Series) -> Series:
            return tuple(value * factor for value in series)

        def each(columns: Mapping[str, Series]) -> dict[str, Series]:
            return {name: times(series) for name, series in columns.items()}

        return replace(
            self,
            plan_id=plan_id or self.plan_id,
            load_mw=times(self.load_mw),
            clean_available_mw_p10=times(self.clean_available_mw_p10),
            clean_available_mw_p50=times(self.clean_available_mw_p50),
            clean_available_mw_p90=times(self.clean_available_mw_p90),
            grid_limit_mw=times(self.grid_limit_mw),
            available_by_source_mw=each(self.available_by_source_mw),
            by_source_mw=each(self.by_source_mw),
            export_mw=times(self.export_mw),
            curtailed_mw=times(self.curtailed_mw),
            unserved_mw=times(self.unserved_mw),
            tes_mwh_th=each(self.tes_mwh_th),
            tes_mwh_th_max={name: value * factor for name, value in self.tes_mwh_th_max.items()},
            battery_mwh=each(self.battery_mwh),
            battery_mwh_max={name: value * factor for name, value in self.battery_mwh_max.items()},
            curve=tuple(
                tuple(replace(step, up_to_mw=step.up_to_mw * factor) for step in steps) for steps in self.curve
            ),
            labels={**self.labels, **labels},
        )

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value; `from_json` reads it back to an equal plan."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PowerPlan:
        """Read what `to_json` wrote."""
        series: dict[str, Any] = {
            name: tuple(value[name])
            for name in (
                "load_mw", "clean_available_mw_p10", "clean_available_mw_p50", "clean_available_mw_p90",
                "grid_limit_mw", "export_mw", "curtailed_mw", "unserved_mw",
            )
        }  # fmt: skip
        columns: dict[str, Any] = {
            name: {key: tuple(column) for key, column in value.get(name, {}).items()}
            for name in ("available_by_source_mw", "by_source_mw", "tes_mwh_th", "battery_mwh")
        }
        return cls(
            **{name: value[name] for name in ("plan_id", "site", "issued_at_s", "start_s", "step_s")},
            **series,
            **columns,
            tes_mwh_th_max=dict(value["tes_mwh_th_max"]),
            curve=tuple(tuple(CurveStep(**step) for step in steps) for steps in value["curve"]),
            labels=dict(value.get("labels", {})),
            battery_mwh_max=dict(value.get("battery_mwh_max", {})),
            calibration={name: dict(item) for name, item in value.get("calibration", {}).items()},
        )
