"""Which job runs after which: a cycle among them would wait for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def find_cycle(after: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """A cycle among jobs that run after others, as a chain that ends where it begins (`a, b, a`: a after b after a).

    `after`: by job, those that must finish first; names without an entry run after nobody. None where there is no
    cycle. Time grows with jobs and dependencies together; a chain may be as long as it likes.
    """
    place_of = {name: at for at, name in enumerate(after)}
    if all(place_of.get(first, -1) < at for at, names in enumerate(after.values()) for first in names):
        return None  # everybody after those before him, as jobs mostly come
    done: set[str] = set()
    for begin in after:
        if begin in done:
            continue
        chain, place = [begin], {begin: 0}  # the jobs from `begin` to here, and where each stands
        left: list[Iterator[str]] = [iter(after[begin])]
        while chain:
            name = next(left[-1], None)
            if name is None:
                left.pop()
                done.add(over := chain.pop())
                del place[over]
            elif name in place:
                return (*chain[place[name] :], name)
            elif name not in done and name in after:
                place[name] = len(chain)
                chain.append(name)
                left.append(iter(after[name]))
    return None


def chain_text(cycle: Sequence[str]) -> str:
    """A cycle in words: `a -> b -> a`, the middle of a long one left out."""
    shown = list(cycle) if len(cycle) <= 8 else [*cycle[:4], f"... ({len(cycle) - 7} more)", *cycle[-3:]]
    return " -> ".join(shown)
