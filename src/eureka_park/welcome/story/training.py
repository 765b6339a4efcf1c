"""Trains a small model step by step and writes a checkpoint after each, so that it can be paused and goes on later.

A story job: the steps are few and light, and spread over the time that it is given.
"""

import json
import math
import os
import random
import signal
import sys
import time
from pathlib import Path

topic, work_s = sys.argv[1], float(sys.argv[2])
STEP_S = 0.5
n_steps = max(2, round(work_s / STEP_S))
place = Path(os.environ.get("PARK_CHECKPOINT_DIR", ".")) / "model.json"
state = json.loads(place.read_text()) if place.exists() else {"step": 0, "weights": [0.0] * 6}
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
rng = random.Random(topic)
truth = [rng.gauss(0, 1) for _ in range(6)]
if state["step"]:
    print(f"goes on after step {state['step']}", flush=True)
while state["step"] < n_steps:
    loss = 0.0
    for _ in range(60):
        x = [rng.gauss(0, 1) for _ in range(6)]
        error = sum(w * v for w, v in zip(state["weights"], x)) - sum(w * v for w, v in zip(truth, x))
        state["weights"] = [w - 0.01 * error * v for w, v in zip(state["weights"], x)]
        loss += error * error / 60
    state["step"] += 1
    part = place.with_suffix(".part")
    part.write_text(json.dumps(state))
    part.replace(place)
    if state["step"] % max(1, n_steps // 20) == 0:
        print(f"{topic}: step {state['step']:4d} of {n_steps}, error {math.sqrt(loss):.4f}", flush=True)
    if asked:
        print(f"asked to stop: checkpoint at step {state['step']}", flush=True)
        sys.exit(75)
    time.sleep(STEP_S)
Path(os.environ.get("PARK_OUTPUT_DIR", "."), "model.json").write_text(json.dumps(state))
