"""Published curves: what is read, what is refused, and the ones that come along."""

import json
from pathlib import Path
from typing import Any

import pytest
from tones import TONES

from vqcodec.errors import InputError
from vqcodec.evaluation import PublishedPoint, bd_rate, read_published
from vqcodec.media.registry import find_workshop

SHIPPED = Path(__file__).resolve().parents[3] / "bench/results/published"


def written(folder: Path, content: object) -> Path:
    path = folder / "curves.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def good() -> dict[str, Any]:
    points = [{"bps": 0.2, "snr": 28, "like_ness": 0.9, "extra": 1}, {"bps": 0.4, "snr": 30.5}]
    return {
        "source": "Somebody 2018",
        "licence": "any",
        "curves": [{"name": "a", "points": points}],
    }


def test_curves_are_what_the_file_says(tmp_path: Path) -> None:
    (curve,) = read_published(written(tmp_path, good()), TONES)
    assert (curve.name, curve.label, curve.source) == ("a", "a (published)", "Somebody 2018")
    first, second = curve.points
    assert (first.rate, first.values) == (0.2, {"snr": 28.0, "like-ness": pytest.approx(10)})
    assert second == PublishedPoint(rate=0.4, values={"snr": 30.5})


def test_a_measure_may_be_spelt_as_on_the_command_line(tmp_path: Path) -> None:
    content = good()
    content["curves"][0]["points"] = [{"bps": 0.2, "like-ness": 0.99}]
    (curve,) = read_published(written(tmp_path, content), TONES)
    assert curve.points[0].values == {"like-ness": pytest.approx(20)}


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (["source"], "", "source is not a line of text: ''"),
        (["source"], "two\nlines", "source is not a line of text"),
        (["curves"], [], "curves is not a list with something in it"),
        (["curves"], {}, "curves is not a list"),
        (["curves", 0], "a", "name is not a line of text: None"),
        (["curves", 0, "name"], 3, "name is not a line of text: 3"),
        (["curves", 0, "points"], None, "points is not a list"),
        (["curves", 0, "points", 1], [0.2, 30], "a point of a: it is [0.2, 30]"),
        (["curves", 0, "points", 1, "bps"], None, "a point of a: bps is None"),
        (["curves", 0, "points", 1, "bps"], 0, "a point of a: bps is 0"),
        (["curves", 0, "points", 1, "bps"], "0.4", "a point of a: bps is '0.4'"),
        (["curves", 0, "points", 1, "bps"], 10**400, "a point of a: bps is 10000"),
        (["curves", 0, "points", 1, "snr"], True, "a point of a: snr is True"),
        (["curves", 0, "points", 1, "snr"], float("nan"), "a point of a: snr is nan"),
        (["curves", 0, "points", 1, "snr"], -1, "a point of a: snr is -1"),
        (["curves", 0, "points", 1, "like_ness"], 1.0, "a point of a: like_ness is 1.0"),
        (["curves", 0, "points", 1, "like_ness"], 12.4, "a point of a: like_ness is 12.4"),
        (["curves", 0, "points", 1, "opinion"], 101, "a point of a: opinion is 101"),
        (["curves", 0, "points", 1, "opinion"], -(10**400), "a point of a: opinion is -1000"),
    ],
)
def test_what_is_not_a_curve_is_refused(
    tmp_path: Path, place: list[Any], value: object, why: str
) -> None:
    content: Any = good()
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(InputError) as caught:
        read_published(written(tmp_path, content), TONES)
    assert "curves.json: " in str(caught.value)
    assert why in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1,", "[" * 100_000, "\x00"])
def test_what_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="not JSON"):
        read_published(written(tmp_path, text), TONES)


def test_other_json_and_large_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="source is not"):
        read_published(written(tmp_path, [1, 2]), TONES)
    with pytest.raises(InputError, match="more than 1048576 bytes"):
        read_published(written(tmp_path, " " * (2**20 + 1)), TONES)
    twice = good()
    twice["curves"] *= 2
    with pytest.raises(InputError, match="a name stands twice among a, a"):
        read_published(written(tmp_path, twice), TONES)


def test_the_curves_that_come_along_are_ordered_as_published() -> None:
    """Anchors of the published comparison, as differences that were computed elsewhere."""
    shipped = read_published(SHIPPED / "compressai.json", find_workshop("picture"))
    curves = {curve.name: curve for curve in shipped}
    assert len(curves) == 4
    for curve in curves.values():
        assert "CompressAI" in curve.source
        rates = [point.rate for point in curve.points]
        assert rates == sorted(set(rates)), curve.name
        for measure in ("psnr", "ms-ssim"):
            values = [point.values[measure] for point in curve.points]
            assert values == sorted(set(values)), (curve.name, measure)

    def difference(name: str, reference: str, measure: str) -> float:
        (rates, values), (other_rates, other_values) = (
            ([p.rate for p in curves[n].points], [p.values[measure] for p in curves[n].points])
            for n in (name, reference)
        )
        result = bd_rate(rates, values, reference_rates=other_rates, reference_values=other_values)
        assert result is not None
        return result.percent

    hyperprior, factorized = "bmshj2018-hyperprior", "bmshj2018-factorized"
    assert -35 < difference(f"{hyperprior}-mse", f"{factorized}-mse", "psnr") < -15
    assert -50 < difference(f"{hyperprior}-ms-ssim", f"{hyperprior}-mse", "ms-ssim") < -30
    assert difference(f"{hyperprior}-ms-ssim", f"{hyperprior}-mse", "psnr") > 50
