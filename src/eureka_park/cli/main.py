"""`park`: the commands by name. Only click is imported here; each command brings what it needs when it is used."""

from __future__ import annotations

import io
import sys

import click

from eureka_park.cli.lazy import Lazy, LazyGroup

_CLI = "eureka_park.cli"
COMMANDS: dict[str, Lazy] = {
    "up": Lazy(f"{_CLI}.up:up", "Start a park on this machine.", is_server=True, see=("down", "status", "submit")),
    "down": Lazy(f"{_CLI}.up:down", "Stop the park of this machine.", is_server=True, see=("up",)),
    "web": Lazy(f"{_CLI}.more:web", "One more web process of a park.", is_server=True, see=("up", "standby")),
    "standby": Lazy(
        f"{_CLI}.more:standby", "A process that decides when the first one is gone.", is_server=True, see=("up", "web")
    ),
    "maintenance": Lazy(
        f"{_CLI}.maintenance:maintenance",
        "A notice on the pages while you work on the park.",
        is_server=True,
        see=("up", "status"),
    ),
    "backup": Lazy(
        f"{_CLI}.backup:backup", "The whole park as one file, while it runs.", is_server=True, see=("restore", "up")
    ),
    "restore": Lazy(
        f"{_CLI}.backup:restore", "A park from a backup, in a new home.", is_server=True, see=("backup", "up")
    ),
    "grant": Lazy(f"{_CLI}.bills:grant", "Credits: given, left, moved.", see=("statement", "price", "project")),
    "price": Lazy(f"{_CLI}.bills:price", "What an hour of a GPU or a CPU costs.", see=("grant", "submit")),
    "refunds": Lazy(f"{_CLI}.bills:refunds", "What was paid back to a project's jobs.", see=("receipt", "statement")),
    "statement": Lazy(f"{_CLI}.bills:statement", "What a project used and paid in a month.", see=("receipt", "grant")),
    "ledger": Lazy(
        f"{_CLI}.ledger:ledger", "The books: check that they add up.", is_server=True, see=("receipt", "backup")
    ),
    "status": Lazy(f"{_CLI}.status:status", "The park in a few lines.", see=("plan", "top", "whoami")),
    "plan": Lazy(f"{_CLI}.plan:plan", "The power of the next 48 hours, by source.", see=("status",)),
    "energy": Lazy(
        f"{_CLI}.energy:energy", "What sun, wind and salt can carry: plans, years, sizes.", see=("plan", "site")
    ),
    "submit": Lazy(
        f"{_CLI}.submit:submit", "Submit a script, a job file or a command.", see=("jobs", "logs", "wait", "why")
    ),
    "jobs": Lazy(f"{_CLI}.jobs:jobs", "List jobs, newest first.", see=("show", "why", "top")),
    "show": Lazy(f"{_CLI}.show:show", "One job with all its particulars.", see=("why", "logs", "receipt")),
    "why": Lazy(f"{_CLI}.why:why", "Why a job waits, and until when.", see=("show", "plan")),
    "logs": Lazy(f"{_CLI}.follow:logs", "The log of a job; -f follows it.", see=("wait", "show")),
    "wait": Lazy(f"{_CLI}.follow:wait", "Wait for a job; exit with its code.", see=("logs", "get", "receipt")),
    "cancel": Lazy(f"{_CLI}.show:cancel", "Cancel jobs.", see=("jobs", "show")),
    "receipt": Lazy(f"{_CLI}.receipt:receipt", "What a job used, by hour and source.", see=("show", "plan")),
    "get": Lazy(f"{_CLI}.outputs:get", "Bring a job's outputs home.", see=("wait", "show")),
    "data": Lazy(f"{_CLI}.data:data", "Data sets and models with their history.", see=("get", "project", "token")),
    "files": Lazy(f"{_CLI}.files:files", "Files of projects, in buckets; S3 keys.", see=("data", "project", "token")),
    "nodes": Lazy(
        f"{_CLI}.nodes:nodes", "The machines: what is free; drain, resume and close them.", see=("reserve", "jobs")
    ),
    "reserve": Lazy(f"{_CLI}.nodes:reserve", "Keep machines for a project for a time.", see=("nodes",)),
    "top": Lazy(f"{_CLI}.top:top", "The park live on one screen.", see=("status", "jobs", "plan")),
    "login": Lazy(f"{_CLI}.login:login", "Log in to a park elsewhere.", see=("whoami", "logout")),
    "logout": Lazy(f"{_CLI}.login:logout", "Log out and end the token.", see=("login",)),
    "whoami": Lazy(f"{_CLI}.login:whoami", "Which park, and who you are there.", see=("login", "status")),
    "who-can": Lazy(f"{_CLI}.who_can:who_can", "Who may do what, and why.", see=("project", "whoami")),
    "project": Lazy(f"{_CLI}.projects:project", "Projects, and who is in them.", see=("who-can", "people")),
    "token": Lazy(f"{_CLI}.tokens:token", "Tokens for programs and machines.", see=("login", "session")),
    "session": Lazy(f"{_CLI}.tokens:session", "Browsers in which you are signed in.", see=("token", "account")),
    "notices": Lazy(f"{_CLI}.notices:notices", "What you are told, by e-mail and webhooks.", see=("account", "token")),
    "account": Lazy(f"{_CLI}.tokens:account", "Your own account: export, erase.", see=("token", "whoami")),
    "people": Lazy(f"{_CLI}.projects:people", "Everybody who has an account.", see=("project", "audit")),
    "group": Lazy(f"{_CLI}.groups:group", "Groups: people who hold roles together.", see=("project", "people")),
    "invitation": Lazy(f"{_CLI}.groups:invitation", "Ask people in by a letter.", see=("project", "people")),
    "audit": Lazy(f"{_CLI}.audit:audit", "Who did what, and whether the log is whole.", see=("people",)),
    "sign-in": Lazy(f"{_CLI}.sign_in:sign_in", "Links that let people in.", is_server=True, see=("people", "login")),
    "site": Lazy(f"{_CLI}.site:site", "Site files: new, check, show.", see=("status", "plan")),
    "policy": Lazy(
        f"{_CLI}.policy:policy", "How the park decides: show, check, rehearse, use.", is_server=True, see=("site", "up")
    ),
    "twin": Lazy(f"{_CLI}.twin:twin", "The park's decisions, tried in a simulated world.", see=("policy", "energy")),
    "observe": Lazy(f"{_CLI}.observe:observe", "A cluster of another scheduler, looked at.", see=("twin", "energy")),
    "weather": Lazy(f"{_CLI}.weather:weather", "Weather files: make, import, fetch, describe.", see=("energy", "site")),
    "completion": Lazy(f"{_CLI}.about:completion", "Print the completion script of your shell.", see=("version",)),
    "version": Lazy(f"{_CLI}.about:version", "Print the version.", see=("status",)),
    "serve-live": Lazy(f"{_CLI}.up:serve_live", "The deciding process.", is_server=True, hidden=True),
}


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted:
        from eureka_park import __version__

        click.echo(__version__)
        ctx.exit()


@click.group(
    cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def cli() -> None:
    """Run jobs on a park powered by sun, wind and molten salt.

    \b
    park up                                  start a park here
    park submit train.py --tier green        a script, with its PEP 723 dependencies
    park submit --cpus 2 -- make all         a command
    park logs -f JOB                         follow its output
    park receipt JOB                         kWh by hour and source

    The park of this machine is found by itself; park login names another, and so do PARK_URL and PARK_TOKEN.

    Exit codes: 0 done, 1 failure, 2 wrong use, 125 park not reachable. PARK_LANG=fr speaks French.
    """


def main() -> None:
    """The entry of the installed `park`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our blocks shows "?" instead of a traceback
    cli.main(prog_name="park")
