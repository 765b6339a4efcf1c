"""Counts bright spots in small made-up pictures, one after another. It keeps no checkpoint: when the power goes, the
park freezes it where it stands, and thaws it later.

A story job: the pictures are few and small, and spread over the time that it is given.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

topic, work_s = sys.argv[1], float(sys.argv[2])
STEP_S, SIZE = 0.5, 48
n_pictures = max(2, round(work_s / STEP_S))
rng = random.Random(f"{topic} {os.environ.get('PARK_ARRAY_INDEX', '')}")
total = 0


def spots(picture):
    """Groups of bright neighbours."""
    left, found = set(picture), 0
    while left:
        found += 1
        edge = [left.pop()]
        while edge:
            x, y = edge.pop()
            for near in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
                if near in left:
                    left.remove(near)
                    edge.append(near)
    return found


for number in range(1, n_pictures + 1):
    total += spots({(rng.randrange(SIZE), rng.randrange(SIZE)) for _ in range(300)})
    if number % max(1, n_pictures // 20) == 0:
        print(f"{topic}: picture {number:4d} of {n_pictures}, {total:,d} counted", flush=True)
    time.sleep(STEP_S)
Path(os.environ.get("PARK_OUTPUT_DIR", "."), "counts.json").write_text(json.dumps({"topic": topic, "counted": total}))
