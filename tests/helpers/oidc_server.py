"""The npm server `oidc-provider` as a process, and a browser that signs in there."""

from __future__ import annotations

import html
import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.helpers.npm import node, packages

SECRET = "s" * 40
PROGRAM = Path(__file__).with_name("oidc_provider.mjs")


class OidcServer:
    """`issuer`; `groups(name, ...)` says in which groups somebody is from now on."""

    def __init__(self, folder: Path, redirects: Sequence[str], *, claims_in_token: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.issuer = f"http://localhost:{self.port}"
        self._groups: dict[str, list[str]] = {}
        self._file = folder / "groups.json"
        self.groups("nobody")
        copy = packages().parent / PROGRAM.name  # beside node_modules, where its import is looked for
        shutil.copyfile(PROGRAM, copy)
        self._process = subprocess.Popen(
            [node(), str(copy), str(self.port), ",".join(redirects), str(self._file)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "CLAIMS_IN_TOKEN": "1" if claims_in_token else "0"},
        )  # fmt: skip
        assert self._process.stdout is not None
        while "ready" not in (line := self._process.stdout.readline()):
            assert line, "the provider ended"

    def groups(self, name: str, *groups: str) -> None:
        self._groups[name] = list(groups)
        self._file.write_text(json.dumps(self._groups), encoding="utf-8")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class _Stop(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if "/sign-in/with/" in newurl:
            raise StopIteration(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def sign_in_there(url: str, name: str) -> str:
    """Sign in at the provider as a person does, and agree; the address of the park to which it sends one back."""
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar, _Stop())
    try:
        answer = opener.open(url, timeout=30)
        for form in ({"prompt": "login", "login": name, "password": "any"}, {"prompt": "consent"}):
            found = re.search(r'action="([^"]+)"', answer.read().decode())
            assert found is not None
            there = urllib.parse.urljoin(answer.url, html.unescape(found[1]))
            answer = opener.open(there, urllib.parse.urlencode(form).encode(), timeout=30)
    except StopIteration as stopped:
        return str(stopped)
    raise AssertionError("the provider sends nobody back")
