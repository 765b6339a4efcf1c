"""Parameter types that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import parse_duration_s


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


DURATION: Final = Duration()

#: The option `--home`, the same everywhere.
home_option: Final = click.option(
    "--home", type=click.Path(path_type=Path), default=None, help="Folder of the park (default: PARK_HOME)."
)
