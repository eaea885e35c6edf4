"""The peers: real programs, as many samples back, no delay left, packets counted."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.media.sound.measures import MEASURES
from vqcodec.media.sound.peers import PEERS
from vqcodec.media.sound.programs import run
from vqcodec.media.sound.signal import Sound
from vqcodec.media.workshop import Contestant

PROGRAM = {"opus": "opusenc", "codec2": "c2enc", "mp3": "ffmpeg", "aac": "ffmpeg"}
WAVEFORM = ("opus", "mp3", "aac")
MEL = next(measure for measure in MEASURES if measure.name == "mel")


def peer_or_skip(name: str) -> Contestant:
    """A codec whose programs may be missing here."""
    try:
        return PEERS[name]()
    except MissingDependencyError as error:
        pytest.skip(str(error))


def voice(rate: int, seconds: float = 1.5, channels: int = 1) -> Sound:
    """Syllables: bursts of a buzz and of noise, with silence between them."""
    random = np.random.default_rng(6)
    time = np.arange(round(rate * seconds) + 1) / rate
    phase = 2 * np.pi * np.cumsum(110 + 30 * np.sin(2 * np.pi * 0.9 * time)) / rate
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    hiss = random.normal(0, 0.3, time.size)
    loud = np.clip(np.sin(2 * np.pi * 2.7 * time), 0, None) ** 0.5
    rough = np.clip(np.sin(2 * np.pi * 2.7 * time + 2.5) - 0.5, 0, None)
    both = [0.15 * (loud * buzz + rough * hiss), 0.1 * (loud * buzz - rough * hiss)]
    return Sound(np.stack(both[:channels], 1).astype(np.float32), rate)


def lateness(decoded: NDArray[np.float64], original: NDArray[np.float64], most: int) -> int:
    """By how many samples the decoded is late, at the maximum of the cross-correlation."""
    size = 2 * original.size
    a, b = (np.fft.rfft(x - x.mean(), size) for x in (decoded, original))
    correlation = np.fft.irfft(a * b.conj(), size)
    near = np.concatenate([correlation[-most:], correlation[: most + 1]])
    return int(near.argmax()) - most


def loudness(sound: Sound) -> NDArray[np.float64]:
    """Log energy in windows of 10 ms, at every sample."""
    window = sound.rate // 100
    power = np.convolve(np.square(sound.samples[:, 0], dtype=float), np.ones(window) / window)
    return np.log10(power + 1e-6)


@pytest.mark.parametrize("name", WAVEFORM)
@pytest.mark.parametrize("rate", [16000, 24000, 48000])
def test_no_delay_is_left(name: str, rate: int) -> None:
    peer, original = peer_or_skip(name), voice(rate)
    for setting in peer.ladder[-3:]:
        decoded = peer.decode(peer.encode(original, setting))
        late = lateness(
            decoded.samples[:, 0].astype(float), original.samples[:, 0].astype(float), rate // 20
        )
        # What SI-SDR forgives as well.
        assert abs(late) <= rate // 2000


@pytest.mark.parametrize("rate", [8000, 24000])
def test_a_codec_without_a_waveform_is_loud_when_the_original_is(rate: int) -> None:
    peer, original = peer_or_skip("codec2"), voice(rate)
    for setting in peer.ladder:
        decoded = peer.decode(peer.encode(original, setting))
        late = lateness(loudness(decoded), loudness(original), rate // 10)
        assert abs(late) <= rate // 50


@pytest.mark.parametrize("name", PEERS)
def test_files_grow_along_the_ladder_and_sounds_get_better(name: str) -> None:
    peer, original = peer_or_skip(name), voice(24000)
    assert peer.name == name
    assert list(peer.ladder) == sorted(set(peer.ladder))
    files = [peer.encode(original, setting) for setting in (peer.ladder[0], peer.ladder[-1])]
    sizes = [peer.size(data) for data in files]
    assert 0 < sizes[0] < sizes[1]
    assert all(size < len(data) for size, data in zip(sizes, files, strict=True))
    far = [MEL.of(peer.decode(data), original) for data in files]
    assert far[0] > far[1]


@pytest.mark.parametrize(("name", "low", "high"), [("mp3", 16, 48), ("codec2", 1200, 3200)])
def test_settings_are_the_rates_that_are_counted(name: str, low: int, high: int) -> None:
    """Within a frame or two, for codecs of a constant rate."""
    peer, original = peer_or_skip(name), voice(16000, seconds=6)
    for setting in (low, high):
        bits = 8 * peer.size(peer.encode(original, setting)) / original.seconds
        assert bits == pytest.approx(setting * (1 if name == "codec2" else 1000), rel=0.03)


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("length", [1, 171, 4001])
def test_as_many_samples_come_back(name: str, channels: int, length: int) -> None:
    peer = peer_or_skip(name)
    samples = np.random.default_rng(length).normal(0, 0.1, (length, channels))
    original = Sound(samples.astype(np.float32), 24000)
    for setting in (peer.ladder[0], peer.ladder[-1]):
        decoded = peer.decode(peer.encode(original, setting))
        assert (decoded.extent, decoded.channels) == ((length,), channels)
        assert decoded.rate == 24000


@pytest.mark.parametrize("name", WAVEFORM)
def test_channels_stay_apart(name: str) -> None:
    peer, original = peer_or_skip(name), voice(24000, channels=2)
    decoded = peer.decode(peer.encode(original, peer.ladder[-1]))
    a, b = decoded.samples.T, original.samples.T
    same = [float(np.corrcoef(a[c], b[c])[0, 1]) for c in (0, 1)]
    crossed = float(np.corrcoef(a[0], b[1])[0, 1])
    assert min(same) > 0.95
    assert min(same) > crossed


@pytest.mark.parametrize("name", PEERS)
def test_a_missing_program_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    package = {"opus": "opus-tools", "codec2": "codec2"}.get(name, "ffmpeg")
    with pytest.raises(MissingDependencyError, match=f"{PROGRAM[name]}: install {package}"):
        PEERS[name]()


@pytest.mark.parametrize("name", WAVEFORM)
def test_a_program_that_fails_says_why(name: str) -> None:
    peer = peer_or_skip(name)
    facts = peer.encode(voice(24000), peer.ladder[0])[:13]
    with pytest.raises(InputError, match=r"failed with .* and said"):
        peer.decode(facts + b"nothing of the kind")


def test_programs_are_run_without_a_shell() -> None:
    python = [sys.executable, "-c"]
    shout = "import sys; sys.stdout.write(sys.argv[1] + sys.stdin.read())"
    assert run([*python, shout, "$HOME; "], b"as it is") == b"$HOME; as it is"
    with pytest.raises(InputError, match=r"failed with 3 and said the last line$"):
        run([*python, "import sys; sys.stderr.write('one\\nthe last line\\n'); sys.exit(3)"], b"")


def test_versions_are_those_that_the_programs_tell() -> None:
    peer = peer_or_skip("opus")
    told = subprocess.run(["opusenc", "--version"], capture_output=True, text=True, check=True)
    assert peer.version in told.stdout + told.stderr
    assert "opus" in peer.version
