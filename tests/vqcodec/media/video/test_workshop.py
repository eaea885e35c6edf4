"""Videos as evaluation sees them: what is read, drawn and played."""

from __future__ import annotations

import base64
import io

import av
import numpy as np
import pytest
from clips import make_video
from PIL import Image

from vqcodec.errors import InputError
from vqcodec.media.video.colour import to_rgb
from vqcodec.media.video.workshop import WORKSHOP
from vqcodec.media.video.y4m import Y4mWriter


def test_a_file_is_read_whole_and_stays_as_it_is() -> None:
    video, file = make_video(5, 33, 47), io.BytesIO()
    writer = Y4mWriter(file, video.facts)
    for frame in video:
        writer.write(frame)
    read = WORKSHOP.read(file.getvalue())
    assert read.extent == (5, 33, 47)
    assert not read.drawn_once
    assert WORKSHOP.rate.of(100, read) == pytest.approx(800 / (5 * 33 * 47))
    assert WORKSHOP.measures[0].of(read, video) == np.inf


def test_panels_show_the_middle_and_the_end() -> None:
    one, two = make_video(9, 20, 30), make_video(9, 20, 30)
    drawn = np.asarray(Image.open(io.BytesIO(WORKSHOP.draw([("a", one), ("b", two)]))))
    frames = [np.moveaxis(to_rgb(frame, one.facts), 0, -1) for frame in one]
    wanted = np.concatenate([frames[4], frames[7]])
    assert np.array_equal(drawn[-40:, :30], wanted)
    assert np.array_equal(drawn[-40:, -30:], wanted)
    with pytest.raises(InputError, match="panels of one extent"):
        WORKSHOP.draw([("a", one), ("b", make_video(8, 20, 30))])
    with pytest.raises(InputError, match="panels of one extent"):
        WORKSHOP.draw([])


def test_a_page_plays_the_video() -> None:
    shown = WORKSHOP.exhibit(make_video(5, 32, 48))
    begin, end = shown.index("base64,") + len("base64,"), shown.index('"></video>')
    with av.open(io.BytesIO(base64.b64decode(shown[begin:end]))) as container:
        assert len(list(container.decode(video=0))) == 5
