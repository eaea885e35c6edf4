"""What README and docs show works as it is shown; what is not run is skipped by its name."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from documents import DOCUMENTS, Block, blocks_of, command_lines, pipelines, readers_files
from sources import ROOT

from vqcodec_cli.main import main, parse

SHELL = ("sh", "bash", "console")
LANGUAGES = (*SHELL, "python", "text", "json", "toml")
BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]
NOT_RUN = [block for block in BLOCKS if block.not_run]
RUN = [b for b in BLOCKS if not b.not_run and b.language in ("python", *SHELL)]
HINT = "mend it, or put <!-- not run: WHY --> before it"

# What another block made is in the way of this one only here, where one reader tries them all.
IN_THE_WAY = re.compile(r"(\S+) exists already")


def test_there_are_examples() -> None:
    assert len(RUN) > 12
    assert {block.language for block in BLOCKS} <= set(LANGUAGES), "say what a block is: ```sh"


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: block.name)
def test_examples_that_are_not_run(block: Block) -> None:
    pytest.skip(block.not_run)


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.language in SHELL], ids=lambda block: block.name
)
def test_commands_are_spelt_right(block: Block) -> None:
    """Also of those that are not run."""
    for words in command_lines(block):
        if "--help" not in words:
            parse(words)


@pytest.mark.filterwarnings("ignore:Consolidated metadata")  # what zarr thinks of its own
@pytest.mark.parametrize("document", sorted({block.document for block in RUN}))
def test_examples_work(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    """All blocks of a document one after another, in Python with the names of those before."""
    readers_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VQCODEC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("PATH", f"{_command(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}")
    names: dict[str, Any] = {"__name__": "example"}
    for block in blocks_of(document):
        if block not in RUN:
            continue
        exec(compile(block.first, f"before {block.name}", "exec"), names)
        if block.language == "python":
            code = "\n" * block.line + block.text
            exec(compile(code, block.document, "exec"), names)
            continue
        there = {path.name for path in tmp_path.rglob("*")}
        for line in pipelines(block):
            _run(line, block, capfd, there)


def _command(folder: Path) -> str:
    """A folder with a command vqcodec, which need not be installed here."""
    folder.mkdir()
    path = folder / "vqcodec"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vqcodec_cli "$@"\n')
    path.chmod(0o755)
    return str(folder)


def _run(line: str, block: Block, capfd: Any, there: set[str]) -> None:
    """Run a line of a block; what was there before the block may be replaced."""
    needs_shell = re.search(r"[|<>&;]", re.sub(r"\s#.*", "", line))
    if needs_shell or not line.startswith("vqcodec "):
        paths = os.pathsep.join(str(ROOT / name) for name in (".", "kernels", "cli"))
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
        code, said = done.returncode, done.stderr
    else:
        words = shlex.split(line, comments=True)[1:]
        capfd.readouterr()
        code, said = main(words), capfd.readouterr().err
        if (found := IN_THE_WAY.search(said)) and Path(found[1]).name in there:
            code, said = main([*words, "-f"]), capfd.readouterr().err
    assert code == 0, f"{block.name}: {line}\n{said}\n{HINT}"


TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_tables_are_tables(document: str) -> None:
    """Rows behind an empty line are a paragraph of bars, as a browser shows them."""
    text = (ROOT / document).read_text(encoding="utf-8")
    headless = [
        table
        for table in TABLE.findall(text)
        if not re.match(r"\|.*\n\|[-: |]+\|$", table, flags=re.MULTILINE)
    ]
    assert headless == []


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """To files, and to headings in them, as they stand in the repository."""
    text = re.sub(r"```.*?```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)
    wrong = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        place = (ROOT / document).parent / path if path else ROOT / document
        if not place.exists() or (
            heading and place.suffix == ".md" and heading not in _anchors(place)
        ):
            wrong.append(target)
    assert wrong == []


def _anchors(path: Path) -> set[str]:
    """Headings as GitHub, and the site, spell their addresses."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
