"""What desktops and shells are told: tried with the programs that read it, where they are."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from vqcodec_cli.desktop import MAGIC_FILE, MIME_FILE, PLACES

RunCli = Callable[..., Any]
THUMBNAILER = "share/thumbnailers/vqcodec.thumbnailer"


def need(program: str) -> str:
    """A program that reads what we write; without it the test is skipped by its name."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def said(*command: str | Path, **options: Any) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return str(done.stdout, "utf-8")


@pytest.fixture
def prefix(run_cli: RunCli, tmp_path: Path) -> Path:
    """A folder with all of it."""
    pytest.importorskip("shtab")
    pytest.importorskip("argparse_manpage")
    outcome = run_cli("desktop", "install", "--prefix", tmp_path / "prefix")
    assert outcome.code == 0, outcome.err
    assert len(outcome.out.splitlines()) == len(PLACES)
    return tmp_path / "prefix"


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A folder with the command, which need not be installed here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / "vqcodec"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vqcodec_cli "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


def test_installed_files_are_those_that_are_shown(prefix: Path, run_cli: RunCli) -> None:
    names = [line.partition(":")[0] for line in run_cli("desktop", "show").out.splitlines()]
    assert names == list(PLACES)
    for name in names:
        code = [sys.executable, "-m", "vqcodec_cli", "desktop", "show", name]
        if name in (MAGIC_FILE, MIME_FILE):
            done = subprocess.run(code, capture_output=True, check=True)
            assert done.stdout == (prefix / name).read_bytes()
        assert (prefix / name).stat().st_size > 100
    assert run_cli("desktop", "show", "share/else").code == 2


def test_what_others_wrote_is_kept(prefix: Path, run_cli: RunCli) -> None:
    again = run_cli("desktop", "install", "--prefix", prefix)
    assert (again.code, again.err) == (0, "")
    path = prefix / MAGIC_FILE
    path.write_text("mine")
    assert run_cli("desktop", "install", "--prefix", prefix).code == 4
    assert path.read_text() == "mine"
    assert run_cli("desktop", "install", "--prefix", prefix, "-f").code == 0
    assert path.read_text() != "mine"


def test_file_knows_streams(prefix: Path, good: bytes, tmp_path: Path) -> None:
    assert good
    program, magic = need("file"), prefix / MAGIC_FILE
    stream, wave = tmp_path / "good.vqc", tmp_path / "sound"
    wave.write_bytes(good[:7] + b"\x01" + good[8:])
    assert said(program, "-b", "-m", magic, stream) == "vqcodec picture, version 1\n"
    assert said(program, "-b", "-m", magic, wave) == "vqcodec sound, version 1\n"
    for path, kind in ((stream, "image"), (wave, "audio")):
        assert said(program, "-b", "-m", magic, "--mime-type", path) == f"{kind}/x-vqcodec\n"
    other = tmp_path / "other"
    other.write_bytes(good[1:])
    assert "vqcodec" not in said(program, "-b", "-m", magic, other)


def test_mime_types_are_taken(prefix: Path) -> None:
    program = need("update-mime-database")
    said(program, prefix / "share/mime")
    globs = (prefix / "share/mime/globs").read_text()
    for kind in ("image/x-vqcodec", "audio/x-vqcodec", "application/x-vqcodec"):
        assert f"{kind}:*.vqc" in globs
        page = ElementTree.parse(prefix / f"share/mime/{kind}.xml")
        assert page.getroot().get("type") == kind
    assert b"image/x-vqcodec" in (prefix / "share/mime/magic").read_bytes()


def test_the_thumbnailer_makes_a_thumbnail(
    prefix: Path, command: Path, good: bytes, tmp_path: Path, tiny_model: str
) -> None:
    """By the very command of the entry, into a file without suffix that is there already."""
    assert good
    assert tiny_model
    entry = dict(line.split("=", 1) for line in (prefix / THUMBNAILER).read_text().splitlines()[1:])
    assert entry["MimeType"].split(";")[0] == "image/x-vqcodec"
    target = tmp_path / ".thumbnail.XYZ"
    target.touch()
    names = {"%i": str(tmp_path / "good.vqc"), "%o": str(target), "%s": "24"}
    words = [names.get(word, word) for word in entry["Exec"].split()]
    path = f"{command}{os.pathsep}{os.environ['PATH']}"
    said(*words, env={**os.environ, "PATH": path})
    with Image.open(target) as image:
        assert image.format == "PNG"
        assert image.size == (24, 17)


def test_thumbnails_of_what_cannot_be_shown_are_refused(run_cli: RunCli, tmp_path: Path) -> None:
    import numpy as np

    import vqcodec

    path = tmp_path / "field.vqc"
    path.write_bytes(vqcodec.encode_array(np.zeros(9), lossless=True))
    outcome = run_cli("desktop", "thumbnail", path, tmp_path / "out")
    assert (outcome.code, outcome.err) == (2, "vqcodec: there are no thumbnails of arrays\n")
    assert not (tmp_path / "out").exists()


def test_the_man_page_can_be_read(prefix: Path) -> None:
    program, page = need("man"), prefix / "share/man/man1/vqcodec.1"
    env = {**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""}
    done = subprocess.run(
        [program, "--warnings", "-l", str(page)],
        capture_output=True,
        text=True,
        env=env,
        check=True,
    )
    assert "vqcodec" in done.stdout
    assert "--max-samples" in done.stdout
    assert "VQCODEC_MODELS" in done.stdout


COMPLETIONS = [
    ("vqcodec enc", "encode"),
    ("vqcodec encode --qual", "--quality"),
    ("vqcodec models ", "remove"),
]


@pytest.mark.parametrize(("line", "expected"), COMPLETIONS)
def test_bash_completes(prefix: Path, line: str, expected: str) -> None:
    words = line.split(" ")
    script = f"""
source '{prefix}/share/bash-completion/completions/vqcodec'
COMP_WORDS=({" ".join(f"'{word}'" for word in words)})
COMP_CWORD={len(words) - 1}
{{ function=$(complete -p vqcodec | sed 's/.*-F \\([^ ]*\\).*/\\1/'); }}
$function vqcodec
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    found = said(need("bash"), "--norc", "-c", script).split()
    assert expected in found


@pytest.mark.parametrize(("line", "expected"), COMPLETIONS)
def test_fish_completes(prefix: Path, line: str, expected: str, tmp_path: Path) -> None:
    script = f"source {prefix}/share/fish/vendor_completions.d/vqcodec.fish; complete -C '{line}'"
    found = said(
        need("fish"), "--no-config", "-c", script, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert expected in [word.split("\t")[0] for word in found.splitlines()]


def test_zsh_takes_the_completion(prefix: Path, tmp_path: Path) -> None:
    script = f"""
fpath=({prefix}/share/zsh/site-functions $fpath)
autoload -Uz compinit && compinit -u -d {tmp_path}/dump
print $_comps[vqcodec]
autoload +X _vqcodec && functions _vqcodec | grep -c encode
"""
    found = said(need("zsh"), "-f", "-c", script).split()
    assert found[0] == "_vqcodec"


def test_a_missing_package_is_one_line(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    outcome = run_cli("desktop", "install", "--prefix", tmp_path / "p")
    assert outcome.code == 4
    assert outcome.err.endswith("need shtab: pip install 'vqcodec[desktop]'\n")
    assert not (tmp_path / "p").exists()
