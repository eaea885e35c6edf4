"""A headless Chromium that a test looks at pages with, by its DevTools protocol over two pipes."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["CHROMIUM", "Page", "open_browser"]

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


class Page:
    """One page: what it says, what it is, what it looks like.

    Attributes:
        complaints: errors of its scripts and of its console, and requests that failed.
        requests: addresses that it asked for.
    """

    def __init__(self, process: subprocess.Popen[bytes], to: int, back: int) -> None:
        self._process, self._to, self._back = process, to, back
        self._numbers, self._rest = itertools.count(1), b""
        self._session: str | None = None
        self.complaints: list[str] = []
        self.requests: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, url: str, *, width: int = 1200, height: int = 900) -> None:
        """Go to an address and wait until it is loaded."""
        self.resize(width, height)
        self._call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def begin_with(self, script: str) -> None:
        """Run a script in every page that is opened from now on, before its own."""
        self._call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)

    def prefer(self, scheme: str) -> None:
        """Prefer "dark" or "light" pages."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", features=features)

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is, awaited; of JSON."""
        wanted = {"returnByValue": True, "awaitPromise": True}
        answer = self._call("Runtime.evaluate", expression=expression, **wanted)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """What the first element of a selector says."""
        return str(self.value(f"document.querySelector({selector!r}).textContent"))

    def set(self, selector: str, value: Any) -> None:
        """Give a control a value, as a person does."""
        self.value(
            f"(control => {{ control.value = {json.dumps(value)};"
            "for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind));"
            f"}})(document.querySelector({selector!r}))"
        )

    def click(self, selector: str) -> None:
        """Click the first element of a selector."""
        self.value(f"document.querySelector({selector!r}).click()")

    def wait(self, expression: str, *, seconds: float = 60) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.value(f"Boolean({expression})"):
            assert time.monotonic() < end, f"{expression} did not come; {self.complaints}"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """Press and let go a key by its name."""
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def choose(self, selector: str, *paths: Path) -> None:
        """Choose files in an input of the page."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write what it looks like as a PNG; all of it, or what the window shows."""
        answer = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self._note(answer.get("method", ""), answer.get("params", {}))

    def _read(self, seconds: float = 120) -> Any:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._back], [], [], seconds)
            assert ready, "the browser does not answer"
            piece = os.read(self._back, 1 << 20)
            assert piece, f"the browser ended with {self._process.poll()}"
            self._rest += piece
        answer, _, self._rest = self._rest.partition(b"\0")
        return json.loads(answer)

    def _note(self, event: str, params: Any) -> None:
        if event == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str(params["args"]))
        elif event == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(str(params["entry"]))
        elif event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])


@contextmanager
def open_browser(folder: Path) -> Iterator[Page]:
    """Run Chromium without a window, with its files below a folder, and give it a page."""
    assert CHROMIUM is not None
    read_by_browser, to = os.pipe()
    back, written_by_browser = os.pipe()
    flags = [
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", "--hide-scrollbars", "--disable-background-networking"),
        *("--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}"),
    ]
    # The protocol is spoken on these two numbers.
    line = f'exec "$@" 3<&{read_by_browser} 4>&{written_by_browser}'
    with open(folder / "chromium.log", "wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", line, "bash", CHROMIUM, *flags],
            pass_fds=(read_by_browser, written_by_browser),
            stdout=log,
            stderr=log,
        )
    os.close(read_by_browser)
    os.close(written_by_browser)
    try:
        yield Page(process, to, back)
    finally:
        os.close(to)
        os.close(back)
        process.terminate()
        process.wait(20)
