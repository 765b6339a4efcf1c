"""Policy files: laid over a site, written back equal, and every slip told with its line and what is meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.policy_file import (
    PolicyChange,
    policy_changes,
    policy_file_text,
    policy_problems,
    policy_text,
    read_policy,
)
from eureka_park.foundation.policy_tables import Policy, Share, share_faults
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site, parse_site, site_text

PARK = load_site("eureka-park")
TREE = st.lists(
    st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), st.floats(0.0, 0.4)),
    max_size=8, unique_by=lambda share: share[0],
)  # fmt: skip
POLICIES = st.builds(
    Policy,
    sky=st.sampled_from(["green", "binding", "observed"]),
    half_life_s=st.floats(3600, 31_536_000),
    cap_steps_frac=st.sampled_from([(), (0.5,), (0.75, 0.62, 0.5)]),
    scan=st.integers(1, 65_536),
    margin_frac=st.floats(0, 0.5),
    patient_s=st.floats(0, 604_800),
    reclaim_pauses_max_per_h=st.floats(0, 100_000),
)


def site_with(policy: Policy, shares: tuple[Share, ...]) -> Site:
    return PARK.model_copy(update={"policy": policy, "shares": shares})


def messages(text: str) -> list[str]:
    return [problem.message for problem in policy_problems(text, "mine.toml")]


def test_what_a_file_leaves_out_stays_as_it_is() -> None:
    over = read_policy("[policy]\nhalf_life_s = 86400\n", "mine.toml").over(PARK)
    assert over.policy == PARK.policy.model_copy(update={"half_life_s": 86_400.0}) and over.shares == PARK.shares
    assert over.plants == PARK.plants and over.nodes == PARK.nodes
    assert read_policy("", "mine.toml").over(PARK) == PARK
    bare = read_policy("shares = []", "mine.toml").over(PARK)
    assert bare.shares == () and bare.policy == PARK.policy


def test_listed_shares_take_the_place_of_all_that_were() -> None:
    over = read_policy('[[shares]]\npath = "research/vision"\nfloor_frac = 0.2\n', "mine.toml").over(PARK)
    assert over.shares == (Share(path="research/vision", weight=1.0, floor_frac=0.2),)


@given(POLICIES, TREE)
def test_a_policy_is_written_and_read_back_equal(policy: Policy, tree: list[tuple[str, float]]) -> None:
    shares = tuple(Share(path=path, floor_frac=floor_frac) for path, floor_frac in tree)
    if next(share_faults(shares), None) is not None:
        shares = tuple(Share(path=path, weight=7.5) for path, _ in tree)
    site = site_with(policy, shares)
    text = policy_text(site)
    assert read_policy(text, "mine.toml").over(PARK) == site, "whatever the site had before"
    assert policy_changes(site, read_policy(text, "mine.toml").over(site)) == ()


@given(TREE)
def test_floors_that_are_accepted_fit_at_every_level(tree: list[tuple[str, float]]) -> None:
    shares = [Share(path=path, floor_frac=floor_frac) for path, floor_frac in tree]
    floors = dict(tree)

    def total(parent: str) -> float:
        names = {path.removeprefix(parent).split("/")[0] for path in floors if path.startswith(parent)}
        return sum(floors.get(parent + name, total(f"{parent}{name}/")) for name in names)

    fits = all(total(f"{path}/") <= floor + 1e-6 for path, floor in floors.items()) and total("") <= 1 + 1e-6
    assert (next(share_faults(shares), None) is None) == fits


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[policy]\nhalf_lif_s = 1",
            "line 2: policy.half_lif_s is not a field of the policy file, did you mean half_life_s?",
        ),
        ("half_life_s = 1", "line 1: half_life_s belongs under [policy]."),
        ("[polcy]\nscan = 1", "line 1: polcy is not a field of the policy file, did you mean policy?"),
        ("[grid]\nx = 1", "line 1: grid is no part of a policy file, which has [policy] and [[shares]]."),
        ("[[cap_curve]]", "line 1: cap_curve is no part of a policy file, which has [policy] and [[shares]]."),
        (
            "[[shares]]\npath = 'a'\nweigt = 2",
            "line 3: shares[0].weigt (a) is not a field of the policy file, did you mean weight?",
        ),
        ("[policy]\nqzx = 1", "line 2: policy.qzx is not a field of the policy file."),
        ("[policy]\nreserve_depth = 2.5", "allowed: 0 to 4096."),
        (
            "[policy]\nscan = 0",
            "policy.scan = 0 is wrong: input should be greater than or equal to 1; allowed: 1 to 65536.",
        ),
        (
            "[policy]\ncap_steps_frac = [0.5, 0.62]",
            "line 2: policy.cap_steps_frac is wrong: each step must be below the one before it.",
        ),
        ("[[shares]]\nweight = 1", "line 1: shares[0].path is missing"),
        ("[[shares]]\npath = 'a'\nweight = 0", "line 3: shares[0].weight (a) = 0 is wrong"),
        (
            "[[shares]]\npath = 'a/b/c/d/e'",
            "line 2: shares[0].path (a/b/c/d/e) is wrong: 'a/b/c/d/e' has 5 names; write at most 4.",
        ),
        (
            "[[shares]]\npath = 'a'\n[[shares]]\npath = 'a'",
            "line 4: shares[1].path (a) is wrong: 'a' is there twice, first as shares[0]; leave one out.",
        ),
        (
            "[[shares]]\npath = 'a'\nfloor_frac = 0.1\n[[shares]]\npath = 'a/b'\nfloor_frac = 0.2",
            "line 3: shares[0].floor_frac (a) is wrong: the floors of a/b sum to 0.2, above the floor 0.1 of 'a'; "
            "raise that to 0.2 or lower these.",
        ),
        (
            "[[shares]]\npath = 'x/a'\nfloor_frac = 0.6\n[[shares]]\npath = 'b'\nfloor_frac = 0.6",
            "line 3: shares[0].floor_frac (x/a) is wrong: the floors of b, x sum to 1.2, above 1; lower them.",
        ),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_line_and_what_is_meant(text: str, told: str) -> None:
    found = messages(text)
    assert len(found) == 1 and found[0].startswith("mine.toml, line ") and told in found[0], found
    with pytest.raises(BadInput) as caught:
        read_policy(text, "mine.toml")
    assert caught.value.message == found[0] and "park policy check" in caught.value.fix


def test_all_problems_are_told_at_once() -> None:
    text = "[policy]\nscan = 0\nlookahed = 3\n[[shares]]\npath = 'A'\nweight = -1\n"
    assert len(messages(text)) == 4
    with pytest.raises(BadInput, match=r"\(3 more: park policy check\)"):
        read_policy(text, "mine.toml")
    twice = "".join(f"[[shares]]\npath = '{path}'\nfloor_frac = 0.7\n" for path in "aab")
    assert [word in told for word, told in zip(("twice", "sum to 1.4"), messages(twice), strict=True)] == [True, True]


def test_a_site_file_is_told_the_same_of_its_shares() -> None:
    text = (
        site_text("eureka-park")[0]
        + '\n[[shares]]\npath = "a"\nfloor_frac = 1\n[[shares]]\npath = "b/c"\nfloor_frac = 0.1\n'
    )
    with pytest.raises(
        BadInput, match=r"shares\[1\].floor_frac \(a\) is wrong: the floors of a, b, welcome sum to 1.1, above 1"
    ):
        parse_site(text, "mine.toml")


def test_a_policy_must_go_with_the_site_s_own_cap_curve() -> None:
    points = ((0.62, 0.7, 0.8), (1.0, 1.0, 1.0))
    curve = "".join(f"[[cap_curve]]\ncap_frac={cap}\npower_frac={p}\nspeed_frac={s}\n" for cap, p, s in points)
    text = site_text("eureka-park")[0].replace("[0.62, 0.5]", "[0.62]") + "\n" + curve
    site = parse_site(text, "mine.toml")
    assert site.cap_rows == points and PARK.cap_rows[0] == (0.25, 0.27, 0.21) and "arXiv" in PARK.cap_source
    with pytest.raises(BadInput, match=r"x.toml does not go with site 'eureka-park': cap_curve\[0\].cap_frac .* 0.55"):
        read_policy("[policy]\ncap_steps_frac = [0.55]", "x.toml").over(site, "x.toml")


def test_changes_are_told_field_by_field() -> None:
    then = read_policy('[policy]\nscan = 9\n[[shares]]\npath = "v"\n', "mine.toml").over(PARK)
    assert policy_changes(PARK, then) == (
        PolicyChange("policy.scan", 64, 9),
        PolicyChange("shares[welcome].weight", 1.0, None),
        PolicyChange("shares[welcome].floor_frac", 0.0, None),
        PolicyChange("shares[v].weight", None, 1.0),
        PolicyChange("shares[v].floor_frac", None, 0.0),
    )


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no policy file"):
        policy_file_text(tmp_path / "none.toml")
    with pytest.raises(NotFound, match="no policy file"):
        policy_file_text(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"bytes\.toml is not UTF-8 text"):
        policy_file_text(tmp_path / "bytes.toml")
    with (tmp_path / "large.toml").open("wb") as stream:
        stream.truncate(3 * 2**30)
    with pytest.raises(BadInput, match="more than 4 MiB"):
        policy_file_text(tmp_path / "large.toml")
    with pytest.raises(BadInput, match=r"mine.toml, line 1: not valid TOML.*") as caught:
        policy_problems("[policy", "mine.toml")
    assert "park policy check" in caught.value.fix
