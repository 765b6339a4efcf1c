"""Errors and reasons in the person's language: sentences by their form, whatever part of the park made them.

They carry finished English, so that programs and logs always read the same. Here the forms that people meet most are
known; a sentence of one of them is said anew with its own names in it. What is not known stays English.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain
from typing import Final

from eureka_park.cli.energy_errors import SAID_BY_ENERGY
from eureka_park.cli.observe_errors import SAID_BY_OBSERVE
from eureka_park.cli.policy_errors import SAID_BY_POLICY
from eureka_park.cli.reasons import ADVICE, SAID_AFTERWARDS, SAID_BY_THE_PARK
from eureka_park.cli.twin_errors import SAID_BY_THE_TWIN
from eureka_park.cli.twin_many_errors import SAID_BY_SWEEPS
from eureka_park.cli.twin_report_errors import SAID_BY_RUN_FILES
from eureka_park.cli.words import N_, _, language
from eureka_park.foundation.errors import ParkError

FORMS: Final = (
    N_("There is no machine '{name}'."),
    N_("List them: park nodes"),
    N_("{node} takes jobs already."),
    N_("{node} is closed for maintenance from {start} to {end} ({window})."),
    N_("{node} is kept for {project} from {start} to {end} ({window})."),
    N_("Begin at {end}, or take that one back: park nodes open {window}"),
    N_("There is no window {window}."),
    N_("See: park nodes windows"),
    N_("See: park nodes"),
    N_("{n} machines of one class are not free for that time; the most that are: {most}."),
    N_("Keep fewer, or choose another time."),
    N_("There is no project '{project}'."),
    N_("Write its id as jobs name it with --project."),
    N_("{when} is not after the beginning."),
    N_("Name a later end."),
    N_("{when} lies in the past."),
    N_("Leave it out to begin now."),
    N_("Ask an operator of the park."),
    N_("{name} does not operate this park."),
    N_("No park runs on this machine."),
    N_("Start one: ./park up, or name one elsewhere: park login URL"),
    N_("No park answers at {url}."),
    N_("The connection to {url} broke off ({kind})."),
    N_("Try again in a moment."),
    N_("'{url}' is not the address of a park."),
    N_("Write it as http://localhost:8386."),
    N_("Check PARK_URL."),
    N_("Check that PARK_URL names a park."),
    N_("What answers at {url} is no park."),
    N_("Check the address."),
    N_("The park behind {url} does not answer (status {status})."),
    N_("{url} answered with status {status}, not in the park's own form."),
    N_("The token is not one of this park."),
    N_("Set PARK_TOKEN to a valid token."),
    N_("Nobody is signed in."),
    N_("Send a token (PARK_TOKEN), or sign in by a link."),
    N_("Sign in, or set PARK_TOKEN."),
    N_("This code was used before, is older than 10 minutes, or is none of this park."),
    N_("Make a new one on the park's page /connect."),
    N_("A code is needed."),
    N_("Get one at {page}, then: park login {url} --code CODE"),
    N_("You are not logged in to any park."),
    N_("There is no login for '{word}'."),
    N_("Known parks: {known}. See: park login --list"),
    N_("{path} cannot be read."),
    N_("{path} cannot be read: {why}."),
    N_("{path} cannot be written: {why}."),
    N_("Remove it, then: park login URL"),
    N_("Set PARK_URL and PARK_TOKEN instead."),
    N_("Set PARK_TOKEN to a token of your own."),
    N_("{path} belongs to someone else."),
    N_("Start the park again: ./park up."),
    N_("There is no job {job}."),
    N_("There is no job '{job}'."),
    N_("List the jobs: park jobs."),
    N_("List the jobs: park jobs"),
    N_("There is no folder '{folder}'."),
    N_("Name one that exists with --dir."),
    N_("There is nothing to send in '{folder}'."),
    N_("Check the folder and its .gitignore."),
    N_("'{folder}' holds {have}; at most {limit} travel with a job. Largest: {largest}."),
    N_("List what the job does not need in .gitignore."),
    N_("There is no script '{script}'."),
    N_("Check the path; to run a command write: park submit -- {script}"),
    N_("Check the path."),
    N_("'{script}' is not a file."),
    N_("Name a script, and its folder with --dir."),
    N_("'{script}' is neither a .py nor a .sh file and is not executable."),
    N_("Make it executable (chmod +x), or write: park submit --dir . -- COMMAND {script}"),
    N_("There is no job file '{path}'."),
    N_("'{script}' is not inside '{folder}'."),
    N_("Name a script inside the folder of --dir, or leave --dir out."),
    N_("There is no command to run."),
    N_("Write: park submit -- COMMAND ..."),
    N_("'{text}' is not a duration."),
    N_("Write it as 90s, 15m, 2h, 3d or 1h30m."),
    N_("'{text}' is neither a duration nor an instant."),
    N_("Write 90s, 15m, 2h or 3d from now, or an instant such as 2026-11-22T18:00:00Z."),
    N_("'{text}' is not a size."),
    N_("Write it as 512M, 2GiB or a number of bytes."),
    N_("'{field}' must be a number greater than 0, not {value}."),
    N_("'{field}' must be a whole number of at least {least}, not {value}."),
    N_("'{field}' must be a size greater than 0, not {value}."),
    N_("'{field}' must be a duration greater than 0, not {value}."),
    N_("'{field}' must be one of {words}, not {value}."),
    N_("{file}, line {line}: unknown field '{field}'."),
    N_("Did you mean '{near}'?"),
    N_("The job has no output '{path}'."),
    N_("{job} is still {state} after {seconds} s."),
    N_("Wait longer, or ask: park why."),
    N_("The park itself runs on Linux; here is its client."),
    N_("Set PARK_URL to a park elsewhere."),
    N_("This version has no command '{name}'."),
    N_("See: park --help"),
    N_("'park {name}' needs the server part of Eureka Park."),
    N_("Install it: pip install 'eureka-park[server]'"),
    N_("'{path}' exists."),
    N_("Choose another name, or another file with --to."),
    N_("There is no project {project} that you can see."),
    N_("Check its name, or ask its members to add you."),
    N_("There is no power plan yet."),
    N_("The first one is being made; ask again."),
    N_("Submit again."),
    N_("{source} changed while it was being sent."),
    N_("Submit again when it is still."),
)
_NAME: Final = re.compile(r"\\\{(\w+)\\\}")


def told(error: ParkError) -> str:
    """An error as one line in the person's language."""
    if language() == "en":
        return error.line()
    return f"{sentence(error.message)} {sentence(error.fix)}".strip()


def sentence(text: str) -> str:
    """A sentence of a known form in the person's language; any other as it is."""
    if not text or language() == "en":
        return text
    for form in SAID_AFTERWARDS:
        if found := _last(form).fullmatch(text):
            names = found.groupdict()
            return f"{sentence(names.pop('_before'))} {_(form, **names)}"
    said = (
        SAID_BY_THE_PARK,
        ADVICE,
        SAID_BY_ENERGY,
        SAID_BY_POLICY,
        SAID_BY_THE_TWIN,
        SAID_BY_SWEEPS,
        SAID_BY_RUN_FILES,
        SAID_BY_OBSERVE,
    )
    for form in (*FORMS, *chain.from_iterable(said)):
        if found := _pattern(form).fullmatch(text):
            return _(form, **found.groupdict())
    return text


@cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(_NAME.sub(r"(?P<\1>.+?)", re.escape(form)), re.DOTALL)


@cache
def _last(form: str) -> re.Pattern[str]:
    """Any text that ends with a sentence of this form."""
    return re.compile(rf"(?P<_before>.+) {_pattern(form).pattern}", re.DOTALL)
