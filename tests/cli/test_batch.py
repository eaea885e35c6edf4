"""One bad file among many."""

import json

import pytest

from vqcodec.errors import FormatError, ModelError
from vqcodec_cli import progress
from vqcodec_cli.batch import Tell, run_batch
from vqcodec_cli.inputs import Source

SOURCES = [Source(name) for name in ["a", "b", "c", "d"]]


def work(source: Source, _: Tell) -> tuple[dict[str, str], str]:
    if source.name == "b":
        raise ModelError("no such model")
    if source.name == "d":
        raise FormatError("is damaged")
    return {"input": source.name}, f"did {source.name}"


def test_the_good_ones_are_done_and_the_first_failure_decides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run_batch(SOURCES, work, label="x", as_json=False)
    said = capsys.readouterr()
    assert code == 3
    assert said.out == "did a\ndid c\n"
    assert said.err.splitlines() == [
        "vqcodec: b: no such model",
        "vqcodec: d: is damaged",
        "vqcodec: 2 of 4 files failed",
    ]


def test_json_has_a_line_for_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    run_batch(SOURCES, work, label="x", as_json=True)
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert records == [
        {"input": "a"},
        {"input": "b", "error": "no such model", "exit_code": 3},
        {"input": "c"},
        {"input": "d", "error": "is damaged", "exit_code": 1},
    ]


@pytest.mark.parametrize("as_json", [False, True])
def test_quiet_says_nothing_but_failures(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    assert run_batch(SOURCES[:2], work, label="x", as_json=as_json, quiet=True) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == ["vqcodec: b: no such model", "vqcodec: 1 of 2 files failed"]


def test_single_failure_needs_no_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_batch(SOURCES[1:2], work, label="x", as_json=False) == 3
    assert capsys.readouterr().err == "vqcodec: b: no such model\n"


def test_defect_of_ours_is_not_hidden() -> None:
    def broken(_: Source, __: Tell) -> tuple[dict[str, str], str]:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        run_batch(SOURCES, broken, label="x", as_json=False)


def test_a_single_item_of_many_parts_shows_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be told in parts, or has one, shows none."""
    monkeypatch.setattr(progress, "EVERY", 0.0)

    def large(source: Source, tell: Tell) -> tuple[dict[str, str], str]:
        for done in range(1, 5):
            tell(done, 4)
        return work(source, tell)

    def small(source: Source, tell: Tell) -> tuple[dict[str, str], str]:
        tell(1, 1)
        return work(source, tell)

    run_batch(SOURCES[:1], large, label="x", as_json=False)
    shares = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
    assert shares == ["a", "25", "50", "75", "100"]
    run_batch(SOURCES[:1], small, label="x", as_json=False)
    assert capsys.readouterr().err == "x a\n"


def test_items_of_many_parts_share_the_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)

    def halves(source: Source, tell: Tell) -> tuple[dict[str, str], str]:
        tell(1, 2)
        return {}, ""

    run_batch(SOURCES[:2], halves, label="x", as_json=False)
    shares = [line.split(" %")[0] for line in capsys.readouterr().err.splitlines()]
    assert shares == ["x 0", "x 25", "x 50", "x 75"]
