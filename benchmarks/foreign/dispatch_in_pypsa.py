"""One dispatch problem written for PyPSA; benchmarks/dispatch_year.py runs it in an environment of its own.

    python dispatch_in_pypsa.py CASE.npz

Prints JSON: CPU seconds of building the network, of `optimize` (model and solve) and the objective. Surplus is a
generator of negative power; day sums of flexible load and the rule that nothing bought is stored are extra constraints.
"""

import json
import sys
import time

import numpy as np


def add_battery(net, power: float, energy: float, each_way: float) -> None:
    """A battery with its two converters; MW, MWh, share kept each way."""
    net.add("Bus", "battery")
    net.add("Store", "battery", bus="battery", e_nom=energy, e_cyclic=True)
    net.add("Link", "charge", bus0="site", bus1="battery", p_nom=power, efficiency=each_way)
    net.add(
        "Link", "discharge", bus0="battery", bus1="site", p_nom=power / each_way, efficiency=each_way,
        marginal_cost=1.0 * each_way,
    )  # fmt: skip


def main() -> None:
    """Read a case, solve it, print figures."""
    begin = time.process_time()
    import pandas as pd
    import pypsa

    import_s = time.process_time() - begin
    case = dict(np.load(sys.argv[1], allow_pickle=False))
    n = len(case["load"])
    begin = time.process_time()
    net = pypsa.Network()
    net.set_snapshots(pd.RangeIndex(n, name="snapshot"))
    net.add("Bus", "site")
    tie, wear, spill = float(case["import_max"]), 0.5, 0.01
    net.add("Generator", "import", bus="site", p_nom=tie, marginal_cost=pd.Series(case["price"], net.snapshots))
    net.add("Generator", "unserved", bus="site", p_nom=1e4, marginal_cost=100_000.0)
    sold = pd.Series(case["sold"], net.snapshots)
    net.add(
        "Generator", "export", bus="site", p_nom=float(case["export_max"]), p_min_pu=-1, p_max_pu=0, marginal_cost=sold
    )
    net.add("Generator", "direct", bus="site", p_nom=1.0, p_max_pu=pd.Series(case["direct"], net.snapshots))
    spilt_mad = 0.0
    for name in case["salt_names"]:
        block, eta, per_heat, tank, loss = case[f"{name}.figures"]
        heat = case[f"{name}.heat"]
        bus = f"{name} heat"
        net.add("Bus", bus)
        net.add("Generator", bus, bus=bus, p_nom=1.0, p_max_pu=pd.Series(heat, net.snapshots), marginal_cost=-spill)
        spilt_mad += spill * float(heat.sum())
        net.add("Store", name, bus=bus, e_nom=tank, e_cyclic=True, standing_loss=loss)
        net.add("Link", name, bus0=bus, bus1="site", p_nom=block, efficiency=per_heat, marginal_cost=wear * eta)
    add_battery(net, *case["battery"])
    flex, load = float(case["flex"]), case["load"]
    net.add(
        "Generator", "load", bus="site", p_nom=1.0, p_min_pu=pd.Series(-(1 + flex) * load, net.snapshots),
        p_max_pu=pd.Series(-(1 - flex) * load, net.snapshots),
    )  # fmt: skip

    def extra(network: pypsa.Network, snapshots: pd.Index) -> None:
        import xarray as xr

        power = network.model.variables["Generator-p"]
        column = "name" if "name" in power.dims else "Generator"
        drawn = power.sel({column: "load"}, drop=True)
        bought = power.sel({column: "import"}, drop=True)
        day = xr.DataArray(case["day"], dims=["snapshot"], coords={"snapshot": snapshots}, name="day")
        daily = xr.DataArray(-np.bincount(case["day"], weights=load), dims=["day"])
        daily = daily.assign_coords(day=np.arange(daily.sizes["day"]))
        network.model.add_constraints((1 * drawn).groupby(day).sum() == daily, name="days")
        network.model.add_constraints(bought + drawn <= 0, name="bought for the load alone")

    network_s = time.process_time() - begin
    begin = time.process_time()
    status = net.optimize(
        solver_name="highs", extra_functionality=extra, solver_options={"threads": 1, "output_flag": False}
    )
    figures = {
        "version": pypsa.__version__,
        "import_cpu_s": round(import_s, 2),
        "network_cpu_s": round(network_s, 2),
        "optimize_cpu_s": round(time.process_time() - begin, 2),
        "status": list(status),
        "objective_mad": float(net.objective) + spilt_mad,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
