"""The template of a new card: the questions of a datasheet for a data set, of a model card for a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eureka_park.data.core.front_matter import dumped

_FIRST: Final = "*What it is, in two sentences.*"
_DATASET: Final = (
    ("Why it was made", "For which question or task, by whom, paid by whom."),
    ("What is in it", "What one record is, how many there are, what each field means, what is missing and why."),
    ("How it came together", "From where, when, with which instruments or questions; who agreed to it, and how."),
    (
        "How it was cleaned and labelled",
        "Which steps, in which order; who labelled, by what guide, how often alike.",
    ),
    ("What it is good for", "Uses that were tried; uses that were not meant."),
    ("What to beware of", "Who or what is over- or under-represented; known errors; harm that it could do."),
    ("People in it", "Whether somebody can be told from it, what protects them, whom to ask to be taken out."),
    ("How it is kept", "Who looks after it, how errors are told, when there are new versions."),
)
_MODEL: Final = (
    ("What it does", "Input, output, kind and size of the model, what it began from."),
    ("What it is good for", "Uses that were tried; uses that were not meant."),
    ("What to beware of", "Where it errs, for whom it is worse, harm that it could do."),
    ("How to use it", "A few lines that run."),
    ("What it learned from", "Data sets with their versions, how they were prepared, what was left out."),
    ("How it was trained", "Settings, seeds, machines, hours, energy."),
    ("How well it does", "On which data, by which measure, split by groups that matter, with the spread."),
    ("How it is kept", "Who looks after it, how errors are told."),
)
_QUESTIONS: Final = frozenset((_FIRST, *(f"*{question}*" for _, question in (*_DATASET, *_MODEL))))


def template(kind: str, name: str, values: Mapping[str, Any]) -> str:
    """A new card with its questions: a datasheet for a data set, a model card for a model."""
    title = str(values.get("pretty_name") or name)
    sections = "\n".join(
        f"## {head}\n\n*{question}*\n" for head, question in (_DATASET if kind == "dataset" else _MODEL)
    )
    return f"---\n{dumped(values)}---\n\n# {title}\n\n{_FIRST}\n\n{sections}"


def n_unanswered(body: str) -> int:
    """How many questions of the template stand there as they were."""
    return sum(line.strip() in _QUESTIONS for line in body.splitlines())
