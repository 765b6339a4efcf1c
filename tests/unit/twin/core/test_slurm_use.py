"""What was held at samples, beside a count of all jobs one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eureka_park.twin.core.slurm_use import STEP_S_MIN, Use, step_of

JOBS = st.lists(
    st.tuples(st.integers(-500, 9000), st.integers(0, 4000), st.integers(0, 3), st.integers(1, 4)), max_size=25
)


def _filled(jobs: list[tuple[int, int, int, int]], samples_max: int = 10**9) -> Use:
    use = Use(0.0, 9000.0, 30.0, samples_max)
    for start, span, node, gpus in jobs:
        use.add([f"n{node}", f"m{node}"], start, start + span, 2 * gpus, gpus, gpus)
        use.add_wait(start, start + span, gpus)
    return use


@given(JOBS)
def test_samples_are_those_of_counting(jobs: list[tuple[int, int, int, int]]) -> None:
    use = _filled(jobs)
    use.close()
    gpus = use.held()[0]
    for sample in range(0, use.n_samples, 7):
        at_s = use.instant_of(sample)
        for node in range(4):
            held = sum(n for start, span, where, n in jobs if where == node and start <= at_s < start + span)
            if f"n{node}" in use.places:
                assert gpus[sample, use.places[f"n{node}"]] == gpus[sample, use.places[f"m{node}"]] == held
        waited = [n for start, span, _where, n in jobs if start <= at_s < start + span]
        assert (use.waiting()[0][sample], use.waiting()[1][sample]) == (len(waited), sum(waited))


@given(JOBS)
def test_fewer_samples_hold_the_same_where_they_lie(jobs: list[tuple[int, int, int, int]]) -> None:
    fine, coarse = _filled(jobs), _filled(jobs)
    coarse._flush()
    coarse._coarsen()
    coarse._coarsen()
    for use in (fine, coarse):
        use.close()
    assert coarse.step_s == 120.0
    assert (coarse.held()[0] == fine.held()[0][::4][: coarse.n_samples]).all()
    assert (coarse.waiting()[1] == fine.waiting()[1][::4][: coarse.n_samples]).all()


def test_many_machines_make_samples_fewer_not_memory_larger() -> None:
    use = Use(0.0, 864_000.0, 30.0, samples_max=1_000_000)
    for node in range(3000):
        use.add([f"n{node}"], 0.0, 86_400.0, 4, 4, 4)
    use.close()
    assert use.held()[0].size <= 1_000_000
    assert (use.held()[0][0] == 4).all()
    assert (use.held()[0][-1] == 0).all()


def test_steps_are_round_and_not_below_the_least() -> None:
    assert step_of(86_400.0, 10) == STEP_S_MIN
    assert step_of(30 * 86_400.0, 1_000) == 120.0
    assert step_of(30 * 86_400.0, 1_000_000) % 3600.0 == 0.0
