"""A small service: it answers made-up questions about gates and pumps, minute after minute, until its time is over."""

import os
import random
import signal
import sys
import time
from pathlib import Path

topic, work_s = sys.argv[1], float(sys.argv[2])
STEP_S = 1.0
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
rng = random.Random(topic)
answered = 0
n_steps = max(2, round(work_s / STEP_S))
for step in range(n_steps):
    answered += rng.randrange(3, 12)
    if step % max(1, n_steps // 40) == 0:
        print(f"{topic}: {answered:,d} questions answered", flush=True)
    if asked:
        break
    time.sleep(STEP_S)
Path(os.environ.get("PARK_OUTPUT_DIR", "."), "answered.txt").write_text(f"{answered}\n")
