"""The viewer: codes of every golden file, pixels and refusals, in Node and in Chromium."""

import base64
import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from chromium import CHROMIUM, Page, open_browser
from golden import GOLDEN
from numpy.typing import NDArray
from safetensors import safe_open
from sources import ROOT

from vqcodec import Codec, load
from vqcodec.model.catalog import locate_model
from vqcodec.model.file import compute_fingerprint

PICTURES = GOLDEN["picture"]
BUILD = ROOT / "viewer/build.py"
# Of 255, what two decoders may differ by.
TOLERANCE = 2


def _lacking() -> str | None:
    """What is not installed of what the viewer is built with."""
    module = ("-c", f"import runpy; runpy.run_path({str(BUILD)!r})['find_compiler']()")
    done = subprocess.run([sys.executable, *module], capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else None


LACKING = _lacking()
pytestmark = pytest.mark.skipif(
    LACKING is not None, reason=f"the viewer cannot be built: {LACKING}"
)
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no Node")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or shutil.which("esbuild") is None, reason="no Chromium, or no esbuild"
)

JOBS = [
    (group, name) for group in ("valid", "damaged", "built_in") for name in PICTURES.manifest[group]
]


# The larger files of the built-in models take their time.
WITH_PIXELS = [
    *(("valid", name) for name in PICTURES.manifest["valid"]),
    *(
        ("built_in", f"{model}-china-{quality}")
        for model in ("photo", "photo-psnr")
        for quality in (10, 90)
    ),
]
# A model that nobody has is asked for, not refused.
NOT_HERE = [("damaged", "another-model")]


@functools.cache
def codec_of(model: str) -> Codec:
    return load(model, device="cpu")


def native_pixels(codec: Codec, stream: bytes) -> NDArray[np.uint8]:
    """What our own decoder makes of a stream, as RGBA."""
    pixels = codec.decode_signal(stream).pixels
    colours = pixels[:, :, :3] if pixels.shape[2] > 2 else np.repeat(pixels[:, :, :1], 3, axis=2)
    alpha = pixels[:, :, -1:] if pixels.shape[2] in (2, 4) else np.full_like(pixels[:, :, :1], 255)
    return np.concatenate([colours, alpha], axis=2)


def model_of(group: str, name: str) -> Path:
    if group == "built_in":
        return locate_model(PICTURES.manifest["built_in"][name]["model"])
    return PICTURES.model


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What Node made of all golden files, by their names, and the folder with their pixels."""
    folder = tmp_path_factory.mktemp("node")
    module = folder / "decoder.wasm"
    subprocess.run(
        [sys.executable, BUILD, "--module", module], check=True, stdout=subprocess.DEVNULL
    )
    jobs = [
        {
            "name": f"{group}-{name}",
            "stream": str(PICTURES.folder / group / f"{name}.vqc"),
            "model": str(model_of(group, name)),
            "pixels": (group, name) in WITH_PIXELS,
        }
        for group, name in JOBS
    ]
    (folder / "jobs.json").write_text(json.dumps(jobs))
    script = Path(__file__).with_name("decode_files.mjs")
    done = subprocess.run(
        ["node", script, module, folder / "jobs.json", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {entry["name"]: entry for entry in said}, folder


@needs_node
def test_codes_are_those_of_the_golden_files(node: tuple[dict[str, Any], Path]) -> None:
    said, _ = node
    for group in ("valid", "built_in"):
        for name, entry in PICTURES.manifest[group].items():
            assert said[f"{group}-{name}"].get("codes") == entry["codes_sha256"], name


@needs_node
def test_pixels_are_those_of_the_decoder(node: tuple[dict[str, Any], Path]) -> None:
    _, folder = node
    for group, name in WITH_PIXELS:
        expected = native_pixels(codec_of(str(model_of(group, name))), PICTURES.stream(group, name))
        found = np.frombuffer((folder / f"{group}-{name}.rgba").read_bytes(), np.uint8)
        found = found.reshape(expected.shape)
        assert np.abs(found.astype(int) - expected).max() <= TOLERANCE, name
        assert np.array_equal(found[:, :, 3], expected[:, :, 3]), name


@needs_node
def test_damage_is_named_as_by_the_decoder(node: tuple[dict[str, Any], Path]) -> None:
    said, _ = node
    for name, entry in PICTURES.manifest["damaged"].items():
        found = said[f"damaged-{name}"]
        assert (found.get("kind"), entry["says"] in found["refused"]) == (entry["error"], True), (
            found
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built page with the tiny model and one of ours beside it."""
    folder = tmp_path_factory.mktemp("site") / "viewer"
    models = f"photo,{PICTURES.model}"
    command = [sys.executable, str(BUILD), "-o", str(folder), "--models", models]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


class Handler(http.server.SimpleHTTPRequestHandler):
    """A static host that remembers what it was asked for."""

    asked: ClassVar[list[str]] = []

    def log_message(self, *_: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Where a static host on this machine has the page."""
    Handler.asked.clear()
    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


# Keeps the codes that the worker tells the page.
KEEP_CODES = """
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => data.codes && (window.codes = data.codes));
  }
};
"""


def opened(page: Page, path: Path) -> str:
    """Choose a file; the state that the page comes to."""
    page.value("document.body.dataset.state = 'asked'")
    page.choose("#file", path)
    page.wait("!['asked', 'busy'].includes(document.body.dataset.state)", seconds=120)
    return str(page.value("document.body.dataset.state"))


def shown_codes(page: Page) -> str:
    """The SHA-256 of the codes of what the page shows."""
    digest = "crypto.subtle.digest('SHA-256', window.codes)"
    numbers = page.value(f"{digest}.then((found) => [...new Uint8Array(found)])")
    return bytes(numbers).hex()


def shown_pixels(page: Page) -> NDArray[np.uint8]:
    """The pixels on the page's canvas."""
    height, width, text = page.value("""(async () => {
      const canvas = document.querySelector('#picture');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let text = '';
      for (let i = 0; i < data.length; i += 8192)
        text += String.fromCharCode(...data.subarray(i, i + 8192));
      return [canvas.height, canvas.width, btoa(text)];
    })()""")
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)


def assert_shown(page: Page, group: str, name: str) -> None:
    """Codes and pixels are those of our own decoder, where alpha shows them at all."""
    assert shown_codes(page) == PICTURES.manifest[group][name]["codes_sha256"], name
    codec = codec_of(str(model_of(group, name)))
    expected = native_pixels(codec, PICTURES.stream(group, name))
    found = shown_pixels(page)
    assert np.array_equal(found[:, :, 3], expected[:, :, 3]), name
    # A canvas keeps colours multiplied by alpha: where there is little of it they are coarse.
    solid = expected[:, :, 3] == 255
    assert np.abs(found.astype(int) - expected)[solid].max(initial=0) <= TOLERANCE, name


@needs_browser
def test_the_page_on_a_host(address: str, tmp_path: Path) -> None:
    """Files are decoded, damaged ones refused by their reason, and each model is fetched once."""
    with open_browser(tmp_path) as page:
        page.begin_with(KEEP_CODES)
        page.open(address)
        for group, name in JOBS:
            if (group, name) in NOT_HERE or (group == "built_in" and name != "photo-china-60"):
                continue
            state = opened(page, PICTURES.folder / group / f"{name}.vqc")
            if group == "damaged":
                assert state == "refused", name
                assert PICTURES.manifest[group][name]["says"] in page.text("#status"), name
            else:
                assert state == "shown", page.text("#status")
                assert_shown(page, group, name)
        fetched = [path for path in Handler.asked if path.endswith(".safetensors")]
        assert len(fetched) == len(set(fetched)) == 2
        # The browser has kept them; a file may be named by the address.
        stream = base64.b64encode(PICTURES.stream("valid", "rgb")).decode()
        page.open(f"{address}?again#data:application/octet-stream;base64,{stream}")
        page.wait("document.body.dataset.state === 'shown'")
        assert_shown(page, "valid", "rgb")
        assert [path for path in Handler.asked if path.endswith(".safetensors")] == fetched
        assert page.complaints == []


@needs_browser
def test_the_page_opened_as_a_file(site: Path, tmp_path: Path) -> None:
    """Without a host the model is asked for by its name, and taken when it is dropped."""
    with open_browser(tmp_path) as page:
        page.begin_with(KEEP_CODES)
        page.open((site / "index.html").as_uri())
        assert opened(page, PICTURES.folder / "valid" / "rgb.vqc") == "model"
        model = next((site / "models").glob("tiny-*.safetensors"))
        assert f"models/{model.name}" in page.text("#status")
        page.choose("#file", model)
        page.wait("document.body.dataset.state === 'shown'")
        assert_shown(page, "valid", "rgb")
        assert page.complaints == []


def test_models_beside_the_page_keep_their_fingerprints(site: Path) -> None:
    """What only an encoder needs is left out, which is a third of a file."""
    stripped = next((site / "models").glob("photo-*.safetensors"))
    whole = locate_model("photo")
    with safe_open(stripped, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = file.metadata()["config"]
    assert compute_fingerprint(text, tensors) == codec_of("photo").card.fingerprint
    assert stripped.stat().st_size < 0.85 * whole.stat().st_size
    assert (site / "index.html").stat().st_size < 1e6
