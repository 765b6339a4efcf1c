"""Green: how many hours of salt storage pay? A year of one tower plant under a simple sun, for nine tank sizes."""

import csv
import math
import os
import random
from pathlib import Path

rng = random.Random(11)
days = [max(0.15, min(1.0, rng.gauss(0.82, 0.22))) for _ in range(365)]
heat = [max(0.0, math.sin(math.pi * (h - 6) / 12)) * 620 * days[d] for d in range(365) for h in range(24)]
rows = []
for hours in range(0, 25, 3):
    tank, sold, spilled, evening = 0.0, 0.0, 0.0, 0.0
    for _ in range(12):  # round and round until the year closes on itself
        sold = spilled = evening = 0.0
        for index, mwt in enumerate(heat):
            tank = tank * 0.9995 + mwt
            use = min(tank, 350.0)
            tank -= use
            over = max(0.0, tank - 350.0 * hours)
            tank -= over
            sold, spilled = sold + use * 0.40, spilled + over
            evening += use * 0.40 if index % 24 >= 18 or index % 24 < 6 else 0.0
    rows.append((hours, round(sold / 1000, 1), round(evening / 1000, 1), round(spilled / 1000, 1)))
    print(
        f"{hours:2d} h of salt: {sold / 1000:6.1f} GWh a year, {evening / 1000:6.1f} after sunset, {spilled / 1000:6.1f} GWh of heat spilled",
        flush=True,
    )
with Path(os.environ.get("PARK_OUTPUT_DIR", "."), "salt.csv").open("w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(("storage_h", "sold_gwh", "after_sunset_gwh", "spilled_gwh_th"))
    writer.writerows(rows)
