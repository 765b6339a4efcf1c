"""A card: what the README.md of a version says about it, in words that programs share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from eureka_park.data.core.card_template import n_unanswered
from eureka_park.data.core.front_matter import body_of, read_head, texts_of
from eureka_park.data.core.languages import language_tag, primary
from eureka_park.data.core.licence import Licence, read_licences
from eureka_park.foundation.errors import BadInput

CARD: Final = "README.md"
CARD_BYTES_MAX: Final = 1024**2  # of a README.md that are read
NAME_CHARS_MAX: Final = 200
WHY_CHARS_MAX: Final = 2000
VALUE_CHARS_MAX: Final = 160
FACETS_MAX: Final = 200  # of one card in the index
BODY_CHARS_MIN: Final = 80  # a description says more than this
RAI: Final = (
    "dataCollection", "dataCollectionType", "dataCollectionTimeFrame", "dataCollectionMissingData",
    "dataCollectionRawData", "dataPreprocessingProtocol", "dataImputationProtocol", "dataManipulationProtocol",
    "dataAnnotationProtocol", "dataAnnotationPlatform", "dataAnnotationAnalysis", "annotationsPerItem",
    "annotatorDemographics", "machineAnnotationTools", "dataUseCases", "dataBiases", "dataLimitations",
    "dataSocialImpact", "dataReleaseMaintenancePlan",
)  # fmt: skip


class PersonalData(StrEnum):
    """Whether people can be told from the data, as the card says it."""

    UNSAID = ""
    NONE = "none"  # nothing about people, or nothing that leads to one of them
    PSEUDONYMOUS = "pseudonymous"  # names are replaced; somebody could lead back to people
    PERSONAL = "personal"  # people can be told: names, voices, faces, addresses, free text about them
    SENSITIVE = "sensitive"  # also of special kinds: health, beliefs, origin, orientation, genes, biometrics, children

    @property
    def is_about_people(self) -> bool:
        """Whether it must not be opened to everybody without a second thought."""
        return self in (PersonalData.PSEUDONYMOUS, PersonalData.PERSONAL, PersonalData.SENSITIVE)


class Facet(StrEnum):
    """By what repositories are sought."""

    TAG = "tag"
    LANGUAGE = "language"
    LICENCE = "licence"
    TASK = "task"
    SIZE = "size"
    PERSONAL_DATA = "personal_data"
    BASE_MODEL = "base_model"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a card, or missing, and what to do."""

    field: str
    message: str
    fix: str
    is_wrong: bool = False  # else something is missing


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says. `values`: the whole head; '' and () for what it does not say."""

    pretty_name: str = ""
    licence: Licence = field(default_factory=lambda: Licence("", ()))
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    personal_data: PersonalData = PersonalData.UNSAID
    personal_data_why: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""
    findings: tuple[Finding, ...] = ()
    is_there: bool = True

    def facets(self) -> list[tuple[Facet, str]]:
        """By what it is found, each once, at most 200."""
        pairs: list[tuple[Facet, str]] = []
        if self.personal_data:
            pairs.append((Facet.PERSONAL_DATA, str(self.personal_data)))
        pairs += [(Facet.LICENCE, name) for name in self.licence.ids]
        pairs += [(Facet.LANGUAGE, name) for tag in self.languages for name in (tag, primary(tag))]
        pairs += [(Facet.TASK, text.lower()) for text in self.tasks]
        pairs += [(Facet.SIZE, text.lower()) for text in self.sizes]
        pairs += [(Facet.BASE_MODEL, text) for text in self.base_models]
        pairs += [(Facet.DATASET, text) for text in self.datasets]
        pairs += [(Facet.TAG, text.lower()) for text in self.tags]
        return [pair for pair in dict.fromkeys(pairs) if len(pair[1]) <= VALUE_CHARS_MAX][:FACETS_MAX]

    def rai(self) -> dict[str, str]:
        """What it says about responsible use, by the names of Croissant's extension."""
        given = self.values.get("rai")
        if not isinstance(given, dict):
            return {}
        return {name: "\n".join(texts_of(given[name])) for name in RAI if name in given and texts_of(given[name])}


def no_card(kind: str) -> Card:
    """The card of a version that has no README.md."""
    fix = f"Begin one: park data card REPOSITORY --set license=... ({kind})."
    finding = Finding(CARD, "There is no README.md.", fix)
    return Card(is_there=False, findings=(finding,))


def read_card(content: bytes, kind: str, *, is_whole: bool = True) -> Card:
    """Read a README.md, whatever it holds: what cannot be used is told among the findings."""
    text, findings = content.decode("utf-8", "replace"), list[Finding]()
    if "\N{REPLACEMENT CHARACTER}" in text and is_whole:
        findings.append(Finding(CARD, "README.md is not all UTF-8.", "Save it as UTF-8.", True))
    if not is_whole:
        findings.append(Finding(CARD, "README.md is longer than 1 MiB.", "Move parts of it to other files.", True))
    try:
        head = read_head(text)
    except BadInput as error:
        return Card(body=body_of(text), findings=(*findings, Finding(CARD, error.message, error.fix, True)))
    card = Card(values=head.values, body=head.body)
    return _Filling(card, kind, findings).filled()


class _Filling:
    """Fills a card from its head, one field after the other."""

    def __init__(self, card: Card, kind: str, findings: list[Finding]) -> None:
        self._card, self._kind, self._findings = card, kind, findings

    def filled(self) -> Card:
        """The card, with what is wrong or missing."""
        card = replace(
            self._card,
            pretty_name=" ".join(self._texts("pretty_name"))[:NAME_CHARS_MAX],
            licence=self._licence(),
            languages=self._languages(),
            tags=tuple(self._texts("tags")),
            tasks=(*self._texts("task_categories"), *self._texts("pipeline_tag")),
            sizes=tuple(self._texts("size_categories")),
            base_models=tuple(self._texts("base_model")),
            datasets=tuple(self._texts("datasets")),
            personal_data=self._personal_data(),
            personal_data_why=" ".join(self._texts("personal_data_why"))[:WHY_CHARS_MAX],
        )
        return replace(card, findings=(*self._findings, *_missing(card, self._kind)))

    def _texts(self, name: str) -> list[str]:
        value = self._card.values.get(name)
        found = [text for text in texts_of(value) if text] if value is not None else []
        if value is not None and not found and value != []:
            self._wrong(name, f"{name} is no text and no list of texts.", f"Write {name} as a text or a list.")
        return found

    def _licence(self) -> Licence:
        texts = self._texts("license")
        if not texts:
            return Licence("", ())
        try:
            return read_licences(texts, " ".join(texts_of(self._card.values.get("license_name", ""))))
        except BadInput as error:
            self._wrong("license", error.message, error.fix)
            return Licence("", ())

    def _languages(self) -> tuple[str, ...]:
        found: list[str] = []
        for text in [*self._texts("language"), *self._texts("languages")]:
            tag = language_tag(text)
            if tag is None:
                fix = "Write tags such as fr, ar or ar-MA (iana.org, language subtags)."
                self._wrong("language", f"{text[:40]!a} is no language.", fix)
            else:
                found.append(tag)
        return tuple(dict.fromkeys(found))

    def _personal_data(self) -> PersonalData:
        value = self._card.values.get("personal_data")
        if value is None:
            return PersonalData.UNSAID
        try:
            return PersonalData("none" if value is False else str(value).strip().lower())
        except ValueError:
            choices = ", ".join(item for item in PersonalData if item)
            self._wrong("personal_data", "personal_data is none of its values.", f"Choose among: {choices}.")
            return PersonalData.PERSONAL  # somebody said that there is something

    def _wrong(self, name: str, message: str, fix: str) -> None:
        self._findings.append(Finding(name, message, fix, True))


def _missing(card: Card, kind: str) -> Iterator[Finding]:
    if not card.licence.expression and "license" not in card.values:
        yield Finding("license", "It says no licence: nobody may use it.", "--set license=cc-by-4.0")
    if not card.languages and kind == "dataset" and "language" not in card.values:
        yield Finding("language", "It says no language.", "--set language=fr,ar  (zxx where there is none)")
    if not card.personal_data:
        fix = "--set personal_data=none  (or pseudonymous, personal, sensitive)"
        yield Finding("personal_data", "It does not say whether people can be told from it.", fix)
    elif card.personal_data.is_about_people and not card.personal_data_why:
        fix = "--set personal_data_why='...': what is there, by what right, how it was asked for."
        yield Finding("personal_data_why", "It does not say why there is personal data.", fix)
    if not card.pretty_name and kind == "dataset":
        yield Finding("pretty_name", "It has no name for people.", "--set pretty_name='...'")
    if n := n_unanswered(card.body):
        yield Finding(CARD, f"Questions of the template that are not answered: {n}.", "Answer them or take them out.")
    elif len(card.body.strip()) < BODY_CHARS_MIN:
        yield Finding(CARD, "It describes nothing.", "Write below the head what is in it and how it was made.")
