"""Firm: trains a small neural network on two spirals, written out in plain Python so that every step can be read."""

import json
import math
import os
import random
from pathlib import Path

HIDDEN, STEPS, RATE = 12, 260, 0.4


def spirals(rng, n=120):
    """Points (x, y) of two arms with a little noise, and their arm."""
    points = []
    for index in range(n):
        for arm in (0, 1):
            turn = 1.6 * math.pi * index / n + arm * math.pi
            radius = 0.15 + index / n
            points.append(
                ((radius * math.cos(turn) + rng.gauss(0, 0.02), radius * math.sin(turn) + rng.gauss(0, 0.02)), arm)
            )
    rng.shuffle(points)
    return points


def inputs(x, y):
    return (x, y, x * x, y * y, x * y, math.sin(3 * x), math.sin(3 * y), 1.0)


def forward(net, point):
    values = inputs(*point)
    hidden = [math.tanh(sum(w * v for w, v in zip(row, values))) for row in net["in"]]
    score = sum(w * h for w, h in zip(net["out"], hidden)) + net["bias"]
    return values, hidden, 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def accuracy(net, points):
    return sum((forward(net, point)[2] > 0.5) == bool(arm) for point, arm in points) / len(points)


def main():
    rng = random.Random(7)
    points = spirals(rng)
    train, test = points[:180], points[180:]
    net = {
        "in": [[rng.gauss(0, 0.8) for _ in range(8)] for _ in range(HIDDEN)],
        "out": [rng.gauss(0, 0.5) for _ in range(HIDDEN)],
    }
    net["bias"] = 0.0
    for step in range(1, STEPS + 1):
        for point, arm in train:
            values, hidden, guess = forward(net, point)
            error = guess - arm
            rate = RATE / (1 + step / 80)
            for index, h in enumerate(hidden):
                slope = error * net["out"][index] * (1 - h * h)
                net["out"][index] -= rate * error * h
                net["in"][index] = [w - rate * slope * v for w, v in zip(net["in"][index], values)]
            net["bias"] -= rate * error
        if step % 26 == 0:
            print(f"step {step:3d}  training {accuracy(net, train):.3f}", flush=True)
    result = accuracy(net, test)
    print(f"accuracy {result:.3f} on {len(test)} points it has not seen")
    out = Path(os.environ.get("PARK_OUTPUT_DIR", "."))
    (out / "net.json").write_text(json.dumps(net))
    (out / "metrics.json").write_text(json.dumps({"accuracy": result}))


main()
