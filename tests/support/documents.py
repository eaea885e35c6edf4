"""The examples of README and docs: fenced blocks, what is said about them, and how they are run.

A block is run as a reader would run it, in a folder with the files that readers are thought to
have. A comment right before a block, which nobody sees who reads the page, says otherwise:

    <!-- not run: WHY -->      the block is skipped by name, but its command lines are parsed
    <!-- run first: CODE -->   lines of Python that make what the block takes for granted
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sources import ROOT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DOCUMENTS", "Block", "blocks_of", "command_lines", "pipelines", "readers_files"]

DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "kernels/README.md"]
    if path.name != "CHANGELOG.md"
)

_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>not run|run first): *(?P<said>(?:(?!-->).)*?)-->\n+)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, what is in it, why it is not run, what has to run first."""

    document: str
    line: int
    language: str
    text: str
    not_run: str = ""
    first: str = ""

    @property
    def name(self) -> str:
        """Where it is, as an editor takes it."""
        return f"{self.document}:{self.line}"


def blocks_of(document: str) -> list[Block]:
    """The blocks of a document, by its path from the root."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        said = {match["mark"]: match["said"].strip("\n")} if match["mark"] else {}
        line = text.count("\n", 0, match.start("text"))
        found.append(
            Block(
                document,
                line,
                match["language"],
                match["text"],
                said.get("not run", "").strip(),
                said.get("run first", ""),
            )
        )
    return found


def pipelines(block: Block) -> Iterator[str]:
    """The lines of a block of the shell, continued ones joined, comments left out."""
    for line in block.text.replace("\\\n", " ").splitlines():
        # A # inside quotes is none of a comment.
        if shlex.split(line, comments=True):
            yield line


def command_lines(block: Block) -> Iterator[list[str]]:
    """The arguments of every vqcodec in a block of the shell."""
    for line in pipelines(block):
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>&;")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word[0] not in "|<>&;":
                words.append(word)
                continue
            if words[:1] == ["vqcodec"]:
                yield words[1:]
            words = []


def readers_files(folder: Path) -> None:
    """What the examples take for granted: pictures, sounds and arrays under the usual names."""
    import numpy as np
    from PIL import Image

    rows, columns = np.mgrid[0:264, 0:520]
    planes = [rows % 256, columns % 256, 255 * ((rows // 40 + columns // 56) % 2)]
    pixels = np.stack(planes, axis=2).astype(np.uint8)
    picture = Image.fromarray(pixels)
    for name in ("photo.png", "a.png", "scan.png", "map.tif", "mine.jpg"):
        picture.save(folder / name)
    picture.convert("L").save(folder / "a.jpg")
    for name in ("holiday", "archive", "photos"):
        (folder / name).mkdir()
        picture.crop((0, 0, 96, 72)).save(folder / name / "one.png")
    Image.fromarray((rows * 200 + columns).astype(np.uint16)).save(folder / "xray.png")
    alpha = picture.convert("RGBA")
    alpha.putalpha(Image.fromarray((columns % 256).astype(np.uint8)))
    alpha.save(folder / "cutout.png")
    write_tone(folder / "talk.wav", seconds=3)
    (folder / "recordings").mkdir()
    write_tone(folder / "recordings/one.wav", seconds=1)
    noise = np.random.default_rng(1).normal(0, 20, pixels.shape)
    Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(folder / "noisy.png")
    picture.save(folder / "old.jpg", quality=20)
    words = np.random.default_rng(2).normal(size=(2500, 24)).astype(np.float32)
    for name in ("words", "monday", "tuesday"):
        np.save(folder / f"{name}.npy", words)
    write_clip(folder / "clip.mkv", pixels[:96, :160])
    x, y, z = np.mgrid[0:12, 0:5, 0:210]
    np.save(folder / "field.npy", np.sin(x / 7 + y / 3 + z / 50).astype(np.float32))


def write_clip(path: Path, pixels: "NDArray[np.uint8]", *, frames: int = 20) -> None:
    """A camera that stands still, and a square that passes."""
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            shown = np.ascontiguousarray(pixels)
            shown[30:50, 4 * number : 4 * number + 20] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode())


def write_tone(path: Path, *, seconds: int, rate: int = 16_000) -> None:
    """A mono sound of sixteen bits."""
    import wave

    import numpy as np

    samples = 0.4 * np.sin(np.arange(seconds * rate) * 440 * 2 * np.pi / rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
