"""The command in French: every text translated, placeholders kept, the person's variables obeyed, click included."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.client.small_park import JOB, SmallPark, ended

from eureka_park.cli import errors, reasons, words
from eureka_park.cli.locales import make
from eureka_park.cli.main import COMMANDS
from eureka_park.energy.core.sky import SENTENCES
from eureka_park.foundation.errors import Unavailable

Program = Callable[..., "subprocess.CompletedProcess[str]"]
PLACE = re.compile(r"\{[^{}]*\}")


@pytest.fixture
def french(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """French from the catalogue as it is kept, whether or not the build has compiled it here."""
    make.compile_to(tmp_path / "locales", "fr")
    monkeypatch.setattr(words, "FOLDER", tmp_path / "locales")
    monkeypatch.setenv("PARK_LANG", "fr")
    words._catalogue.cache_clear()
    yield
    words._catalogue.cache_clear()


def test_nothing_is_left_untranslated() -> None:
    missing = [message.id for locale in make.LOCALES for message in make.gaps(locale)]
    assert not missing, "run: python -m eureka_park.cli.locales.make missing fr"
    for locale in make.LOCALES:
        kept, said = make.read(locale), {make._key(message) for message in make.extracted() if message.id}
        assert {make._key(message) for message in kept if message.id} == said, "run: ... make update"
        assert not [message.id for message in kept if message.id and message.fuzzy]


def test_placeholders_and_examples_are_kept() -> None:
    wrong = []
    for message in make.read("fr"):
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for text, said in zip(ids, strings, strict=True):
            if text and set(PLACE.findall(text)) != set(PLACE.findall(said)):
                wrong.append((text, said))
            if text and text.count("\n") != said.count("\n"):
                wrong.append((text, said))
    assert not wrong


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "fr_MA.UTF-8"}, "fr"),
        ({"LANG": "fr_FR", "LC_MESSAGES": "C"}, "en"),
        ({"LANG": "en_GB", "LC_ALL": "fr"}, "fr"),
        ({"LC_ALL": "fr_FR.UTF-8", "PARK_LANG": "en"}, "en"),
        ({"PARK_LANG": "fr-FR"}, "fr"),
        ({"PARK_LANG": "FR"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": ""}, "en"),
    ],
)
def test_whose_word_counts(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str) -> None:
    for name in ("PARK_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert words.language() == language


def test_every_help_page_is_french_with_its_neighbours(french: None, run: Run) -> None:
    for name, entry in COMMANDS.items():
        if entry.hidden:
            continue
        page = run(name, "--help").stdout
        module, _, attribute = entry.where.partition(":")
        help_ = getattr(importlib.import_module(module), attribute).help
        assert "Usage\N{NO-BREAK SPACE}: " in page and "Montrer cette aide" in page, name
        assert "Show this" not in page and help_.splitlines()[0].split(".")[0] not in page, name
        assert "Voir aussi\N{NO-BREAK SPACE}: park " in page, name
        assert all(f"park {other}" in page for other in entry.see)
    assert "Commandes" in run("--help").stdout
    assert "fichier de site" in run("site", "check", "--help").stdout


def test_every_neighbour_exists() -> None:
    assert not {other for entry in COMMANDS.values() for other in entry.see} - set(COMMANDS)


def test_lines_beside_the_output_and_errors_are_french(french: None, small: SmallPark, run: Run) -> None:
    assert "aucun calcul" in run("jobs").stderr
    small.add(**ended("failed", exit_code=3))
    assert run("wait", JOB).stderr == f"park: {JOB} en échec avec le code de sortie 3\n"
    assert run("jbos").stderr.startswith("park: il n’y a pas de commande 'jbos'. Vouliez-vous dire 'jobs'")
    assert "Il n’y a pas d’option '--nonsense'" in run("jobs", "--nonsense").stderr
    assert "n’est pas parmi" in run("jobs", "--state", "asleep").stderr
    assert "Il n’y a pas de script 'gone.py'." in run("submit", "gone.py").stderr
    assert "Il n’y a pas de calcul job-none." in run("show", "job-none").stderr
    assert '"code": "usage"' in run("jobs", "--json", "--nonsense").stderr


def test_errors_of_energy_are_french(french: None, run: Run) -> None:
    assert run("energy", "year", "--without", "noor-v").stderr.startswith("park: Il n’y a pas de centrale 'noor-v'.")
    assert "ne dit pas son format" in run("energy", "year", "--hourly", "hours.txt").stderr


def test_reasons_are_french(french: None, small: SmallPark, run: Run) -> None:
    text = "It needs 18.0 W of the park's own sun, wind or salt; 2.72 W is free now."
    small.add(reasons=[{"code": "clean_power", "text": text, "values": {}, "until": None}])
    assert run("why", JOB).stdout.startswith("Il lui faut 18.0 W du soleil")
    assert set(SENTENCES.values()) <= set(reasons.SAID_BY_THE_PARK)
    assert errors.sentence("Something that nobody foresaw.") == "Something that nobody foresaw."


def test_the_live_screen_is_french(french: None, small: SmallPark, run: Run) -> None:
    small.add()
    page = run("top").stdout
    assert "palier" in page and "en attente" in page and "q fin" in page


def test_an_error_of_a_known_form_keeps_its_names(french: None) -> None:
    error = Unavailable("No park answers at http://{x}:1.", fix="Try again in a moment.")
    assert errors.told(error) == "Aucun parc ne répond à http://{x}:1. Réessayez dans un instant."


def test_english_needs_no_catalogue(run: Run, french: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Commandes" in run("--help").stdout
    monkeypatch.setenv("PARK_LANG", "en")
    assert "Commands:" in run("--help").stdout and "Show this message" in run("jobs", "--help").stdout


def test_without_a_compiled_catalogue_the_command_speaks_english(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run
) -> None:
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    monkeypatch.setenv("PARK_LANG", "fr")
    words._catalogue.cache_clear()
    assert "Commands:" in run("--help").stdout
    words._catalogue.cache_clear()


def test_french_needs_no_babel() -> None:
    code = "import sys, eureka_park.cli.words as w; w._('jobs'); sys.exit('babel' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], env={"PARK_LANG": "fr", "PATH": ""}, check=False).returncode == 0
    )
