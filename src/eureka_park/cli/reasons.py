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
    N_("It waits for a better hour: {then} MAD/MWh then (carbon priced in), {now} now."),
    N_("No node of the park is large enough for it."),
    N_("It needs {n} whole free nodes; {free} are free."),
    N_("It needs {n} whole free nodes; 1 is free."),
    N_("It needs {n} whole free nodes; none is free."),
    N_("It needs {n} GPU on one node; the most that are free on one: {free}."),
    N_("It needs {asks} on one node; the roomiest has {room} free."),
    N_("It needs {asks}; {room} are free."),
    N_("There is room, but it is promised to jobs before it."),
    N_("Every node that it may run on is drained or down."),
    N_("The nodes that it needs are closed for a while."),
    N_("It would reach into the maintenance of {nodes}, from {start} to {end}."),
    N_("It would reach into the time of {nodes} that is reserved, from {start} to {end}."),
    N_("It goes on with {n} nodes: the sky gives {short} less than the bound work draws."),
    N_("It goes on with 1 node: the sky gives {short} less than the bound work draws."),
    N_(
        "It is paused at a checkpoint: {share} has lent it the power and asks for it back; {floor} are sure to that "
        "share."
    ),
    N_(
        "Its {time} are used up; to go on it takes {need} credits, and {project} has {left}. It is paused until there "
        "are more."
    ),
    N_(
        "Its {time} are used up; to go on it takes {need} credits, and {project} has {left}. It is ended unless there "
        "are more by then."
    ),
    N_("It is capped to {percent} of its power: the sky gives {short} less than the bound work draws."),
    N_("It is paused at a checkpoint: the sky gives {short} less than the bound work draws."),
    N_("It is frozen in place, its work kept: the sky gives {short} less than the bound work draws."),
    N_("It stays frozen in place, its work kept: the sky gives {short} less than it needs to go on."),
    N_("It stays capped to {percent} of its power: the sky gives {short} less than the rest needs."),
    N_("It goes on: sun, wind and salt give {clean} now, enough for it."),
    N_("It has {nodes} nodes now: nobody waits for them, and sun, wind and salt give {clean}."),
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

# Sentences that follow one of those above.
SAID_AFTERWARDS: Final = (
    N_("The plan keeps its salt for dearer hours."),
    N_("The salt is empty."),
    N_("Its project has used {used} of the park lately; {due} is due to it."),
)

ADVICE: Final = (
    N_("Ask for fewer GPUs, CPUs or memory on one machine."),
    N_("Declare a shorter time (--time), if it needs less: a short job may pass through a gap."),
    N_("Declare a time (--time) that ends before the window begins, or let it wait for its end."),
    N_("In tier flex or green it waits for sun, wind or salt and needs no firm power."),
    N_("Ask for less power, or declare what it really draws with --kw."),
    N_("In tier firm the grid carries it: dearer, but no cloud holds it."),
    N_("Name an earlier deadline with --by: it then starts sooner, at a higher price."),
    N_("Give it a higher --priority to pass other jobs of its project."),
    N_("Submit it again and ask for less of one machine."),
    N_("It starts when they have finished; should one fail, this job is cancelled."),
    N_("Nothing need be done: the first plan is there within minutes."),
    N_("Jobs of tier firm are never capped, paused or frozen by the plan."),
    N_("Within its own share nobody asks it to give way."),
    N_("A top-up of its project, or a transfer from another one, lets it go on."),
    N_("Declare the time that it takes (--time): that is held before it starts."),
    N_("Ask for fewer machines (--nodes or --gpus)."),
    N_("With checkpoints it may begin on fewer machines: --min-nodes."),
    N_("What its project has used counts less from day to day; its turn comes back by itself."),
    N_("With a deadline (--by) it runs in time for it, by then on the grid."),
)
