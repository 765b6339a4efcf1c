"""The bodies that jobs are sent in, and the types that bodies are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

TierName = Literal["firm", "flex", "green"]
ClassName = Literal["batch", "interactive", "service"]
# A text with a limit is checked to be Unicode too; a number with one cannot outgrow the services' arithmetic.
Short = Annotated[str, Field(max_length=64)]
Value = Annotated[str, Field(max_length=131_072)]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Words = Annotated[list[Annotated[str, Field(max_length=65_536)]], Field(max_length=10_000)]


class Body(BaseModel):
    """What is sent: no field that is not known, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class JobRequest(Body):
    """A job to be submitted: a command, or a script of a snapshot with its arguments."""

    command: Words | None = Field(None, description="Command and arguments; `python` is the job's own interpreter")
    script: str | None = Field(None, max_length=4096, description="Path of a script inside the snapshot")
    args: Words | None = Field(None, description="Arguments of the script")
    snapshot_id: str | None = Field(None, max_length=128, description="Folder that the job works on")
    name: str | None = Field(None, max_length=4096, description="Name for people")
    project: str | None = Field(None, max_length=128, description="Project that runs and pays; default: welcome")
    tier: TierName | None = Field(None, description="Promise about power; default: flex")
    job_class: ClassName | None = Field(None, alias="class", description="Kind of work; default: batch")
    cpus: float | None = Field(
        None, description="CPUs, fractions allowed; default 1. Of a gang: what each node must have at least"
    )
    gpus: Whole | None = Field(
        None, description="GPUs; default 0. More than a node has are those of whole nodes: a gang"
    )
    memory: Short | Whole | None = Field(
        None, description="Memory such as 2GiB, or bytes; default 1GiB. Of a gang: what each node must have at least"
    )
    nodes: Whole | None = Field(None, description="A gang of so many whole nodes")
    gpu_type: str | None = Field(None, max_length=64, description="Type of GPU, or how its name begins; default: any")
    min_gpus: Whole | None = Field(None, description="A gang with checkpoints may shrink to so many GPUs")
    min_nodes: Whole | None = Field(None, description="A gang with checkpoints may shrink to so many nodes")
    kw: float | None = Field(None, description="IT power of the whole job in kW; default: what its nodes would draw")
    time: Short | float | None = Field(None, description="Declared run time such as 15m, or seconds; default 1h")
    by: str | None = Field(None, max_length=64, description="Deadline: 2h from now, or an ISO 8601 instant")
    array: Whole | None = Field(None, description="How many tasks; default: no array")
    after: Words | None = Field(None, description="Jobs that must finish first")
    checkpoint: bool | None = Field(None, description="It writes checkpoints on SIGTERM and resumes from them")
    env: dict[Value, Value] | None = Field(None, description="Environment of the command")
    secrets: dict[Value, Value] | None = Field(
        None, description="More of its environment, sealed until it starts and never shown again"
    )
    labels: dict[str, str] | None = Field(None, description="Words about it, to find it by")
    dependencies: Words | None = Field(None, description="Python requirements (PEP 508)")
    requires_python: str | None = Field(None, max_length=256, description="Python version (PEP 440)")
    priority: Whole | None = Field(None, description="Order within the project; default 0")
    inputs: Words | None = Field(
        None, description="Data to read: park://datasets/PROJECT/NAME@REVISION[/PATH][:MOUNT]; also models/..."
    )
    outputs: Words | None = Field(
        None, description="Repositories that files are committed to when it has finished: models/PROJECT/NAME[:FOLDER]"
    )
    output_always: bool | None = Field(None, description="Commit its outputs when it has failed too")
