"""Which files the INPUT arguments stand for."""

import os
from pathlib import Path

import pytest

from vqcodec_cli.failure import RefusedError, UsageError
from vqcodec_cli.inputs import find_sources

SUFFIXES = (".png", ".jpg")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = [
        "b.png",
        "a.JPG",
        "notes.txt",
        "deep/er/c.png",
        "deep/a.png",
        ".hidden.png",
        ".git/x.png",
    ]
    for name in names:
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tree"


def names(*arguments: str) -> list[str]:
    return [source.name for source in find_sources(arguments, suffixes=SUFFIXES)]


def places(*arguments: str) -> list[str]:
    return [str(source.place()) for source in find_sources(arguments, suffixes=SUFFIXES)]


@pytest.mark.usefixtures("tree")
def test_folder_gives_its_pictures_to_the_bottom_in_order_without_hidden_ones() -> None:
    expected = ["tree/a.JPG", "tree/b.png", "tree/deep/a.png", "tree/deep/er/c.png"]
    assert names("tree") == expected
    assert places("tree") == [name.removeprefix("tree/") for name in expected]


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("tree/*.png", ["b.png"]),
        ("tree/*", ["a.JPG", "b.png", "notes.txt"]),
        ("tree/**/*.png", ["b.png", "deep/a.png", "deep/er/c.png"]),
        ("tr?e/deep/a.png", ["tree/deep/a.png"]),
    ],
)
def test_pattern_gives_files_and_keeps_their_places(pattern: str, expected: list[str]) -> None:
    assert places(pattern) == expected


@pytest.mark.usefixtures("tree")
def test_named_file_may_have_any_suffix_and_stands_alone() -> None:
    assert names("tree/notes.txt") == ["tree/notes.txt"]
    assert places("tree/deep/a.png") == ["a.png"]


@pytest.mark.usefixtures("tree")
def test_file_whose_name_looks_like_a_pattern_is_that_file() -> None:
    Path("tree/[b].png").touch()
    assert names("tree/[b].png") == ["tree/[b].png"]


@pytest.mark.parametrize(
    ("argument", "why"),
    [("tree/*.gif", "no file matches"), ("empty", "folder without .jpg, .png files")],
)
@pytest.mark.usefixtures("tree")
def test_nothing_found_is_said(argument: str, why: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(RefusedError, match=why) as caught:
        names(argument)
    assert caught.value.filename == argument


@pytest.mark.usefixtures("tree")
def test_standard_input_stands_alone() -> None:
    assert names("-") == ["-"]
    for arguments in [("-", "tree/b.png"), ("-", "-")]:
        with pytest.raises(UsageError, match="standard input"):
            names(*arguments)


@pytest.mark.parametrize("arguments", [[""], ["a.png", ""]])
def test_an_empty_name_is_refused(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="an input is ''"):
        find_sources(arguments, suffixes=[".png"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_unreadable_folder_is_an_error(tree: Path) -> None:
    tree.chmod(0)
    try:
        with pytest.raises(PermissionError):
            names("tree")
    finally:
        tree.chmod(0o755)
