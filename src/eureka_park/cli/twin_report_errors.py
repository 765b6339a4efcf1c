"""Sentences about the files of a run and their report, by their form; see `cli/errors.py`."""

from __future__ import annotations

from typing import Final

from eureka_park.cli.words import N_

SAID_BY_RUN_FILES: Final = (
    N_("'{folder}' is a file, no folder."),
    N_("Give a folder: --out DIR"),
    N_("Nothing can be written into '{folder}'."),
    N_("Give another folder: --out DIR"),
    N_("The run cannot be written into '{folder}': {why}."),
    N_("Make room, or give another folder: --out DIR"),
    N_("'{folder}' is a file, no folder of a run."),
    N_("There is no folder '{folder}'."),
    N_("Give a folder that park twin run --out DIR has written."),
    N_("There is no run in '{folder}'."),
    N_("Write one: park twin run --out DIR"),
    N_("'{file}' has the form of another version."),
    N_("'{folder}' holds a part of a run: there is no {name}."),
    N_("'{file}' is damaged: {why}."),
    N_("Make it again: park twin run --out DIR"),
    N_("{n} runs fit no page."),
    N_("Name {n} at most, or compare them: park twin compare DIR..."),
    N_("Write --out FILE.html or .pdf."),
    N_("A PDF is printed by Chromium or Chrome, and none is on this machine."),
    N_("Install one (apt install chromium), or write --out {file} and print it from your browser."),
)
