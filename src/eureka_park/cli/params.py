"""Parameter types that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from eureka_park.cli.words import _
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import parse_count, parse_duration_s


class Duration(click.ParamType[float]):
    """A duration such as 90s, 15m or 2h; seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return parse_duration_s(value)
        except BadInput as error:
            self.fail(error.line(), param, ctx)


class Count(click.ParamType[int]):
    """A whole number of at least 1, such as 1000 or 10e6."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text."""
        try:
            found = parse_count(str(value))
        except BadInput as error:
            self.fail(error.line(), param, ctx)
        if found < 1:
            self.fail(_("{value} is too few: give at least 1.", value=value), param, ctx)
        return found


DURATION: Final = Duration()
COUNT: Final = Count()

#: The option `--home`, the same everywhere.
home_option: Final = click.option(
    "--home", type=click.Path(path_type=Path), default=None, help="Folder of the park (default: PARK_HOME)."
)
