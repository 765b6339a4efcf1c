"""Flex: counts primes block by block and writes a checkpoint after each, so that it can be paused and resumed."""

import json
import os
import signal
import sys
from pathlib import Path

LIMIT, BLOCK = 30_000_000, 1_000_000
place = Path(os.environ.get("PARK_CHECKPOINT_DIR", ".")) / "sieve.json"
state = json.loads(place.read_text()) if place.exists() else {"next": 0, "primes": 0}
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(True))

small = [p for p in range(2, int(LIMIT**0.5) + 1) if all(p % q for q in range(2, int(p**0.5) + 1))]
while state["next"] < LIMIT:
    low, high = state["next"], min(LIMIT, state["next"] + BLOCK)
    flags = bytearray([1]) * (high - low)
    for p in small:
        start = max(p * p, (low + p - 1) // p * p) - low
        if start < len(flags):
            flags[start::p] = bytes(len(range(start, len(flags), p)))
    state = {"next": high, "primes": state["primes"] + sum(flags) - (2 if low == 0 else 0)}
    part = place.with_suffix(".part")
    part.write_text(json.dumps(state))
    part.replace(place)
    print(f"{state['primes']:9,d} primes below {high:11,d}", flush=True)
    if asked:
        sys.exit(75)
Path(os.environ.get("PARK_OUTPUT_DIR", "."), "primes.json").write_text(json.dumps(state))
