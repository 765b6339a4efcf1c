"""Remakes the pictures of the docs from a real park: a watched day as a series, and the overview for the README.

    .venv/bin/python docs/pictures/make.py day [--pace 60] [--hours 24] [--folder docs/pictures/day]
    .venv/bin/python docs/pictures/make.py pages URL [FOLDER]        (the URL may be a sign-in link)

`day` starts `park up --story` in a home of its own, takes a picture of the hall screen every park hour and when the
chapter changes, and writes what was seen beside it (`day.csv`: park time, chapter, counts of states, salt, sentence).
Needs chromium.
"""

from __future__ import annotations

import argparse
import base64
import csv
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.helpers.chromium import Chromium
from tests.helpers.running_park import RunningPark, wait_for

SIZE = (1280, 720)


def picture(browser: Chromium, file: Path, quality: int = 82) -> None:
    """What the browser shows, as WebP."""
    answer = browser.ask("Page.captureScreenshot", format="webp", quality=quality)
    file.write_bytes(base64.b64decode(answer["data"]))


def seen(park: RunningPark) -> dict[str, Any]:
    """The moment in figures."""
    plan = park.park.plan()
    states = Counter(job["state"] for job in park.park.jobs(limit=200))
    salt = {name: series[plan["now"]["interval"]] for name, series in plan["tes_mwh_th"].items()}
    level = sum(salt.values()) / max(sum(plan["tes_mwh_th_max"].values()), 1e-12)
    story = park.opened(lambda opened: opened.story_now()) or {}
    return {
        "park_at": plan["now"]["park_at"][:16],
        "chapter": story.get("chapter", ""),
        "sentence": plan["now"]["sentence_code"],
        "salt_frac": f"{level:.3f}",
        **{name: states.get(name, 0) for name in ("running", "frozen", "paused", "queued", "finished", "failed")},
    }


def day(pace: float, hours: float, folder: Path) -> None:
    """Watch one day."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, RunningPark(Path(name), "--story", "--pace", str(pace)) as park:
        browser = Chromium(Path(name) / "profile")
        browser.size(*SIZE)
        browser.speak("fr")
        wait_for(lambda: park.opened(lambda opened: opened.energy.current_plan()), "the first plan", 60.0, 0.5)
        rows: list[dict[str, Any]] = []
        end_s, last = time.monotonic() + hours * 3600 / pace, ("", "")
        while time.monotonic() < end_s:
            now = seen(park)
            key = (now["park_at"][:13], now["chapter"])
            if key != last:
                last = key
                browser.go(f"http://localhost:{park.port}/wall")
                time.sleep(0.5)
                file = folder / f"{len(rows):02d}-{now['park_at'][11:13]}h{now['park_at'][14:16]}-{now['chapter']}.webp"
                picture(browser, file)
                rows.append({**now, "picture": file.name})
                print(now, flush=True)
            time.sleep(max(0.5, 180 / pace))
        browser.close()
    with (folder / "day.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def pages(link: str, folder: Path) -> None:
    """The overview in three dresses."""
    folder.mkdir(parents=True, exist_ok=True)
    base = link.split("/sign-in", 1)[0].rstrip("/")
    with tempfile.TemporaryDirectory() as name:
        browser = Chromium(Path(name))
        browser.go(link)
        for lang, file, scheme in (
            ("en", "overview-en", "light"),
            ("ar", "overview-ar", "light"),
            ("fr", "overview-fr-dark", "dark"),
        ):
            browser.speak(lang)
            browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            browser.size(1280, 900)
            browser.go(f"{base}/")
            time.sleep(0.8)
            picture(browser, folder / f"{file}.webp")
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["day", "pages"])
    parser.add_argument("link", nargs="?", default="")
    parser.add_argument("out", nargs="?", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--pace", type=float, default=60.0)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--folder", type=Path, default=Path("docs/pictures/day"))
    options = parser.parse_args()
    if options.what == "day":
        day(options.pace, options.hours, options.folder)
    else:
        pages(options.link, options.out)
