"""A hand-written record of a small Slurm cluster: what sacct, scontrol and sacctmgr would print of one day.

Two machines with four H100 each, all of partition gpu. Instants count in minutes from DAY_S, a midnight UTC.
"""

from __future__ import annotations

from typing import Final

from eureka_park.twin.core.sacct import FIELDS

DAY_S: Final = 1_795_564_800  # 2026-11-25T00:00:00Z
NODES: Final = """\
NodeName=n1 CPUTot=32 CPUEfctv=32 Gres=gpu:h100:4 RealMemory=256000 State=MIXED Partitions=gpu
NodeName=n2 CPUTot=32 CPUEfctv=32 Gres=gpu:h100:4 RealMemory=256000 State=IDLE Partitions=gpu
"""
EVENTS: Final = f"NodeName|TimeStart|TimeEnd|State|Reason\nn2|{DAY_S + 1200 * 60}|{DAY_S + 1260 * 60}|DRAIN|fan\n"


def row(
    job: str, submit: float, start: float | None, end: float | None, gpus: int, nodes: str = "n1", **more: str
) -> str:
    """A line of sacct; instants in minutes of the day, None for none."""
    n = len(nodes.split(","))
    tres = f"billing={8 * n},cpu={8 * n},gres/gpu={gpus},mem={16 * n}G,node={n}"
    values = {
        "JobID": job, "User": "amal", "Account": "physics", "Partition": "gpu", "QOS": "normal", "State": "COMPLETED",
        "Submit": stamp(submit), "Eligible": stamp(submit), "Start": stamp(start), "End": stamp(end),
        "ElapsedRaw": str(round(((end if end is not None else 1440) - start) * 60)) if start is not None else "0",
        "Timelimit": "04:00:00", "NNodes": str(n), "AllocCPUS": str(8 * n), "ReqCPUS": str(8 * n),
        "ReqMem": f"{16 * n}G",
        "ReqTRES": tres, "AllocTRES": tres.replace("gres/gpu=", f"gres/gpu:h100={gpus},gres/gpu=") if gpus else tres,
        "Reason": "None", "ConsumedEnergyRaw": "", "NodeList": nodes, "JobName": "train",
    }  # fmt: skip
    return "|".join({**values, **more}[name] for name in FIELDS)


def stamp(minutes: float | None) -> str:
    """An instant as SLURM_TIME_FORMAT=%s prints it."""
    return "Unknown" if minutes is None else str(round(DAY_S + minutes * 60))


ROWS: Final = (
    row("1", 0, 0, 240, 4, "n1"),
    row("1.batch", 0, 0, 240, 4, "n1"),
    row("2", 0, 0, 240, 2, "n2", User="badr", Account="biology"),
    row("3", 60, 240, 300, 4, "n1", User="badr", Account="biology"),  # four GPUs asked for, two free: no room
    row("4", 270, 300, 360, 2, "n1", JobName="a|b"),  # room on n2 all the while: others came first
    row("5_1", 300, 300, 330, 1, "n2"),
    row("5_2", 300, 330, 360, 1, "n2", Eligible=stamp(330), Reason="JobArrayTaskLimit"),
    row("6", 360, 400, 420, 2, "n2", State="PREEMPTED"),
    row("6", 420, 430, 500, 2, "n2", State="TIMEOUT"),
    row("7", 400, 410, 500, 1, "n1", State="CANCELLED by 1000"),
    row("8", 500, 500, 560, 8, "n1,n2"),
    row("9+0", 600, 600, 660, 1, "n1", State="FAILED"),
    row("9+1", 600, 600, 660, 0, "n2"),
    row("10", 700, 1000, 1100, 4, "n1", Eligible=stamp(1000), Reason="Dependency"),
    row("11", 1100, None, 1110, 4, "None assigned", State="CANCELLED by 0", AllocTRES=""),
    row("12", 1200, 1260, 1440, 4, "n2"),  # n2 was drained meanwhile, n1 held by job 13
    row("13", 1190, 1190, None, 3, "n1", State="RUNNING"),
    row("14", 1380, None, None, 4, "None assigned", State="PENDING", AllocTRES="", Reason="Priority"),
    row("15_[0-4]", 1400, None, None, 1, "None assigned", State="PENDING", AllocTRES="", Reason="Priority"),
)
TEXT: Final = "\n".join(("|".join(FIELDS), *ROWS, ""))
