"""What the park says about jobs and the sky, as forms: `park why`, `park wait` and `park top` say them anew."""

from __future__ import annotations

from typing import Final

from eureka_park.cli.words import N_

SAID_BY_THE_PARK: Final = (
    N_("The salt takes over from the sun."),
    N_("Molten salt carries the work through the dark."),
    N_("The sun comes up and begins to fill the salt."),
    N_("The sun carries most of the work."),
    N_("The wind carries most of the work."),
    N_("Stored power carries most of the work."),
    N_("Sun, salt and wind share the work."),
    N_("Wind and salt share the work."),
    N_("The sky gives little now; the grid carries most of the work."),
    N_("It has just arrived; the scheduler looks at it next."),
    N_("It is next in its line."),
    N_("It stands in the {tier} line of its project."),
    N_("1 {tier} job of its project stands before it."),
    N_("{n} {tier} jobs of its project stand before it."),
    N_("It runs after {names}."),
    N_("There is no power plan yet; one is being made."),
    N_("It needs {need} of the park's own sun, wind or salt; {free} is free now."),
    N_("It needs {need} of firm power; {free} can be promised now."),
    N_("It needs {need}; plants and grid together leave {free} now."),
    N_("It waits for a better hour: {then} MAD/MWh then (carbon priced in), {now} now; its deadline leaves {left}."),
    N_("No node of the park is large enough for it."),
    N_("It needs {asks}; {room} are free."),
    N_("It is capped to {percent} of its power: the sky gives {short} less than the bound work draws."),
    N_("It is paused at a checkpoint: the sky gives {short} less than the bound work draws."),
    N_("It is frozen in place, its work kept: the sky gives {short} less than the bound work draws."),
    N_("It stays frozen in place, its work kept: the sky gives {short} less than it needs to go on."),
    N_("It stays capped to {percent} of its power: the sky gives {short} less than the rest needs."),
    N_("It goes on: sun, wind and salt give {clean} now, enough for it."),
    N_("It has its full power again: sun, wind and salt give {clean} now, enough for it."),
    N_("It is being prepared: environment and files."),
    N_("It runs."),
    N_("It writes a checkpoint before it stops."),
    N_("It finished. It ran {time}."),
    N_("It failed with exit code {code}. It ran {time}."),
    N_("It failed. It ran {time}."),
    N_("It was cancelled."),
    N_("It was cancelled. It ran {time}."),
    N_("It was lost: its node or supervisor died without a last word."),
)
