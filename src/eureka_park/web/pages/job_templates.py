"""What the page /submit offers to begin with: names for people here, scripts and fields in job_templates.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from eureka_park.web.pages.words import N_

NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "hello": (N_("Hello"), N_("The smallest job: it says hello and leaves a file behind.")),
    "packages": (N_("Script with packages"), N_("Its header names what it needs; the park installs it once.")),
    "sweep": (N_("Many tasks"), N_("One script, eight tasks; each finds its own number.")),
    "training": (
        N_("Training that can pause"),
        N_("It saves its work, stops when the sky is short, and goes on later."),
    ),
    "service": (N_("Service"), N_("It stays up until its time is over.")),
    "command": (N_("Command"), N_("A program and its arguments, without a script.")),
}


@cache
def templates() -> Mapping[str, Mapping[str, Any]]:
    """The fields of the form by template, in the order in which they are offered."""
    text = (resources.files("eureka_park.web") / "job_templates.toml").read_text("utf-8")
    return {str(item["key"]): _fields(item) for item in tomllib.loads(text)["templates"]}


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "key"}
