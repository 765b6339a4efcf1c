"""`park version` and `park completion`."""

from __future__ import annotations

import click

from eureka_park.cli.output import json_option, print_json
from eureka_park.foundation.errors import Unavailable


@click.command()
@json_option
def version(as_json: bool) -> None:
    """Print the version of this program.

    \b
    park version
    park version --json
    """
    from eureka_park import __version__

    if as_json:
        print_json({"version": __version__})
    else:
        click.echo(__version__)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
def completion(shell: str) -> None:
    """Print the completion script of your shell. Ids of jobs are completed too, also by the beginning of their name.

    \b
    bash:        park completion bash >~/.local/share/bash-completion/completions/park
    zsh:         park completion zsh >"${fpath[1]}/_park"
    fish:        park completion fish >~/.config/fish/completions/park.fish
    PowerShell:  park completion powershell | Out-String | Invoke-Expression   (a line for $PROFILE)
    """
    from click.shell_completion import get_completion_class

    from eureka_park.cli import powershell
    from eureka_park.cli.main import cli

    assert powershell.PowerShellComplete.name == "powershell"  # known to click once it is imported
    kind = get_completion_class(shell)
    if kind is None:
        raise Unavailable(f"There is no completion for {shell}.", fix="Choose bash, zsh, fish or powershell.")
    click.echo(kind(cli, {}, "park", "_PARK_COMPLETE").source())
