"""Taking over what an earlier run measured: only what would come out the same."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tones import LIKENESS, OPINION, RATE, SNR, Tone, coarse, tones

from vqcodec.errors import InputError
from vqcodec.evaluation import Point, Results, as_json, evaluate, read_earlier
from vqcodec.media.workshop import Contestant, Measure

CIRCUMSTANCES = {
    "machine": {"processor": "Analytical Engine"},
    "versions": {},
    "commit": None,
    "date": "1843-10-01",
}


@pytest.fixture
def content() -> dict[str, Any]:
    """What as_json wrote of two codecs, one of them a model of this project."""
    both = (coarse(), coarse("vqcodec photo-1"))
    curves = {c.name: evaluate(c, tones(), rate=RATE, measures=(SNR, LIKENESS)) for c in both}
    results = Results(
        title="2 tones", rate=RATE, measures=(SNR, LIKENESS), contestants=both, curves=curves
    )
    loaded: dict[str, Any] = json.loads(as_json(results, circumstances=CIRCUMSTANCES))
    return loaded


def found(
    folder: Path,
    content: object,
    *,
    contestant: Contestant | None = None,
    signals: list[tuple[str, Tone]] | None = None,
    measures: tuple[Measure, ...] = (SNR, LIKENESS),
) -> dict[str, tuple[Contestant, list[Point]]]:
    path = folder / "results.json"
    path.write_text(json.dumps(content))
    return read_earlier(
        path,
        [contestant or coarse(), coarse("vqcodec photo-1")],
        signals=signals or tones(),
        rate=RATE,
        measures=measures,
    )


def test_what_was_written_is_read_and_says_where_it_is_from(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    # The encoder of a model changes while its name stays, so it is measured anew.
    ((name, (codec, points)),) = found(tmp_path, content).items()
    assert name == "coarse"
    assert codec.measured == CIRCUMSTANCES
    measured = evaluate(coarse(), tones(), rate=RATE, measures=(SNR, LIKENESS))
    assert [(p.setting, p.rate, p.values) for p in points] == [
        (p.setting, p.rate, p.values) for p in measured
    ]
    assert [[(s.signal, s.size, s.values) for s in p.signals] for p in points] == [
        [(s.signal, s.size, s.values) for s in p.signals] for p in measured
    ]


def test_taken_over_twice_it_keeps_where_it_is_from(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    content["codecs"][0]["measured"] = CIRCUMSTANCES | {"date": "1842-01-01"}
    (codec, _) = found(tmp_path, content)["coarse"]
    assert codec.measured is not None
    assert codec.measured["date"] == "1842-01-01"


def test_a_value_that_was_not_finite_is_none_but_was_measured(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    content["points"][0]["values"]["snr"] = None
    (_, points) = found(tmp_path, content)["coarse"]
    assert math.isnan(points[0].values["snr"])


def other_lengths() -> list[tuple[str, Tone]]:
    return [(name, Tone(tone.samples[:-1])) for name, tone in tones()]


@pytest.mark.parametrize(
    "other",
    [
        {"signals": [*tones(), ("more", Tone(np.zeros(60, np.uint8)))]},
        {"signals": other_lengths()},
        {"signals": [("another", tones()[0][1]), tones()[1]]},
        {"measures": (SNR, OPINION)},
        {"contestant": Contestant(**{**vars(coarse()), "settings": "cooked"})},
        {"contestant": Contestant(**{**vars(coarse()), "ladder": (1, 3)})},
        {"contestant": Contestant(**{**vars(coarse()), "name": "unheard of"})},
    ],
    ids=["more signals", "lengths", "names", "measures", "settings", "ladder", "codec"],
)
def test_what_something_else_gave_is_not_taken(
    tmp_path: Path, content: dict[str, Any], other: dict[str, Any]
) -> None:
    assert found(tmp_path, content, **other) == {}


def test_results_of_another_medium_are_not_taken(tmp_path: Path, content: dict[str, Any]) -> None:
    content["rate"]["unit"] = "kbps"
    assert found(tmp_path, content) == {}


@pytest.mark.parametrize(
    "content", [[], {}, 3, None, {"codecs": 3}, {"rate": "8 x bytes / pixels", "codecs": []}]
)
def test_what_is_no_result_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(InputError, match=r"results\.json: not the results of vqcodec eval"):
        found(tmp_path, content)


def spoil(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["points"][2]["signals"][1].__setitem__(key, value)


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        (spoil("size", "1"), "size is '1'"),
        (spoil("size", True), "size is True"),
        (spoil("size", 10**400), "size is 1000"),
        (spoil("rate", 0), "rate is 0"),
        (spoil("rate", None), "rate is None"),
        (spoil("encode_seconds", float("nan")), "encode_seconds is nan"),
        (spoil("values", {"snr": "27"}), "snr is '27'"),
        (spoil("values", [27]), "list"),
        (lambda content: content.pop("machine"), "machine"),
        (lambda content: content["machine"].pop("processor"), "processor is not a line of text"),
        (lambda content: content["points"][0].pop("signals"), "signals"),
        (lambda content: content["codecs"][0].__setitem__("version", 3), "version is not a line"),
    ],
)
def test_numbers_that_are_none_are_refused(
    tmp_path: Path,
    content: dict[str, Any],
    spoiled: Callable[[dict[str, Any]], None],
    why: str,
) -> None:
    spoiled(content)
    with pytest.raises(InputError, match="not the results of vqcodec eval") as caught:
        found(tmp_path, content)
    assert why in str(caught.value)
