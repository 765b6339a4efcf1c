"""The audit chain: any entry that is changed, taken out, moved or added is named, and so is a chain cut short."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.accounts.core.audit_chain import Entry, Seal, check, entry_hash, seal_batch, seal_mac

KEY = b"the park's key"


def chain(sizes: list[int]) -> tuple[list[Entry], list[Seal]]:
    entries: list[Entry] = []
    seals: list[Seal] = []
    for n in sizes:
        fresh = [Entry(1e9 + i / 3, "person-a", "role.given", "project:lab", "done", "r1", "", "{}") for i in range(n)]
        sealed, seal = seal_batch(seals[-1] if seals else None, fresh, KEY, 2e9)
        entries += sealed
        seals.append(seal)
    return entries, seals


def test_a_sound_chain() -> None:
    entries, seals = chain([3, 1, 5])
    found = check(entries, seals, KEY, (seals[-1].seq, seals[-1].hash))
    assert (found.fault, found.n_entries, found.hash) == ("", 9, entries[-1].hash)
    assert check([], [], KEY).fault == ""


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
def test_the_first_damaged_entry_is_named(sizes: list[int], data: st.DataObject) -> None:
    entries, seals = chain(sizes)
    at = data.draw(st.integers(0, len(entries) - 1))
    field = data.draw(st.sampled_from(["who", "act", "thing", "outcome", "request_id", "address", "detail", "hash"]))
    altered = [*entries[:at], replace(entries[at], **{field: "x"}), *entries[at + 1 :]]
    assert (found := check(altered, seals, KEY)).seq == at + 1 and "altered" in found.fault
    lost = [*entries[:at], *entries[at + 1 :]]
    assert (found := check(lost, seals, KEY)).seq == at + 1 and "missing" in found.fault
    assert check(altered, seals, KEY).n_entries == at


def test_times_too_are_part_of_it() -> None:
    entries, seals = chain([2])
    assert check([entries[0], replace(entries[1], at_real_s=1.0)], seals, KEY).seq == 2


def test_whoever_makes_the_chain_anew_lacks_the_key() -> None:
    entries, seals = chain([2, 2])
    previous, forged = entries[1].hash, list(entries[:2])
    for entry in (replace(entries[2], who="person-b"), entries[3]):
        previous = entry_hash(previous, entry)
        forged.append(replace(entry, hash=previous))
    wrong = [seals[0], replace(seals[1], hash=previous, mac=seal_mac(b"another key", seals[1]))]
    found = check(forged, wrong, KEY)
    assert (found.seq, found.n_entries) == (3, 2) and "3 to 4" in found.fault
    assert check(forged, [seals[0]], KEY).seq == 3, "nor may entries go without a seal"


@pytest.mark.parametrize("n_cut", [1, 2, 4])
def test_a_chain_that_was_cut_is_told_by_what_the_home_notes(n_cut: int) -> None:
    entries, seals = chain([2, 2])
    head = (seals[-1].seq, seals[-1].hash)
    kept = [seal for seal in seals if seal.seq <= 4 - n_cut]
    found = check(entries[: 4 - n_cut], kept, KEY, head)
    assert found.fault and found.seq <= 5 - n_cut
    other, other_seals = chain([4])
    assert check(other, other_seals, KEY, (4, "f" * 64)).seq == 4
