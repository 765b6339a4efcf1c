"""Bodies of the API of logs."""

from __future__ import annotations

from pydantic import BaseModel, Field


class LogLines(BaseModel):
    """Lines of a log in order; each is shown as far as 16 KiB."""

    first: int | None = Field(description="Number of the first line, from 0; null while it is not known")
    lines: list[str]
    begin_offset: int
    end_offset: int
    size: int
    n_lines: int | None = Field(description="How many lines the log has; null while they are being counted")
    n_lines_estimate: int
    is_over: bool = Field(description="Whether the job is over, so that no line comes any more")


class LogMatch(BaseModel):
    """A line that holds the text."""

    offset: int = Field(description="Where the line begins, in bytes")
    line_no: int | None = Field(description="Its number from 0, as far as lines have been counted")
    text: str = Field(description="The line, or what stands around the place; 400 characters at most")


class LogMatches(BaseModel):
    """Matches in the order of the search."""

    matches: list[LogMatch]
    next: int | None = Field(description="Where to go on; null when there is no more")
    size: int
