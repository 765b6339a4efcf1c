"""Sentences about policy files, by their form; see `cli/errors.py`. A longer form stands before one it contains."""

from __future__ import annotations

from typing import Final

from eureka_park.cli.words import N_

SAID_BY_POLICY: Final = (
    N_("{file}, line {line}: {place} is not a field of the policy file, did you mean {near}?"),
    N_("{file}, line {line}: {place} is not a field of the policy file."),
    N_("{file}, line {line}: {place} belongs under [policy]."),
    N_("{file}, line {line}: {place} is no part of a policy file, which has [policy] and [[shares]]."),
    N_("{file}, line {line}: {place} is missing."),
    N_("{file}, line {line}: {place} is wrong: '{path}' is there twice, first as {first}; leave one out."),
    N_("{file}, line {line}: {place} is wrong: '{path}' has {n} names; write at most {most}."),
    N_("{file}, line {line}: {place} is wrong: the floors of {names} sum to {sum}, above 1; lower them."),
    N_(
        "{file}, line {line}: {place} is wrong: the floors of {names} sum to {sum}, above the floor {floor} of "
        "'{parent}'; raise that to {least} or lower these."
    ),
    N_("{file}, line {line}: {place} is wrong: each step must be below the one before it."),
    N_("{file}, line {line}: {place} = {value} is wrong: {why}; allowed: {range}."),
    N_("{file}, line {line}: {place} = {value} is wrong: {why}."),
    N_("{file}, line {line}: not valid TOML: {why}."),
    N_("{file} does not go with site '{site}': {why}."),
    N_("There is no policy file '{path}'."),
    N_("Write one to start from: park policy show > mine.toml"),
    N_(
        "Correct the line, then check the file with: park policy check FILE. Every field is in "
        "docs/reference/site-file.md#policy."
    ),
    N_("There is no park in {folder}."),
    N_("Name its folder with --home."),
    N_("No job was submitted from {from_at} to {to_at}."),
    N_("Name a stretch with jobs; the last was submitted at {at}."),
    N_("Let some jobs run first: the journal holds none."),
    N_("'{text}' is no stretch of time."),
    N_("'{text}' holds no time that has passed."),
    N_("'{text}' has more than 31 days."),
    N_("'{text}' is neither a date nor an instant."),
    N_("Write last-week, last-day, or FROM..TO such as 2026-11-16..2026-11-23."),
    N_("This park cannot be played: {why}."),
)
