"""Sentences of the energy commands' errors, by their form; see `cli/errors.py`."""

from __future__ import annotations

from typing import Final

from eureka_park.cli.words import N_

SAID_BY_ENERGY: Final = (
    N_("There is no plant '{plant}'."),
    N_("Plants: {plants}."),
    N_("There is no plant '{plant}' that SAM has a model for."),
    N_("NREL-PySAM is not installed; it is the optional reference of this check."),
    N_("SAM could not run {plant}: {why}"),
    N_("There is no scenario '{scenario}'."),
    N_("Scenarios: {scenarios}."),
    N_("There is no weather for '{place}'."),
    N_("Give a file for it: --weather {place}=FILE"),
    N_("There is no site '{site}'."),
    N_("Name a file or one of: {sites}."),
    N_("A plan is made of one seed."),
    N_("Give one, such as --seeds 1."),
    N_("Both --load-mw and --load-profile are given."),
    N_("Give one of them."),
    N_("'{text}' does not say for which place it is."),
    N_("Write PLACE=FILE with one of: {places}."),
    N_("There is no weather file '{path}'."),
    N_("There is no file '{path}'."),
    N_("No weather is given for {places}."),
    N_("Give one --weather PLACE=FILE for each place, or none for synthetic years."),
    N_("{file} is not a park weather file."),
    N_("Make one from it: {command}"),
    N_("'{file}' does not say its kind."),
    N_("End it in {endings}."),
    N_("Make it first."),
    N_("{ending} files need the package {package}."),
    N_("Install it: pip install 'eureka-park[{extra}]'"),
    N_("{file} has {n} rows of values."),
    N_("{file} has {n} rows of values (a leap year: leave one day out)."),
    N_("{file}, line {line}: '{text}' is no power in MW from 0 to 1,000,000."),
    N_("{file} is no readable CSV: {why}."),
    N_("'{place}' is no id of a place."),
    N_("Write lower-case letters, digits and hyphens."),
    N_("{name} = {value} is outside {low} to {high}."),
    N_("{file}: {column}: {n} hours are outside {low} to {high}, the first {value}: {hours}."),
    N_("See what it is: {command}"),
    N_("{file} is no whole study: '{part}' is not as it should be."),
    N_("Make it again: {command}"),
    N_("'{file}' cannot be written: there is no folder '{folder}'."),
    N_("'{url}' is not an address."),
    N_("Write it as https://host/path."),
    N_("{service} sends on to what is no web address."),
    N_("{service} did not end its answer within {n} s."),
    N_(
        "Give 8,760 rows (MW of each UTC hour from 1 January 00:00), or a week: 24 rows of 7 values, Monday to Sunday, "
        "by local hour."
    ),
    N_("A share of {share} cannot be asked for."),
    N_("Ask for more than 0 and at most 1."),
    N_("'{text}' is neither a time of day nor an instant."),
    N_("Write 05:30 (the site's local time, today) or an instant such as 2026-06-21T05:00:00Z."),
    N_("'{text}' limits nothing."),
    N_("Write TYPE=MW with one of: {types}."),
    N_("There is no load to size for."),
    N_("Give a load of more than 0 MW."),
)
