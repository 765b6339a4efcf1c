"""A run that ended early, without the jobs that had not come by then: its figures are of what was played."""

from __future__ import annotations

from dataclasses import replace

from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import Workload


def that_came(work: Workload, played: Played) -> tuple[Workload, Played]:
    """The jobs that had come by the end of a run, and what became of them; all of them where it was whole."""
    came = work.submit_s <= played.until_s
    if played.is_whole or came.all():
        return work, played
    counted = played.counted
    if counted is not None and len(counted.held_gpu_s):
        counted = replace(counted, held_gpu_s=counted.held_gpu_s[came], lost_gpu_s=counted.lost_gpu_s[came])
    return work.rows(came), replace(
        played,
        first_start_s=played.first_start_s[came],
        end_s=played.end_s[came],
        n_pauses=played.n_pauses[came],
        done_s=played.done_s[came],
        counted=counted,
    )
