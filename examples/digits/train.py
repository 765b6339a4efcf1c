# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.0,<3", "scikit-learn>=1.6,<2"]
# ///
"""Learn to read handwritten digits (scikit-learn's own 1,797 scans), able to stop at any moment and go on later.

    park submit examples/digits/train.py --cpus 1 --tier flex --by 2h --checkpoint

After every epoch the whole state of the training (weights, optimiser, random numbers) goes to PARK_CHECKPOINT_DIR.
On SIGTERM the running epoch is finished, its state is saved and the exit code is 75: "paused, not done". Started again,
the training goes on from there, and ends with the same weights, bit for bit, as if it had never stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import signal
import sys
import time
from pathlib import Path

# ruff: noqa: E402  (the threads must be set before numpy is imported)
# One thread, so that sums are added in the same order every time (and no more cores are used than were asked for).
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

PAUSED = 75  # EX_TEMPFAIL: the park starts the job again later
stop_wanted = False


def main() -> int:
    options = read_options()
    signal.signal(signal.SIGTERM, want_stop)
    checkpoint = checkpoint_path()
    x_train, x_test, y_train, y_test = load_data(options.seed)
    state = load_checkpoint(checkpoint, options.seed) or new_state(options.seed)
    if state["epoch"]:
        print(f"resumed after epoch {state['epoch']}", flush=True)

    model, rng = state["model"], state["rng"]
    while state["epoch"] < options.epochs:
        begin_s = time.perf_counter()
        losses = []
        for batch in batches(len(x_train), options.batch, rng):
            model.partial_fit(jitter(x_train[batch], rng), y_train[batch], classes=range(10))
            losses.append(model.loss_)
        loss, accuracy = float(np.mean(losses)), float(model.score(x_test, y_test))
        state["epoch"] += 1
        state["history"].append({"loss": loss, "accuracy": accuracy})
        save_checkpoint(checkpoint, state)
        took_s = time.perf_counter() - begin_s
        print(
            f"epoch {state['epoch']:3d}/{options.epochs}  loss {loss:.4f}  accuracy {accuracy:.4f}  {took_s:.2f} s",
            flush=True,
        )
        if stop_wanted and state["epoch"] < options.epochs and checkpoint is not None:
            print(f"stopped after epoch {state['epoch']}, state saved", flush=True)
            return PAUSED

    write_results(state, options)
    print(f"accuracy {state['history'][-1]['accuracy']:.4f}" if state["history"] else "nothing trained", flush=True)
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Learn to read handwritten digits.")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch", type=int, default=32, help="images per step")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.epochs < 1 or options.batch < 1:
        parser.error("--epochs and --batch must be at least 1")
    return options


def want_stop(_signal: int, _frame: object) -> None:
    global stop_wanted
    if checkpoint_path() is None:
        sys.exit(128 + signal.SIGTERM)  # nowhere to save the state: stopping later would help nobody
    stop_wanted = True


def load_data(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """8 x 8 images with grey values from 0 to 1, a fifth of them kept for the test."""
    digits = load_digits()
    return tuple(
        train_test_split(digits.data / 16.0, digits.target, test_size=0.2, random_state=seed, stratify=digits.target)
    )


def new_state(seed: int) -> dict:
    model = MLPClassifier(hidden_layer_sizes=(192, 96), solver="adam", alpha=1e-4, random_state=seed, shuffle=False)
    return {"seed": seed, "epoch": 0, "model": model, "rng": np.random.default_rng(seed), "history": []}


def batches(n_images: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Every image once, in a fresh random order."""
    order = rng.permutation(n_images)
    return [order[begin : begin + size] for begin in range(0, n_images, size)]


def jitter(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some images moved by one pixel: people do not always write in the middle of the box."""
    padded = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    shifts = rng.choice(3, size=(len(images), 2), p=(0.1, 0.8, 0.1))
    moved = [image[dy : dy + 8, dx : dx + 8] for image, (dy, dx) in zip(padded, shifts, strict=True)]
    return np.stack(moved).reshape(len(images), 64)


def checkpoint_path() -> Path | None:
    folder = os.environ.get("PARK_CHECKPOINT_DIR")
    return Path(folder) / "state.pickle" if folder else None


def load_checkpoint(path: Path | None, seed: int) -> dict | None:
    if path is None or not path.exists():
        return None
    state = pickle.loads(path.read_bytes())  # written by this very script
    return state if state["seed"] == seed else None


def save_checkpoint(path: Path | None, state: dict) -> None:
    """Whole or not at all: written beside, forced to disk, then renamed."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with beside.open("wb") as stream:
        pickle.dump(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def write_results(state: dict, options: argparse.Namespace) -> None:
    out = Path(os.environ.get("PARK_OUTPUT_DIR", "."))
    out.mkdir(parents=True, exist_ok=True)
    model = state["model"]
    weights = {f"weights_{layer}": array for layer, array in enumerate(model.coefs_)}
    biases = {f"bias_{layer}": array for layer, array in enumerate(model.intercepts_)}
    np.savez(out / "model.npz", **weights, **biases)
    metrics = {
        "accuracy": state["history"][-1]["accuracy"],
        "epochs": state["epoch"],
        "seed": options.seed,
        "history": state["history"],
    }
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
