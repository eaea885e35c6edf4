"""Peers are whole codecs: their packets decode, grow with quality, and are all that counts."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import make_video

from vqcodec.media.video.measures import psnr_of_frames
from vqcodec.media.video.peers import PEERS, make_peer
from vqcodec.media.video.signal import Facts

VARYING = Facts(time_base=Fraction(1, 1000), matrix=6)


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 97)])
def test_packets_are_the_video(name: str, height: int, width: int) -> None:
    peer = PEERS[name]()
    video = make_video(5, height, width, facts=VARYING, ticks=[0, 40, 90, 91, 500])
    sizes, quality = [], []
    for setting in (peer.ladder[0], peer.ladder[-1]):
        data = peer.encode(video, setting)
        decoded = peer.decode(data)
        assert [frame.time for frame in decoded] == [frame.time for frame in video]
        assert decoded.extent == video.extent
        assert decoded.facts == video.facts
        sizes.append(peer.size(data))
        quality.append(psnr_of_frames(decoded, video))
        assert 0 < len(data) - sizes[-1] < 60
    assert sizes[0] < sizes[1]
    assert 15 < quality[0] < quality[1]
    assert quality[1] > 35


def test_sizes_are_those_of_a_decoder_that_sees_nothing_else() -> None:
    """The bytes that count, one behind the other, are a stream of H.264 that FFmpeg plays."""
    peer = make_peer("x264")
    video = make_video(4, 64, 96)
    data = peer.encode(video, 30)
    context = av.CodecContext.create("h264", "r")
    packets = context.parse(data[-peer.size(data) :]) + context.parse(None)
    frames = [frame for packet in [*packets, None] for frame in context.decode(packet)]
    assert len(frames) == 4
    assert b"x264" not in data
    luma = np.frombuffer(frames[2].planes[0], np.uint8).reshape(64, -1)[:, :96]
    assert np.array_equal(luma, [*peer.decode(data)][2].y)


def test_key_frames_come_as_often_as_is_asked() -> None:
    video = make_video(30, 64, 96)
    sizes = [
        peer.size(peer.encode(video, 30))
        for peer in (make_peer("x264", keyframe_seconds=s) for s in (None, 1.0, 0.1))
    ]
    assert sizes[0] < sizes[1] < sizes[2]
    assert "key frames every 2 s" in make_peer("x264").settings
