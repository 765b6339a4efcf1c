"""The first page of a repository: its card, what is in it, how to use it; before a gate, how to be let in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import MAIN, Commit, RepositoryKind
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import NotFound, Unavailable
from eureka_park.web.auth import Anyone, Someone, url_of
from eureka_park.web.pages.data_frame import PERSONAL_NAMES, Here, here_of, repository_page, shown
from eureka_park.web.pages.data_links import PLURAL, park_uri
from eureka_park.web.pages.words import N_
from eureka_park.web.preview.markdown import CARD_BYTES_MAX, rendered
from eureka_park.web.preview.texts import decoded, front_matter
from eureka_park.web.preview.texts import shown as readable

README: Final = ("README.md", "readme.md", "Readme.md")
FILES_LOOKED: Final = 4000
_TYPES_SHOWN: Final = 5


def _card(here: Here) -> Response:
    if not here.can(Want.READ):
        return shown(here, "data_gate.html", "card", state=_gate_state(here), signed_in=here.who is not None)
    version = here.version()
    card = next((entry for entry in (_entry(here, version, name) for name in README) if entry), None)
    facts = [
        (here.words.say("Files"), here.words.number(version.n_files)),
        (here.words.say("Size"), here.words.size(version.size_bytes)),
        (here.words.say("Last change"), here.words.when(version.made_at_s, here.park.clock.real_s())),
    ]
    facts += _said(here, version)
    by = here.names(version).get(version.person_id, "")
    facts += [(here.words.say("By"), Markup("<bdi>{}</bdi>").format(by))] if by else []
    return shown(
        here, "data_card.html", "card", at=version, facts=facts, card=card_of(here, card) if card else None,
        types=types_of(here, version), uses=uses_of(here), is_cut=bool(card and card.size_bytes > CARD_BYTES_MAX),
        card_path=card.path if card else "",
    )  # fmt: skip


def _said(here: Here, version: Commit) -> list[tuple[str, Any]]:
    """What the card says of licence, languages, people, tasks and tags; each leads to others of which it is said."""
    try:
        card = here.park.data.cards.card(here.repository, version)
    except (NotFound, Unavailable):
        return []
    words, kinds = here.words, PLURAL[here.repository.kind]

    def links(name: str, values: Sequence[str]) -> Markup:
        link = Markup('<a href="/data?kind={}&amp;{}={}"><bdi>{}</bdi></a>')
        return Markup(" · ").join(link.format(kinds, name, quote(value, safe=""), value) for value in values[:12])

    rows: list[tuple[str, Any]] = []
    if card.licence.expression:
        rows.append((words.say("Licence"), links("licence", [card.licence.expression])))
    for title, name, values in (
        (N_("Languages"), "language", card.languages), (N_("Tasks"), "task", card.tasks),
        (N_("Tags"), "tag", card.tags),
    ):  # fmt: skip
        if values:
            rows.append((words.say(title), links(name, values)))
    if card.personal_data:
        rows.append((words.say("People"), words.say(PERSONAL_NAMES[card.personal_data])))
    return rows


def card_page(request: Request, who: Anyone) -> Response:
    """A data set or a model."""
    return repository_page(_card, Want.KNOW)(request, who)


def _entry(here: Here, version: Commit, path: str) -> Entry | None:
    try:
        found: Entry = here.versions.entry(version, path)
    except NotFound:
        return None
    return found


def card_of(here: Here, entry: Entry) -> Markup:
    """A Markdown file of this version as HTML that can do nothing; its front matter is told elsewhere."""
    blob = here.park.data.objects.open(here.repository.project_id, entry.sha256)
    content = b"".join(blob.read(0, min(blob.size_bytes, CARD_BYTES_MAX)))
    _, text = front_matter(readable(decoded(content)[0]))
    return rendered(text, address_in(here, entry.path))


def address_in(here: Here, path: str) -> Callable[[str, bool], str]:
    """Where links of a file lead: relative ones to files of the same version, never out of the repository."""
    folder = path.rpartition("/")[0]

    def address(target: str, is_picture: bool) -> str:
        names = [] if target.startswith("/") else [name for name in folder.split("/") if name]
        for name in target.split("/"):
            if name == "..":
                if not names:
                    return ""
                names.pop()
            elif name not in ("", "."):
                names.append(name)
        return here.link("raw" if is_picture else "file", here.revision, "/".join(names))

    return address


def types_of(here: Here, version: Commit) -> dict[str, Any]:
    """What the files are by the endings of their names, and each ending's share of the bytes: of the first some."""
    sizes, n_looked = Counter[str](), 0
    for entry in islice(here.versions.tree(version).scan(), FILES_LOOKED):
        name = entry.path.rpartition("/")[2]
        stem, dot, ending = name.rpartition(".")
        sizes[ending.lower()[:12] if dot and stem else ""] += entry.size_bytes
        n_looked += 1
    total, words = sum(sizes.values()), here.words
    rows: list[dict[str, Any]] = [
        {"name": f".{ending}" if ending else "", "frac": size / total, "share": words.percent(size / total)}
        for ending, size in sizes.most_common(_TYPES_SHOWN)
        if total and size / total >= 0.005
    ]
    rest = 1 - sum(float(row["frac"]) for row in rows)
    if rest >= 0.005 and total:
        rows.append({"name": words.say("others"), "frac": rest, "share": words.percent(rest)})
    n_more = version.n_files - n_looked
    of_first = words.say("of the first {n} files", n=words.number(n_looked)) if n_more > 0 else ""
    return {"rows": rows, "of_first": of_first}


def uses_of(here: Here) -> list[dict[str, str]]:
    """How programs get at it: title, what to paste, and a word on it."""
    found, revision = here.repository, here.revision
    is_set = found.kind is RepositoryKind.DATASET
    kind, at = (', repo_type="dataset"' if is_set else ""), (f', revision="{revision}"' if revision != MAIN else "")
    load = (
        f'from datasets import load_dataset\n\nrows = load_dataset("{found.full_name}"{at})'
        if is_set
        else f'from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("{found.full_name}"{at})'
    )
    model = "" if is_set else " --model"
    rev = f" --rev {revision}" if revision != MAIN else ""
    uri = park_uri(found.kind, found.project_id, found.name, revision)
    return [
        {
            "title": N_("Hub client"),
            "text": f"export HF_ENDPOINT={url_of(here.request)}/hub\nexport HF_TOKEN=park_...",
            "more": "from huggingface_hub import snapshot_download\n\n"
            f'folder = snapshot_download("{found.full_name}"{kind}{at})',
        },
        {"title": N_("In Python"), "text": load, "more": ""},
        {"title": N_("Command line"), "text": f"park data get {found.full_name}{model}{rev}", "more": ""},
        {"title": N_("In a job"), "text": f"park submit --input {uri} -- python train.py", "more": ""},
    ]  # fmt: skip


# -- gates -------------------------------------------------------------------------------------------------------------
def _gate_state(here: Here) -> str:
    return "asked" if here.query("done", 20) == "asked" else ""


def ask_page(request: Request, who: Someone) -> Response:
    """Ask for access at a gate, then back."""
    here = here_of(request, who, Want.KNOW)
    state = here.park.data.repositories.ask_in(who, here.repository)
    return RedirectResponse(here.link(done="asked" if state != "accepted" else "1"), 303)


__all__ = ["address_in", "ask_page", "card_of", "card_page"]
