"""What is wrong with a field, in the reader's language: by code where a sentence fits, else the park's own English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eureka_park.compute.core.site_room import NotWholeNodes, SiteRoom
from eureka_park.control.feasible import DeadlineInfeasible
from eureka_park.foundation.errors import ParkError
from eureka_park.web.pages.words import N_, Words

SENTENCES: Final[Mapping[str, str]] = {
    "bad_duration": N_("This is not a duration. Write it as 90s, 15m, 2h or 3d."),
    "bad_instant": N_("This is neither a duration nor an instant. Write 2h, or 2026-11-22T18:00:00Z."),
    "bad_size": N_("This is not a size. Write it as 512MiB or 2GiB."),
    "bad_number": N_("This is not a number above zero. Write 1, 0.5 or 4."),
    "bad_count": N_("This is not a whole number. Write 4, for example."),
    "open_quote": N_("A quotation mark is never closed."),
    "deadline_past": N_("The deadline lies in the past of the park's clock."),
    "deadline_far": N_("The deadline is more than a year away."),
    "deadline_too_near": N_("Until the deadline there is less time than the job declares."),
    "no_such_gpu_type": N_("There is no such GPU here."),
    "larger_than_site": N_("This is more than all machines of one kind here have."),
    "no_node_has_it": N_("No machine here has so much of all that it needs at once."),
    "not_elastic": N_("Only a job on whole machines can shrink."),
    "elastic_needs_checkpoint": N_("Only a job that writes checkpoints can shrink."),
    "min_above_most": N_("The least is more than the job asks for."),
    "more_power_than_nodes": N_("Its machines cannot draw so much power."),
    "no_such_job": N_("There is no such job to run after."),
    "dependency_failed": N_("That job did not finish, so nothing can run after it."),
    "no_such_project": N_("There is no such project that you can see."),
    "no_token": N_("You are not signed in. What you wrote is still here."),
    "unauthorised": N_("You are not signed in. What you wrote is still here."),
}
_LARGEST: Final[Mapping[str, str]] = {
    "cpus": N_("The largest machine here has {most} CPUs."),
    "memory": N_("The largest machine here has {most} of memory."),
    "gpus": N_("The largest machine here has {most} GPUs."),
}
_WHOLE: Final = N_("Beyond one machine, GPUs come as whole machines. Possible here: {counts}.")
_EARLIEST: Final = N_("It cannot be done by then. The earliest possible end: {when}.")
_TOO_FEW: Final = N_("The plan has too little power for it before the deadline.")
_EMPTY: Final[Mapping[str, str]] = {
    "script": N_("There is no script yet. Paste one, or begin with a template."),
    "command": N_("There is no command yet. Write one, such as: echo hello"),
}


def errors_shown(words: Words, errors: Mapping[str, ParkError], most: SiteRoom) -> dict[str, dict[str, str]]:
    """By field, the sentence and the language it is in."""
    return {field: _shown(words, error, most) for field, error in errors.items()}


def _shown(words: Words, error: ParkError, most: SiteRoom) -> dict[str, str]:
    own = {"text": error.line(), "lang": "en"}
    form, values = _form(words, error, most)
    if not form or words.lang == "en":
        return own
    return {"text": words.say(form, **values), "lang": words.tag_of(form)}


def _form(words: Words, error: ParkError, most: SiteRoom) -> tuple[str, dict[str, Any]]:
    field = error.field or ""
    if error.code == "larger_than_any_node" and field in _LARGEST:
        sizes = {
            "cpus": words.number(most.n_cpus),
            "memory": words.size(most.memory_bytes),
            "gpus": words.number(most.n_gpus),
        }
        return _LARGEST[field], {"most": sizes[field]}
    if isinstance(error, NotWholeNodes):
        return _WHOLE, {"counts": " · ".join(words.number(count) for count in error.counts)}
    if isinstance(error, DeadlineInfeasible):
        when_s = error.earliest_end_s
        return (_TOO_FEW, {}) if when_s is None else (_EARLIEST, {"when": words.when(when_s)})
    if error.code == "nothing_to_run":
        return _EMPTY.get(field, ""), {}
    return SENTENCES.get(error.code, ""), {}
