"""Published curves: what is read, what is refused, and the ones that come along."""

import json
from pathlib import Path
from typing import Any

import pytest

from vqcodec.errors import InputError
from vqcodec.evaluation import PublishedPoint, bd_rate, read_published

SHIPPED = Path(__file__).resolve().parents[3] / "bench/results/published"


def written(folder: Path, content: object) -> Path:
    path = folder / "curves.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def good() -> dict[str, Any]:
    points = [{"bpp": 0.2, "psnr": 28, "ms_ssim": 0.9, "extra": 1}, {"bpp": 0.4, "psnr": 30.5}]
    return {
        "source": "Somebody 2018",
        "licence": "any",
        "curves": [{"name": "a", "points": points}],
    }


def test_curves_are_what_the_file_says(tmp_path: Path) -> None:
    (curve,) = read_published(written(tmp_path, good()))
    assert (curve.name, curve.label, curve.source) == ("a", "a (published)", "Somebody 2018")
    assert curve.points == (
        PublishedPoint(bpp=0.2, psnr=28.0, ms_ssim=0.9),
        PublishedPoint(bpp=0.4, psnr=30.5),
    )
    assert curve.points[0].ms_ssim_db == pytest.approx(10)
    assert curve.points[1].ms_ssim_db is None


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
        (["curves", 0, "points", 1], [0.2, 30], "a point of a has no bpp"),
        (["curves", 0, "points", 1, "bpp"], None, "a point of a has no bpp"),
        (["curves", 0, "points", 1, "bpp"], 0, "a point of a has bpp 0"),
        (["curves", 0, "points", 1, "bpp"], "0.4", "a point of a has bpp '0.4'"),
        (["curves", 0, "points", 1, "psnr"], True, "a point of a has psnr True"),
        (["curves", 0, "points", 1, "psnr"], float("nan"), "a point of a has psnr nan"),
        (["curves", 0, "points", 1, "ms_ssim"], 1.0, "a point of a has ms_ssim 1.0"),
        (["curves", 0, "points", 1, "ms_ssim"], 12.4, "a point of a has ms_ssim 12.4"),
        (["curves", 0, "points", 1, "ssimulacra2"], 101, "a point of a has ssimulacra2 101"),
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
        read_published(written(tmp_path, content))
    assert "curves.json: " in str(caught.value)
    assert why in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1,", "[" * 100_000, "\x00"])
def test_what_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="not JSON"):
        read_published(written(tmp_path, text))


def test_other_json_and_large_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="source is not"):
        read_published(written(tmp_path, [1, 2]))
    with pytest.raises(InputError, match="more than 1048576 bytes"):
        read_published(written(tmp_path, " " * (2**20 + 1)))
    twice = good()
    twice["curves"] *= 2
    with pytest.raises(InputError, match="a name stands twice among a, a"):
        read_published(written(tmp_path, twice))


def test_the_curves_that_come_along_are_ordered_as_published() -> None:
    """Anchors of the published comparison, as differences that were computed elsewhere."""
    curves = {curve.name: curve for curve in read_published(SHIPPED / "compressai.json")}
    assert len(curves) == 4
    for curve in curves.values():
        assert "CompressAI" in curve.source
        for field in ("bpp", "psnr", "ms_ssim"):
            values = [getattr(point, field) for point in curve.points]
            assert values == sorted(set(values)), (curve.name, field)

    def difference(name: str, reference: str, field: str) -> float:
        a, b = ([(p.bpp, getattr(p, field)) for p in curves[n].points] for n in (name, reference))
        result = bd_rate(
            *map(list, zip(*a, strict=True)),
            reference_rates=[rate for rate, _ in b],
            reference_values=[value for _, value in b],
        )
        assert result is not None
        return result.percent

    hyperprior, factorized = "bmshj2018-hyperprior", "bmshj2018-factorized"
    assert -35 < difference(f"{hyperprior}-mse", f"{factorized}-mse", "psnr") < -15
    assert -50 < difference(f"{hyperprior}-ms-ssim", f"{hyperprior}-mse", "ms_ssim_db") < -30
    assert difference(f"{hyperprior}-ms-ssim", f"{hyperprior}-mse", "psnr") > 50
