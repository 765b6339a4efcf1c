"""What every page of one repository shares: which it is, at which version, what one may do there, its head and tabs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.data.core.card import PersonalData
from eureka_park.data.core.repository import MAIN, Commit, Gate, Repository, RepositoryKind, Visibility
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import Forbidden, NotFound, ParkError
from eureka_park.web.auth import Anyone, park_of
from eureka_park.web.charts.rosette import rosette
from eureka_park.web.doors.hub.asking import path_of
from eureka_park.web.pages.data_links import KINDS, link_to
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.people_words import sign_in_first
from eureka_park.web.pages.words import N_, Words

KIND_NAMES: Final[Mapping[str, str]] = {
    RepositoryKind.DATASET: N_("data set"),
    RepositoryKind.MODEL: N_("model"),
}
VISIBILITY_NAMES: Final[Mapping[str, str]] = {
    Visibility.PRIVATE: N_("private"),
    Visibility.ORGANISATION: N_("for the organisation"),
    Visibility.PUBLIC: N_("public"),
}
PERSONAL_NAMES: Final[Mapping[str, str]] = {
    PersonalData.NONE: N_("nothing about people"),
    PersonalData.PSEUDONYMOUS: N_("people under other names"),
    PersonalData.PERSONAL: N_("about people"),
    PersonalData.SENSITIVE: N_("about people, of special kinds"),
}
COLOURS: Final[Mapping[str, str]] = {RepositoryKind.DATASET: "dataset", RepositoryKind.MODEL: "model"}
SENTENCES: Final[Mapping[str, str]] = {
    "bad_path": N_("This cannot be a path: names with / between them, without '.' and '..'."),
    "path_clash": N_("A file and a folder would have one name."),
    "no_such_entry": N_("There is no such file any more."),
    "parent_changed": N_("Somebody has changed it meanwhile. Look at what is new, then try again."),
    "no_such_revision": N_("There is no such branch, tag or commit."),
    "ref_taken": N_("There is a branch or a tag of this name already."),
    "bad_ref": N_("This cannot name a branch or a tag: letters, digits and . _ - / between them."),
    "main_stays": N_("The branch main stays."),
    "personal_data": N_("Its card says that it is about people. Confirm below that they agreed."),
    "card_unread": N_("Its card is not read yet. Try again in a moment."),
    "unknown_licence": N_("This is no licence that SPDX knows, such as CC-BY-4.0."),
    "bad_number": N_("This is no whole number. Write 30, or nothing."),
    "no_such_request": N_("They have not asked for access."),
    "bad_name": N_("This cannot be a name: letters, digits and . _ - between them, 96 at most."),
    "repository_taken": N_("There is one of this name already. Choose another."),
    "quota": N_("The project has no room for that."),
    "disk_full": N_("The park's disk is full. Ask its operator."),
    "no_files": N_("No file came. Choose some."),
    "upload_broken": N_("The upload broke off. Nothing of it was kept."),
    "not_confirmed": N_("Write the name to confirm it."),
    "nothing_to_do": N_("The form says nothing to do."),
    "same_file": N_("It has this name already."),
    "too_many_files": N_("That are too many at once. Use the command line for large folders."),
    "on_hold": N_("It is on legal hold: nothing of it can be deleted or renamed."),
}


@dataclass(frozen=True, slots=True)
class Here:
    """A request about one repository: the version that it names, and a path within it."""

    request: Request
    park: Park
    words: Words
    who: Principal | None
    repository: Repository
    revision: str
    path: str

    @property
    def versions(self) -> Any:
        """Branches, trees and commits."""
        return self.park.data.repositories.versions

    def version(self) -> Commit:
        """The version that is asked for. Raises NotFound."""
        found: Commit = self.versions.at(self.repository, self.revision)
        return found

    def can(self, want: Want) -> bool:
        """What one may do here, as the service says."""
        return self.park.data.repositories.can(want, self.who, self.repository)

    def link(self, part: str = "", *pieces: str, **query: object) -> str:
        """A page of this repository."""
        found = self.repository
        return link_to(found.kind, found.project_id, found.name, part, *pieces, **query)

    def raw(self, path: str, **query: object) -> str:
        """The bytes of a file of this version."""
        return self.link("raw", self.revision, path, **query)

    def names(self, *commits: Commit) -> dict[str, str]:
        """Who made commits, by person, for those who may know."""
        return self.park.data.repositories.names_of(self.who, self.repository, commits)

    def query(self, name: str, most: int = 1200) -> str:
        """A field of the address's query."""
        return self.request.query_params.get(name, "")[:most]


View = Callable[[Here], Response]


def repository_page(view: View, want: Want = Want.READ) -> Callable[[Request, Principal | None], Response]:
    """An endpoint that finds the repository of the address for what is wanted, then shows the view.

    Visitors are sent to sign in for whatever they cannot see, whether it is there or not; who stands before a gate is
    sent to it.
    """

    def endpoint(request: Request, who: Anyone) -> Response:
        try:
            here = here_of(request, who, want)
        except NotFound:
            if who is None:
                return sign_in_first(request)
            raise
        except Forbidden as error:
            if error.code == "gated":
                kinds, project, name = path_of(request)[:3]
                return RedirectResponse(link_to(KINDS[kinds], project, name), 303)
            if who is None:
                return sign_in_first(request)
            raise
        return view(here)

    endpoint.__name__, endpoint.__doc__ = view.__name__, view.__doc__
    return endpoint


def here_of(request: Request, who: Principal | None, want: Want) -> Here:
    """What an address is about. Raises NotFound, Forbidden."""
    kinds, project, name, *rest = (*path_of(request), "", "")
    park = park_of(request)
    found = park.data.repositories.find(want, who, KINDS.get(kinds, kinds), project, name)
    revision = rest[1] if len(rest) > 3 else ""
    path = "/".join(rest[2:-2]) if len(rest) > 4 else ""
    return Here(request, park, words_of(request), who, found, revision or MAIN, path.strip("/"))


def shown(
    here: Here, template: str, tab: str, error: ParkError | None = None, status: int = 200, **more: Any
) -> Response:
    """A page of a repository under its head."""
    found = here.repository
    tabs = [
        ("card", here.link(), N_("Card")),
        ("files", here.link("tree", here.revision), N_("Files")),
        ("history", here.link("history", here.revision), N_("History")),
        ("versions", here.link("versions"), N_("Branches and tags")),
        ("lineage", here.link("lineage"), N_("Lineage")),
    ]
    may = {want: here.can(want) for want in (Want.READ, Want.WRITE, Want.MANAGE)}
    if may[Want.MANAGE]:
        tabs.append(("settings", here.link("settings"), N_("Access and settings")))
    return page(
        here.request, template, "/data", error.http_status if error else status,
        here_is=here, repository=found, link=here.link, raw=here.raw, tab=tab, tabs=tabs if may[Want.READ] else [],
        may_write=may[Want.WRITE], may_manage=may[Want.MANAGE], may_read=may[Want.READ],
        kind_name=KIND_NAMES[found.kind], visibility_name=VISIBILITY_NAMES[found.visibility],
        is_gated=found.gate is not Gate.OPEN, picture=rosette(found.repository_id, COLOURS[found.kind]),
        wrong=told(here.words, error), done=DONE.get(here.query("done", 20), ""), **more,
    )  # fmt: skip


DONE: Final[Mapping[str, str]] = {
    "1": N_("It is done."),
    "committed": N_("The commit is made."),
    "asked": N_("You have asked for access. Its leads decide."),
}


def told(words: Words, error: ParkError | None) -> dict[str, str] | None:
    """What went wrong, and the language it is said in."""
    if error is None:
        return None
    form = SENTENCES.get(error.code, "")
    if form and words.lang != "en":
        return {"text": words.say(form), "lang": words.tag_of(form)}
    return {"text": error.line(), "lang": "en"}
