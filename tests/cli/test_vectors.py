"""The command on vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vqcodec import vectors


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(3)
    values = (random.normal(size=(900, 20)) * 0.8 ** np.arange(20)).astype(np.float32)
    np.save("words.npy", values)
    return values


ENCODE = ("encode", "words.npy", "--recipe", "vectors", "--bytes-per-vector", "9", "--effort", "2")


def test_there_and_back_by_names_alone(run_cli: Any, rows: Any) -> None:
    encoded = run_cli(*ENCODE)
    assert (encoded.code, encoded.err) == (0, "")
    assert encoded.out.startswith("words.vqc: 900 x 20, ")
    assert " bytes a vector" in encoded.out
    assert Path("words.vqc").stat().st_size <= 9 * 900
    shown = run_cli("info", "words.vqc").out
    for words in ("900 x 20", "float32", "bytes_per_vector", "relative_error", "none is needed"):
        assert words in shown
    record = json.loads(run_cli("info", "--json", "words.vqc").out)
    assert (record["medium"], record["vectors"], record["numbers"]) == ("vector", 900, 20)
    assert run_cli("verify", "words.vqc").code == 0
    said = run_cli("verify", "words.vqc", "--against", "words.npy")
    assert said.out.startswith("words.vqc: ok, mean squared error 0.")
    np.save("other.npy", rows + np.float32(0.5))
    wrong = run_cli("verify", "words.vqc", "--against", "other.npy")
    assert (wrong.code, "the stream says" in wrong.err) == (1, True)
    assert run_cli("decode", "words.vqc", "-o", "back.npy").code == 0
    back = np.load("back.npy")
    assert np.array_equal(back, vectors.decode("words.vqc"))
    assert run_cli("decode", "words.vqc", "--slice", "5:20,-9:", "-o", "part.npy").code == 0
    np.testing.assert_array_equal(np.load("part.npy"), back[5:20, -9:])


def test_a_codebook_beside(run_cli: Any, rows: Any) -> None:
    made = run_cli(*ENCODE, "--new-codebook", "words.vqb")
    assert (made.code, made.err) == (0, "")
    again = run_cli(*ENCODE[:-2], "--codebook", "words.vqb", "-o", "again.vqc")
    assert again.code == 0
    refused = run_cli("decode", "words.vqc", "-o", "back.npy")
    assert (refused.code, "need the codebook" in refused.err) == (3, True)
    for name in ("words.vqc", "again.vqc"):
        arguments = ("--codebook", "words.vqb")
        assert run_cli("decode", name, "-o", "back.npy", "-f", *arguments).code == 0
        assert np.load("back.npy").shape == rows.shape
        assert run_cli("verify", name, "--against", "words.npy", *arguments).code == 0
    kept = run_cli(*ENCODE, "--new-codebook", "words.vqb", "-o", "third.vqc")
    assert (kept.code, "words.vqb" in kept.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("words.npy", "is the input"),
        ("./linked.npy", "is the input"),
        ("out.vqc", "is the output"),
        ("all.jsonl", "is the manifest"),
        ("other.npy", "name it other.vqb"),
        ("-", "a file of its own"),
        ("", "a file of its own"),
    ],
)
def test_a_codebook_takes_the_place_of_nothing(
    run_cli: Any, rows: Any, name: str, says: str
) -> None:
    Path("linked.npy").hardlink_to("words.npy")
    options = ("-o", "out.vqc", "-f", "--manifest", "all.jsonl")
    refused = run_cli(*ENCODE, *options, "--new-codebook", name)
    assert (refused.code, says in refused.err) == (2, True), refused.err
    assert sorted(path.name for path in Path().iterdir()) == ["linked.npy", "words.npy"]
    assert np.array_equal(np.load("words.npy"), rows)


def test_a_codebook_is_not_left_without_its_stream(run_cli: Any, rows: Any) -> None:
    small = [*ENCODE[:5], "1", "--new-codebook", "words.vqb"]
    np.save("words.npy", rows[:9])
    assert run_cli(*small).code == 1
    assert [path.name for path in Path().iterdir()] == ["words.npy"]
    assert run_cli(*small[:-1], "none/words.vqb").code == 4


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["encode", "words.npy", "--recipe", "vectors"], 2, "there is no default"),
        ([*ENCODE[:4], "-q", "50"], 2, "the medium vector has no --quality: it has --bytes-per"),
        ([*ENCODE[:4], "--lossless"], 2, "has no --lossless"),
        ([*ENCODE[:4], "--bytes-per-vector", "0.5"], 2, "0.5 is not from 1 to 64"),
        ([*ENCODE[:4], "--bytes-per-vector", "65"], 2, "65 is not from 1 to 64"),
        ([*ENCODE, "--restore", "noise"], 2, "the medium vector has no --restore"),
        ([*ENCODE, "-m", "photo"], 2, "the medium vector has no --model"),
        ([*ENCODE, "--keyframe-seconds", "3"], 2, "has no --keyframe-seconds"),
        (["encode", "words.npy", "--restore", "noise"], 2, "the medium array has no --restore"),
        (["encode", "p.png", *ENCODE[2:]], 2, "p.png: is a picture: --recipe vectors is for .npy"),
        (["encode", "p.png", "--restore", "noise", "--psnr", "30"], 2, "has no --psnr"),
        (["compare", "p.png", "-m", "sound", "-o", "c.html"], 2, "the input is a picture"),
        (["compare", "p.png", "-m", "video", "-o", "c.html"], 2, "the input is a picture"),
        ([*ENCODE, "--max-error", "1"], 2, "not allowed"),
        ([*ENCODE, "--codebook", "none.vqb"], 4, "none.vqb: no such file"),
        ([*ENCODE, "--codebook", "words.npy"], 3, "not a codebook"),
        (["encode", "words.npy", "--bytes-per-vector", "9"], 2, "array has no --bytes-per-vector"),
        (["encode", "words.npy", "--recipe", "photo"], 2, "--recipe"),
    ],
)
def test_what_the_command_refuses(
    run_cli: Any, rows: Any, arguments: list[str], code: int, says: str
) -> None:
    Image.new("RGB", (40, 30)).save("p.png")
    outcome = run_cli(*arguments)
    assert (outcome.code, says in outcome.err) == (code, True), outcome.err
    assert not Path("words.vqc").exists()


def test_a_codebook_for_a_stream_that_has_its_own(run_cli: Any, rows: Any) -> None:
    assert run_cli(*ENCODE).code == 0
    for command in (
        ("decode", "words.vqc", "-f"),
        ("verify", "words.vqc", "--against", "words.npy"),
    ):
        refused = run_cli(*command, "--codebook", "any.vqb")
        assert (refused.code, "a codebook of its own" in refused.err) == (2, True), refused.err


def test_an_array_has_its_article(run_cli: Any, rows: Any) -> None:
    assert run_cli("encode", "words.npy", "--lossless", "-o", "a.vqc").code == 0
    refused = run_cli("decode", "a.vqc", "-o", "a.png")
    assert (refused.code, "cannot write an array as '.png'" in refused.err) == (2, True)
