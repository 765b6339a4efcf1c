"""Cards on both databases: in step with versions, sought by what they say; what is about people is not just opened."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.data_park import DataPark

from eureka_park.accounts.core.roles import Role
from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.cards.describing import PARQUETS_MAX
from eureka_park.data.cards.service import facets_of
from eureka_park.data.core.card import PersonalData
from eureka_park.data.core.columns import Column
from eureka_park.data.core.croissant import Described
from eureka_park.data.core.entry import git_oid
from eureka_park.data.core.repository import Put, RepositoryKind
from eureka_park.data.objects.reading import Blob
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.versions import Draft
from eureka_park.foundation.errors import BadInput, Conflict, NotFound

HEAD = "---\nlicense: {licence}\nlanguage: [{language}]\ntags: [Dunes]\npersonal_data: {people}\n---\nBody\n"


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    return DataPark(database, tmp_path / "blobs")


def head(licence: str = "cc-by-4.0", language: str = "ary", people: str = "none") -> bytes:
    return HEAD.format(licence=licence, language=language, people=people).encode()


def sought(park: DataPark, who: Any, **given: str) -> list[str]:
    facets = facets_of({name: [text] for name, text in given.items()})
    return [one.name for one in park.repositories.page(who, "dataset", facets=facets)]


def test_what_cards_say_is_in_step_with_versions_and_found_by_those_who_may_know(park: DataPark) -> None:
    cards, made = park.data.cards, park.repository("dunes")
    other = park.repository("open", "public")
    version = park.commit(made, {"README.md": head(), "a.csv": b"a"})
    park.commit(other, {"README.md": head("mit or apache-2.0", "fr, zgh")})
    assert sought(park, park.ada, tag="DUNES", language="ary") == ["dunes"]
    assert sought(park, park.ada, licence="apache-2.0") == ["open"] and sought(park, None, licence="MIT") == ["open"]
    assert sought(park, park.ben, tag="dunes") == ["open"], "what one may not know of is not found"
    assert cards.card(made, version).licence.expression == "CC-BY-4.0"
    on_branch = park.commit(other, {"README.md": head("mit", "es")}) and None
    assert (
        on_branch is None and sought(park, None, language="es") == ["open"] and sought(park, None, language="fr") == []
    )
    park.versions.add_ref(made, "branch", "try", "main")
    park.commit(made, {"README.md": head("mit")}, branch="try")
    assert sought(park, park.ada, licence="mit") == ["open"], "only what main says"
    gone = park.commit(made, {"README.md": None})
    assert sought(park, park.ada, tag="dunes") == ["open"] and not cards.card(made, gone).is_there
    for wrong in ({"licence": "nope"}, {"language": "xx"}):
        with pytest.raises(BadInput):
            facets_of({name: [text] for name, text in wrong.items()})
    park.repositories.delete(park.lea, other)
    assert sought(park, park.ada, tag="dunes") == []


def test_a_card_that_was_not_read_is_read_later_and_one_that_cannot_be_read_stops_nothing(
    park: DataPark, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, reader = park.repository(), park.versions.cards
    with monkeypatch.context() as patch:
        patch.setattr(reader, "read", lambda _id: None)  # the process dies right after the transaction
        park.commit(made, {"README.md": head()})
    assert not park.data.cards.facts([made])[made.repository_id].is_read
    assert sought(park, park.ada, tag="dunes") == ["set"]
    with monkeypatch.context() as patch:
        patch.setattr(reader, "content", _broken)
        park.commit(made, {"README.md": head("mit")})
    assert sought(park, park.ada, licence="cc-by-4.0") == ["set"], "what was known stays"
    park.clock.step(400.0)
    assert sought(park, park.ada, licence="mit") == ["set"]
    version = park.commit(made, {"README.md": b"---\na: [\n---\nBody"})
    card = park.data.cards.card(made, version)
    assert "not YAML" in card.findings[0].message and sought(park, park.ada, licence="mit") == []


def _broken(*_words: object) -> object:
    raise NotFound("It is away.")


def test_what_is_about_people_is_opened_only_with_a_second_thought(park: DataPark) -> None:
    made = park.repository()
    park.commit(made, {"README.md": head(people="sensitive")})
    assert park.data.cards.facts([made])[made.repository_id].personal_data is PersonalData.SENSITIVE
    with pytest.raises(Conflict) as caught:
        park.repositories.change(park.lea, made, visibility="public")
    assert caught.value.code == "personal_data"
    assert str(park.repositories.find(Want.KNOW, park.ada, "dataset", "lab", "set").visibility) == "private"
    assert str(park.repositories.change(park.lea, made, visibility="organisation").visibility) == "organisation"
    opened = park.repositories.change(park.lea, made, visibility="public", confirms_personal_data=True)
    assert sought(park, None, personal_data="sensitive") == ["set"]
    assert "everybody" in park.data.cards.card(opened, park.versions.at(opened, "main")).findings[0].message
    park.commit(made, {"README.md": head(people="none")})
    park.repositories.change(park.lea, made, visibility="private")
    park.repositories.change(park.lea, made, visibility="public")


def test_of_a_confidential_project_only_what_must_be_known_lies_in_the_index(park: DataPark) -> None:
    max_ = park.somebody("Max", role=Role.LEAD, project="other")
    park.data.keys.begin(max_, "other", "park")
    made = park.repositories.create(park.ben, RepositoryKind.DATASET, "other", "voices")
    batch, content = Batch(), head(people="personal")
    row = park.objects.put_small("other", batch, content)
    draft = Draft("main", "Add", [Put("README.md", row.sha256, row.size_bytes, git_oid(content))])
    version = park.versions.commit(made, park.ben, draft, batch)
    assert park.data.cards.card(made, version).languages == ("ary",)
    facts = park.data.cards.facts([made])[made.repository_id]
    assert (facts.languages, facts.personal_data, facts.licence) == ((), PersonalData.PERSONAL, "CC-BY-4.0")
    assert sought(park, park.ben, tag="dunes") == [] and sought(park, park.ben, personal_data="personal") == ["voices"]


def test_fields_are_set_by_a_commit(park: DataPark) -> None:
    made = park.repository()
    first = park.data.cards.set_fields(park.ada, made, {"license": "mit", "language": "fr"})
    text = park.files(first)["README.md"].decode()
    assert text.startswith("---\nlicense: mit\nlanguage:\n  - fr\n---\n") and "## What is in it" in text
    second = park.data.cards.set_fields(park.ada, made, {"license": "", "tags": "a,b"})
    assert park.files(second)["README.md"].decode().startswith("---\nlanguage:\n  - fr\ntags:\n  - a\n  - b\n---\n")
    assert second.title == "Set license, tags in the card" and sought(park, park.ada, tag="b") == ["set"]
    with pytest.raises(BadInput):
        park.data.cards.set_fields(park.ada, made, {"license": "nope"})
    park.commit(made, {"README.md": b"\xff"})
    with pytest.raises(BadInput):
        park.data.cards.set_fields(park.ada, made, {"license": "mit"})


def test_a_version_of_very_many_files_is_described_by_its_folders(park: DataPark) -> None:
    made = park.repository()
    table = "x,y\n" + "1,a\n" * 40_000  # longer than is looked at
    version = park.commit(made, {"README.md": head(), "a b.csv": table.encode()})
    of = Described("lab/set", "https://park/x", "https://park/f", "lab", "v1.2", version.commit_id, "2027-01-01")
    told = park.data.describer.describe(made, version, of)
    assert told["version"] == "1.2.0" and told["distribution"][0]["@id"] == "README.md"
    assert [field["dataType"] for field in told["recordSet"][0]["field"]] == ["sc:Integer", "sc:Text"]
    many = {f"{folder}/{index}": b"x" for folder in ("raw", "clean") for index in range(300)}
    told = park.data.describer.describe(made, park.commit(made, dict(many)), of)
    assert sorted(one["name"] for one in told["distribution"]) == ["README.md", "a b.csv", "clean", "raw"]
    told = park.data.describer.describe(made, park.commit(made, {f"{index}": b"x" for index in range(600)}), of)
    assert len(told["distribution"]) <= 501 and told["distribution"][-1]["includes"] == "**"


def test_few_parquet_files_are_looked_into_whatever_the_case_of_their_endings(park: DataPark) -> None:
    made = park.repository()
    names = [f"{index}.{ending}" for index in range(6) for ending in ("parquet", "PARQUET")]
    files = {name: name.encode() for name in names}
    version = park.commit(made, {"README.md": head(), **files})
    of = Described("lab/set", "https://park/x", "https://park/f", "lab", "v1", version.commit_id, "2027-01-01")
    looked_into: list[str] = []

    def columns(blob: Blob) -> list[Column]:
        looked_into.append(blob.sha256)
        return []

    park.data.describer.describe(made, version, of, columns)
    assert len(looked_into) == PARQUETS_MAX


def test_a_page_of_many_is_found_by_its_index(park: DataPark) -> None:
    for index in range(5):
        park.commit(park.repository(f"s{index}"), {"README.md": head()})
        park.clock.step(1.0)
    found: list[str] = []
    before = (math.inf, "")
    while rows := park.repositories.page(
        park.ada, "dataset", facets=facets_of({"tag": ["dunes"]}), before=before, most=2
    ):
        found += [row.name for row in rows]
        before = (rows[-1].changed_at_s, rows[-1].repository_id)
    assert found == ["s4", "s3", "s2", "s1", "s0"]
