"""A chromium without a window, driven over its debugging pipe: no port, no package, nothing left behind."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
# The browser reads from descriptor 3 and writes to descriptor 4.
_LAUNCH = """
import os, sys
for given, wanted in ((int(sys.argv[1]), 103), (int(sys.argv[2]), 104), (103, 3), (104, 4)):
    os.dup2(given, wanted)
os.closerange(5, 256)
os.execv(sys.argv[3], sys.argv[3:])
"""


_KEYS = {
    "Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), "Space": ("Space", 32, " "),
    "ArrowDown": ("ArrowDown", 40, ""), "ArrowUp": ("ArrowUp", 38, ""), "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""), "Home": ("Home", 36, ""), "End": ("End", 35, ""), "?": ("Slash", 191, "?"),
    "/": ("Slash", 191, "/"),
}  # fmt: skip


class Chromium:
    """One page of one browser. Every wait ends after `limit_s` with TimeoutError."""

    def __init__(self, profile: Path, limit_s: float = 120.0) -> None:
        assert PROGRAM is not None
        self.limit_s = limit_s
        self.errors: list[str] = []
        self._n, self._rest, self._answers, self._events = 0, b"", {}, []
        command_in, self._to = os.pipe()
        self._from, answers_out = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, str(command_in), str(answers_out),
             PROGRAM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(command_in, answers_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(command_in)
        os.close(answers_out)
        try:
            target = self.ask("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.ask(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    _session = ""

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._n += 1
        message: dict[str, Any] = {"id": self._n, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        number = self._n
        self._read_until(lambda: number in self._answers)
        answer = self._answers.pop(number)
        assert "error" not in answer, (method, answer)
        result: dict[str, Any] = answer["result"]
        return result

    def go(self, url: str) -> None:
        """Open a page and wait until all of it is there."""
        self._events.clear()
        answer = self.ask("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self._read_until(lambda: "Page.loadEventFired" in self._events)

    def run(self, script: str) -> Any:
        """The value of a script in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Wait until a script says true."""
        end_s = time.monotonic() + self.limit_s
        while not self.run(script):
            if time.monotonic() > end_s:
                raise TimeoutError(script)
            time.sleep(0.1)

    def press(self, key: str, times: int = 1) -> None:
        """Press and let go of one key, as a person does: Tab, Enter, Escape, ArrowDown, Space or one character."""
        code, number, text = _KEYS.get(key, (f"Key{key.upper()}", ord(key.upper()) if len(key) == 1 else 0, key))
        name = " " if key == "Space" else key
        for _ in range(times):
            common = {"key": name, "code": code, "windowsVirtualKeyCode": number}
            self.ask("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
            self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def write(self, text: str) -> None:
        """Type a text into whatever has the focus."""
        self.ask("Input.insertText", text=text)

    def tab_to(self, selector: str, most: int = 120) -> None:
        """Press Tab until the element that has the focus matches, as somebody without a mouse would."""
        for _ in range(most):
            if self.run(f"document.activeElement.matches({json.dumps(selector)})"):
                return
            self.press("Tab")
        raise AssertionError(f"{selector} is not reached by {most} times Tab")

    def size(self, width: int, height: int) -> None:
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def speak(self, lang: str) -> None:
        self.ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": lang})

    def picture(self) -> bytes:
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for fd in (self._to, self._from):
            os.close(fd)

    def _read_until(self, is_done: Callable[[], bool]) -> None:
        end_s = time.monotonic() + self.limit_s
        while not is_done():
            ready, _, _ = select.select([self._from], [], [], max(0.0, end_s - time.monotonic()))
            if not ready:
                raise TimeoutError("chromium does not answer")
            read = os.read(self._from, 1 << 20)
            if not read:
                raise EOFError("chromium has ended")
            *messages, self._rest = (self._rest + read).split(b"\0")
            for message in messages:
                self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        name, params = message["method"], message["params"]
        self._events.append(name)
        is_error = (
            name == "Runtime.exceptionThrown"
            or (name == "Log.entryAdded" and params["entry"]["level"] == "error")
            or (name == "Runtime.consoleAPICalled" and params["type"] in {"error", "assert"})
        )
        if is_error:
            self.errors.append(json.dumps(params)[:600])
