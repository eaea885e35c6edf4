"""A codec in other processes: started anew, forked, and as the workers of torch's DataLoader.

Each case runs in a process of its own with two threads of torch, as a user has: a fork that waits
for threads that it lacks would stand still there, and is ended by an alarm.
"""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.codec import Codec
from vqcodec.errors import BadModelError, UnknownModelError

Pixels = NDArray[np.uint8]

START = """
import multiprocessing, os, signal, sys, threading
import numpy as np, torch, vqcodec
from vqcodec.errors import BackendError

def work(codec, data):
    return codec.encode(codec.decode(data), quality=30)

def load_and_work(path, data):
    return work(vqcodec.load(path, device="cpu"), data)

def in_a_thread(work):
    made = []
    thread = threading.Thread(target=lambda: made.append(work()))
    thread.start()
    thread.join()
    return made[0]

class Decoded(torch.utils.data.Dataset):
    def __init__(self, codec, streams):
        self.codec, self.streams = codec, streams
    def __len__(self):
        return len(self.streams)
    def __getitem__(self, index):
        return torch.from_numpy(self.codec.decode(self.streams[index]))

def forked(work):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # what waits in vain is not to outlive the test
        os._exit(0 if work() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

if __name__ == "__main__":
    torch.set_num_threads(2)
    path = sys.argv[1]
    pixels = np.random.default_rng(0).integers(0, 256, (200, 333, 3)).astype(np.uint8)
"""
LOADED = """
    codec = vqcodec.load(path, device="cpu")
    data = codec.encode(pixels, quality=40)
    expected = work(codec, data)
"""
CASES = {
    "spawn": LOADED
    + """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(load_and_work, (path, data)) == expected
        assert pool.apply(work, (codec, data)) == expected
""",
    "workers": LOADED
    + """
    streams = [codec.encode(pixels, quality=quality) for quality in (0, 20, 40)]
    for how in ("fork", "spawn"):
        loader = torch.utils.data.DataLoader(
            Decoded(codec, streams), num_workers=2, batch_size=None, multiprocessing_context=how
        )
        for decoded, stream in zip(loader, streams, strict=True):
            assert (decoded.numpy() == codec.decode(stream)).all()
""",
    "fork": LOADED
    + """
    def child():
        return work(codec, data) == expected and torch.get_num_threads() == 1
    assert forked(child) == 0
    assert forked(lambda: forked(child) == 0) == 0
    assert torch.get_num_threads() == 2
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.starmap(work, [(codec, data)] * 3) == [expected] * 3

    # Threads that are asked for all the same are refused, but for a thread that is new.
    def child():
        torch.set_num_threads(2)
        for call in (lambda: codec.decode(data), lambda: vqcodec.load(path, device="cpu")):
            try:
                call()
            except BackendError as error:
                assert "set_num_threads(1)" in str(error)
            else:
                return False
        made = in_a_thread(lambda: work(codec, data))
        torch.set_num_threads(1)
        return work(codec, data) == made == expected
    assert forked(child) == 0
""",
    "nothing to lose": """
    # No threads were there before the fork, so none is missing: nothing is refused or changed.
    def child():
        codec = vqcodec.load(path, device="cpu")
        return bool(codec.encode(pixels)) and torch.get_num_threads() == 2
    assert forked(child) == 0

    codec = in_a_thread(lambda: vqcodec.load(path, device="cpu"))
    expected = in_a_thread(lambda: codec.encode(pixels))
    def child():
        return codec.encode(pixels) == expected and torch.get_num_threads() == 2
    assert forked(child) == 0

    torch.set_num_threads(1)
    assert codec.encode(pixels) == expected
    def child():
        torch.set_num_threads(2)
        return codec.encode(pixels) == expected
    assert forked(child) == 0
""",
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_codec_works_in_other_processes(case: str, tiny_path: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(START + CASES[case] + '    print("done")\n')
    done = subprocess.run(
        [sys.executable, script, tiny_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_a_pickle_holds_a_path_and_no_weights(codec: Codec, photo: Pixels) -> None:
    text = pickle.dumps(codec)
    assert len(text) < 1000
    for again in (pickle.loads(text), copy.copy(codec), copy.deepcopy(codec)):
        assert again.device == codec.device
        assert again.encode(photo) == codec.encode(photo)


def test_a_pickle_of_another_model_is_refused(
    codec: Codec, tiny_path: Path, tmp_path: Path
) -> None:
    """A file that was replaced meanwhile must not decode to something else, unnoticed."""
    from vqcodec import find_model, load

    path = tmp_path / "a.safetensors"
    path.write_bytes(tiny_path.read_bytes())
    text = pickle.dumps(load(path, device="cpu"))
    path.write_bytes(find_model("photo").path.read_bytes())
    with pytest.raises(BadModelError, match=rf"now, it was {codec.card.fingerprint}"):
        pickle.loads(text)
    path.unlink()
    with pytest.raises(UnknownModelError):
        pickle.loads(text)
