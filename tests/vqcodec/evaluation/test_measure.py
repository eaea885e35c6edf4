"""Measuring codecs: real bytes, honest averages, and no word about any medium."""

import dataclasses
import math

import numpy as np
import pytest
from tones import LIKENESS, OPINION, RATE, SNR, TONES, Tone, coarse, error, likeness, tones

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.evaluation import evaluate, find_measures, find_peer, match_size, measure
from vqcodec.media.workshop import Contestant

BOTH = (SNR, LIKENESS)


def test_a_measurement_is_of_the_bytes_and_of_what_they_decode_to() -> None:
    codec = coarse()
    name, tone = tones()[0]
    row = measure(codec, 3, name=name, signal=tone, rate=RATE, measures=BOTH)
    data = codec.encode(tone, 3)
    assert (row.signal, row.size, row.rate) == (name, len(data), 8 * len(data) / 171)
    decoded = codec.decode(data)
    assert row.values == {
        "snr": pytest.approx(-10 * math.log10(error(decoded, tone))),
        "like-ness": likeness(decoded, tone),
    }


def test_only_the_bytes_that_count_are_counted() -> None:
    codec = dataclasses.replace(coarse(), size=lambda data: len(data) - 7, counted="codes")
    name, tone = tones()[0]
    row = measure(codec, 3, name=name, signal=tone, rate=RATE, measures=BOTH)
    size = len(codec.encode(tone, 3)) - 7
    assert (row.size, row.rate) == (size, 8 * size / 171)
    data = codec.encode(tone, 4)
    assert match_size(codec, tone, len(data) - 7, lowest=1, highest=5) == (4, data)


def test_means_are_of_the_values_of_each_signal() -> None:
    points = evaluate(coarse(), tones(), rate=RATE, measures=BOTH)
    assert [point.setting for point in points] == [1, 3, 5]
    for point in points:
        rows = point.signals
        assert [row.signal for row in rows] == ["t1.raw", "t2.raw"]
        assert point.rate == pytest.approx(np.mean([row.rate for row in rows]))
        assert point.values["snr"] == pytest.approx(np.mean([row.values["snr"] for row in rows]))
        plain = [row.values["like-ness"] for row in rows]
        assert point.values["like-ness"] == pytest.approx(-10 * np.log10(1 - np.mean(plain)))
        # Decibels of a mean are less than the mean of decibels.
        assert point.values["like-ness"] < np.mean(-10 * np.log10(1 - np.array(plain)))


def test_only_what_was_asked_for_is_measured() -> None:
    for point in evaluate(coarse(), tones(), rate=RATE, measures=[SNR]):
        assert point.values.keys() == {"snr"}
        assert all(row.values.keys() == {"snr"} for row in point.signals)


def test_a_signal_too_small_for_a_measure_has_no_number_in_it_but_counts() -> None:
    tone = Tone(np.full(49, 15, np.uint8))
    (point, *_) = evaluate(coarse(), [("short", tone)], rate=RATE, measures=BOTH)
    (row,) = point.signals
    assert math.isnan(row.values["like-ness"])
    assert math.isnan(point.values["like-ness"])
    # Of seven low bits that are lost, the middle stands in: 64 for 15.
    assert row.values["snr"] == pytest.approx(20 * math.log10(255 / 49))


def test_every_measurement_is_reported() -> None:
    calls: list[int] = []
    evaluate(coarse(), tones(), rate=RATE, measures=BOTH, report=lambda: calls.append(1))
    assert len(calls) == 3 * 2


def test_no_signals_is_an_error() -> None:
    with pytest.raises(InputError, match="no signals"):
        evaluate(coarse(), [], rate=RATE, measures=BOTH)


def test_measures_are_found_by_name_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_measures(TONES, ["like-ness", "snr", "snr"]) == BOTH
    assert find_measures(TONES) == BOTH
    with pytest.raises(InputError, match="no such measure: psnr; there are snr, like-ness, opin"):
        find_measures(TONES, ["snr", "psnr"])
    with pytest.raises(InputError, match="none"):
        find_measures(TONES, [])
    with pytest.raises(MissingDependencyError, match="OPINION needs ears: pip install"):
        find_measures(TONES, ["opinion"])
    monkeypatch.setattr("vqcodec.evaluation.lookup.find_spec", lambda name: name == "ears")
    assert find_measures(TONES, ["opinion"]) == (OPINION,)


def test_peers_are_found_by_name() -> None:
    assert find_peer(TONES, "other").name == "other"
    with pytest.raises(InputError, match="no codec 'bpg' to compare with; there are coarse, other"):
        find_peer(TONES, "bpg")


@pytest.mark.parametrize("limit", [0, 1500, 1501, 4321, 10**9])
def test_match_size_is_the_largest_that_fits(limit: int) -> None:
    peer = Contestant(
        name="x",
        version="",
        settings="",
        ladder=(),
        encode=lambda _, quality: bytes(int(1000 + 5 * quality**2)),
        decode=len,
    )
    quality, data = match_size(peer, None, limit)
    fitting = [q for q in range(101) if 1000 + 5 * q**2 <= limit]
    assert quality == max(fitting, default=0)
    assert len(data) == 1000 + 5 * quality**2
