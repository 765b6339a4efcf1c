"""`park policy`: how the park decides, shown, checked and changed by a file."""

from __future__ import annotations

import click

from eureka_park.cli.lazy import Lazy, LazyGroup

_CLI = "eureka_park.cli"
COMMANDS: dict[str, Lazy] = {
    "show": Lazy(
        f"{_CLI}.policy_commands:show", "The policy that holds, as a file to start from.", see=("policy check", "site")
    ),
    "check": Lazy(
        f"{_CLI}.policy_commands:check", "What is wrong in a policy file, or what it changes.", see=("policy use",)
    ),
    "diff": Lazy(
        f"{_CLI}.policy_diff:diff",
        "What a policy file would have changed for the jobs of a past week.",
        see=("policy check", "policy use"),
    ),
    "use": Lazy(f"{_CLI}.policy_commands:use", "Let the park start with a policy file.", see=("policy show", "up")),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def policy() -> None:
    """Change how the park decides: what the sky holds back, who gets which share, how far the park looks ahead.

    \b
    park policy show > mine.toml    the policy that holds; edit it
    park policy check mine.toml     what is wrong in it, or what it would change
    park policy diff mine.toml      who would have waited longer or shorter last week
    park policy use mine.toml       from the next start on

    A policy file holds [policy] and [[shares]] as a site file does. What it leaves out stays as it is at the site.
    """
