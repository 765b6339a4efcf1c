"""The chain of the audit log: each sealed entry's hash takes in the one before it, so nothing can be changed, taken out
or put in between without every later hash being wrong.

A seal ends a batch: the hash of its last entry, signed (HMAC) with the park's key, which is not in the database. So who
can write the database alone cannot make a chain of their own either.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from eureka_park.foundation.canonical import canonical_json

GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody did. `who`, `thing`: ids, never names. `seq` counts from 1 without gaps; 0 until it is sealed."""

    at_real_s: float
    who: str
    act: str
    thing: str
    outcome: str
    request_id: str
    address: str  # a keyed hash
    detail: str  # JSON
    seq: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Seal:
    """The end of a batch of `n` entries, the last of which is `seq`."""

    seq: int
    n: int
    hash: str
    sealed_at_real_s: float
    mac: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: how far it is sound, and the first thing that is not (`fault` is empty when all is)."""

    n_entries: int
    hash: str
    fault: str = ""
    seq: int = 0  # of the first entry that is altered or missing


def entry_hash(previous: str, entry: Entry) -> str:
    """SHA-256 over the hash before and everything the entry says."""
    said = [
        entry.seq, entry.at_real_s, entry.who, entry.act, entry.thing, entry.outcome, entry.request_id, entry.address,
        entry.detail,
    ]  # fmt: skip
    return hashlib.sha256(previous.encode() + canonical_json(said)).hexdigest()


def seal_batch(head: Seal | None, fresh: Iterable[Entry], key: bytes, now_real_s: float) -> tuple[list[Entry], Seal]:
    """The entries with their sequence and hash, and the seal that ends them. There must be at least one."""
    seq, previous = (head.seq, head.hash) if head else (0, GENESIS)
    sealed = []
    for entry in fresh:
        seq += 1
        numbered = replace(entry, seq=seq)
        previous = entry_hash(previous, numbered)
        sealed.append(replace(numbered, hash=previous))
    seal = Seal(seq, len(sealed), previous, now_real_s, "")
    return sealed, replace(seal, mac=seal_mac(key, seal))


def seal_mac(key: bytes, seal: Seal) -> str:
    """The park's signature of a seal."""
    said = canonical_json([seal.seq, seal.n, seal.hash, seal.sealed_at_real_s])
    return hmac.new(key, b"audit seal\0" + said, hashlib.sha256).hexdigest()


def check(entries: Iterable[Entry], seals: Iterable[Seal], key: bytes, head: tuple[int, str] | None = None) -> Checked:
    """Follow the chain from its beginning. `entries` and `seals` in order of `seq`.

    `head`: sequence and hash that the park noted outside of the database; a chain that ends before it was cut.
    """
    waiting = iter(seals)
    seal, begun = next(waiting, None), 1
    seq, previous = 0, GENESIS
    for entry in entries:
        fault = _fault_of(entry, seq, previous)
        if fault:
            return Checked(seq, previous, fault, seq + 1)
        seq, previous = entry.seq, entry.hash
        if head is not None and seq == head[0] and previous != head[1]:
            return Checked(seq, previous, f"Entry {seq} is not the one that the park noted in its home.", seq)
        if seal is not None and seq == seal.seq:
            if (
                seal.hash != previous
                or seal.n != seq - begun + 1
                or not hmac.compare_digest(seal.mac, seal_mac(key, seal))
            ):
                return Checked(begun - 1, previous, f"Entries {begun} to {seq}: their seal is not this park's.", begun)
            seal, begun = next(waiting, None), seq + 1
    return _end(seq, previous, seal, begun, head)


def _fault_of(entry: Entry, seq: int, previous: str) -> str:
    if entry.seq != seq + 1:
        return f"Entry {seq + 1} is missing."
    return "" if entry_hash(previous, entry) == entry.hash else f"Entry {entry.seq} was altered."


def _end(seq: int, previous: str, seal: Seal | None, begun: int, head: tuple[int, str] | None) -> Checked:
    """Nothing may stand after the last seal, and no seal after the last entry."""
    if seal is not None or (head is not None and head[0] > seq):
        return Checked(seq, previous, f"Entry {seq + 1} is missing.", seq + 1)
    if begun <= seq:
        return Checked(begun - 1, previous, f"Entry {begun} has a place in the chain, but no seal.", begun)
    return Checked(seq, previous)
