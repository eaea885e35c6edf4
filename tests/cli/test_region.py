"""A region of a signal, as the command line names it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

RunCli = Callable[..., Any]


@pytest.fixture(autouse=True)
def whole(run_cli: RunCli, good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of 53 x 37 and what it decodes to."""
    monkeypatch.chdir(tmp_path)
    Path("a.vqc").write_bytes(good)
    assert run_cli("decode", "a.vqc", "-o", "whole.png").code == 0


@pytest.mark.parametrize("region", [(0, 0, 53, 37), (11, 7, 20, 9), (52, 36, 1, 1), (0, 30, 53, 7)])
def test_a_region_is_what_the_whole_has_there(
    run_cli: RunCli, region: tuple[int, int, int, int]
) -> None:
    x, y, width, height = region
    named = ",".join(map(str, region))
    said = run_cli("decode", "a.vqc", "--region", named, "-o", "part.png", "--json")
    record = json.loads(said.out)
    assert (said.code, record["width"], record["height"]) == (0, width, height)
    with Image.open("whole.png") as picture, Image.open("part.png") as part:
        assert picture.crop((x, y, x + width, y + height)).tobytes() == part.tobytes()


BAD = {
    "beyond": ("50,0,4,4", "a.vqc: the region ends at width 54, it has 53"),
    "below": ("0,0,53,38", "a.vqc: the region ends at height 38, it has 37"),
    "of one axis": ("3,5", "a.vqc: a region of a picture is 4 numbers, begin and then length along "
                    "width, height; got 2"),
    "odd": ("3,5,7", "argument --region: 3,5,7 is not a place and as many lengths"),
    "empty": ("3,5,0,9", "argument --region: 3,5,0,9 is a region without samples"),
    "words": ("a,b,c,d", "argument --region: a is not a whole number"),
    "below zero": ("-1,0,5,5", "argument --region: expected one argument"),
    "nothing": ("", "argument --region:  is not a whole number"),
}  # fmt: skip


@pytest.mark.parametrize(("region", "says"), BAD.values(), ids=BAD)
def test_what_is_no_region_is_refused(run_cli: RunCli, region: str, says: str) -> None:
    outcome = run_cli("decode", "a.vqc", "--region", region, "-o", "part.png")
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"vqcodec: {says}\n")
    assert not Path("part.png").exists()


def test_a_region_of_whole_blocks_at_a_scale(run_cli: RunCli) -> None:
    options = ("decode", "a.vqc", "--scale", "1/4", "-o", "part.png")
    outcome = run_cli(*options, "--region", "4,1,8,8")
    says = "at this scale a region begins and ends at multiples of 4: height 1 to 9 does not"
    assert (outcome.code, outcome.err) == (2, f"vqcodec: a.vqc: {says}\n")
    assert not Path("part.png").exists()
    assert run_cli(*options, "--region", "4,8,8,29").code == 0
