"""Fit a curve by stochastic descent, in plain Python: every step draws from one generator, so that the end shows
whether a pause lost or repeated anything. Saves itself after every epoch; on SIGTERM it stops with 75.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

N_EPOCHS = int(os.environ.get("EPOCHS", "50"))
stop_wanted = False


def want_stop(_signal, _frame):
    global stop_wanted
    stop_wanted = True


def train_epoch(weights, rng):
    for _ in range(8_000):
        x = rng.uniform(-1.0, 1.0)
        error = sum(w * x**k for k, w in enumerate(weights)) - (0.3 - x + 2.0 * x**3 + rng.gauss(0.0, 0.1))
        for k in range(len(weights)):
            weights[k] -= 0.02 * error * x**k


def main():
    signal.signal(signal.SIGTERM, want_stop)
    saved = Path(os.environ["PARK_CHECKPOINT_DIR"]) / "state.json"
    epoch, weights, rng = 0, [0.0] * 5, random.Random(1)
    if saved.exists():
        state = json.loads(saved.read_text())
        epoch, weights = state["epoch"], state["weights"]
        version, inner, gauss = state["rng"]
        rng.setstate((version, tuple(inner), gauss))
        print("resumed after epoch", epoch)
    while epoch < N_EPOCHS:
        train_epoch(weights, rng)
        epoch += 1
        beside = saved.with_suffix(".new")
        beside.write_text(json.dumps({"epoch": epoch, "weights": weights, "rng": rng.getstate()}))
        beside.replace(saved)
        print("epoch", epoch)
        if stop_wanted and epoch < N_EPOCHS:
            sys.exit(75)
    (Path(os.environ["PARK_OUTPUT_DIR"]) / "model.json").write_text(json.dumps({"weights": weights, "epochs": epoch}))


main()
