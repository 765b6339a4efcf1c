"""Who holds the lease, and when that one has surely ended."""

from __future__ import annotations

from eureka_park.live.process import holder_is_gone, holder_name


def test_a_holder_is_gone_only_where_its_number_means_something() -> None:
    boot, pid, start, namespace = holder_name().split()
    assert not holder_is_gone(f"{boot} {pid} {start} {namespace}")
    assert holder_is_gone(f"{boot} {pid} {int(start) + 1} {namespace}")  # its number was given to another
    assert not holder_is_gone(f"{boot} {pid} {int(start) + 1} pid:[1]")  # in another container
    assert not holder_is_gone(f"other {pid} {int(start) + 1} {namespace}")  # on another machine
    assert not holder_is_gone(f"{boot} {pid} {int(start) + 1}")  # told by an older version
