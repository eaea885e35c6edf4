"""Ray Data on this machine: two actors, hundreds of pictures, runs that are taken up again.

Ray runs in a process of its own, with its own threads and warnings, and is stopped there.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.codec import Codec
from vqcodec.errors import InputError, MissingDependencyError, UnknownModelError
from vqcodec.ray import encode_dataset, encode_files

Pixels = NDArray[np.uint8]

COUNT = 500
BAD = "in/d/bad.png"

SCRIPT = """
import json, os, sys
import ray, ray.data
from vqcodec.ray import encode_dataset, encode_files

model, temporary = sys.argv[1:]
ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
         object_store_memory=2**27, _temp_dir=temporary)
ray.data.DataContext.get_current().enable_progress_bars = False
options = {"actors": 2, "batch_size": 32, "model": model, "quality": 30}
found = {}

found["failed"] = encode_files("in", "out", manifest="m.parquet", **options)
os.rename("m.parquet", "first.parquet")
os.unlink("out/007.png.vqc")
os.unlink("out/d/008.png.vqc")
found["again"] = encode_files("in", "out", manifest="m.parquet", **options)

pictures = ray.data.read_binary_files(["in/000.png", "in/003.png", "in/d/bad.png"],
                                      include_paths=True)
rows = encode_dataset(pictures, **options).take_all()
found["rows"] = [{**row, "stream": row["stream"] and row["stream"].hex()} for row in rows]
ray.shutdown()
print(json.dumps(found))
"""


DEADLY = """
import json, os, sys
import ray, ray.data, vqcodec.ray

model, temporary, here = sys.argv[1], sys.argv[2], os.getcwd()

class Deadly(vqcodec.ray._EncodeFiles):
    # Dies of 05 once, and of 09 each time.
    def __call__(self, table):
        names = " ".join(table["input"].to_pylist())
        once = not os.path.exists(here + "/died")
        if "05.png" in names and once:
            open(here + "/died", "w").close()
        if ("05.png" in names and once) or "09.png" in names:
            os._exit(3)
        return super().__call__(table)

vqcodec.ray._EncodeFiles = Deadly
ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
         object_store_memory=2**27, _temp_dir=temporary)
ray.data.DataContext.get_current().enable_progress_bars = False
failed = vqcodec.ray.encode_files(here + "/in", here + "/out", manifest=here + "/m.parquet",
                                  actors=2, batch_size=4, model=model)
ray.shutdown()
print(json.dumps(failed))
"""


def run_ray(script: str, model: Path) -> Any:
    """What a script prints last, which has Ray to itself."""
    variables = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    # A socket's name has no room for the folders of a test.
    with tempfile.TemporaryDirectory(prefix="ray-") as temporary:
        done = subprocess.run(
            [sys.executable, "-c", script, str(model), temporary],
            env={**os.environ, **variables, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def folder(tmp_path: Path, photo: Pixels, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures of different sizes in two folders, and a file that is none."""
    monkeypatch.chdir(tmp_path)
    os.makedirs("in/d")
    for number in range(COUNT - 1):
        place = "in/d" if number % 3 == 2 else "in"
        rows, columns = 8 + number % 31, 8 + number % 23
        part = photo[number % 100 :, number % 150 :][:rows, :columns]
        Image.fromarray(part).save(f"{place}/{number:03}.png")
    Path(BAD).write_bytes(b"no picture")
    Path("in/notes.txt").write_text("no picture either")
    return tmp_path


def rows(path: str) -> list[dict[str, Any]]:
    parquet = pytest.importorskip("pyarrow.parquet")
    found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_two_actors_encode_what_one_codec_does(codec: Codec, tiny_path: Path) -> None:
    pytest.importorskip("ray")
    found = run_ray(SCRIPT, tiny_path)
    assert (found["failed"], found["again"]) == (1, 1)

    first, again = rows("first.parquet"), rows("m.parquet")
    assert len(first) == COUNT
    assert [row["input"] for row in first] == sorted(row["input"] for row in first)
    for row in first:
        if row["input"] == BAD:
            assert row["error"].startswith("not a picture")
            assert (row["output"], row["bytes"], row["sha256"]) == (
                "out/d/bad.png.vqc",
                None,
                None,
            )
            continue
        stream = Path(row["output"]).read_bytes()
        assert row["output"] == f"out/{row['input'].removeprefix('in/')}.vqc"
        assert stream == codec.encode(row["input"], quality=30)
        assert (row["bytes"], row["error"]) == (len(stream), None)
        assert row["sha256"] == hashlib.sha256(stream).hexdigest()

    # Rows of the first run that was not there to be taken up: what can be known of a file.
    assert [row["sha256"] for row in again] == [row["sha256"] for row in first]
    timed = {row["input"] for row in again if row["seconds"] is not None}
    assert timed == {"in/007.png", "in/d/008.png"}

    streams = {Path(row["path"]).name: row for row in found["rows"]}
    assert streams["000.png"]["stream"] == codec.encode("in/000.png", quality=30).hex()
    assert (streams["bad.png"]["stream"], streams["003.png"]["error"]) == (None, None)
    assert streams["bad.png"]["error"] == next(r for r in first if r["input"] == BAD)["error"]


@pytest.mark.slow
def test_an_actor_that_dies_keeps_no_other_file(
    codec: Codec, tiny_path: Path, photo: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that dies once is given its batch again; a batch that none survives has errors."""
    pytest.importorskip("ray")
    monkeypatch.chdir(tmp_path)
    os.mkdir("in")
    for number in range(12):
        Image.fromarray(photo[number : number + 20, :30]).save(f"in/{number:02}.png")
    failed = run_ray(DEADLY, tiny_path)
    found = rows("m.parquet")
    assert [Path(row["input"]).name for row in found] == [f"{n:02}.png" for n in range(12)]
    assert Path("died").exists()
    # Ray may lose an actor for reasons of its own on a busy machine: a file is whole or an error.
    done = [row for row in found if row["error"] is None]
    for row in done:
        assert Path(row["output"]).read_bytes() == codec.encode(row["input"])
    for row in found:
        if row["error"] is not None:
            assert "died each time" in row["error"]
            assert row["bytes"] is None
    assert all(row["error"] is not None for row in found[8:])
    assert 4 <= failed == 12 - len(done)
    assert done
    assert sorted(os.listdir("out")) == [Path(row["output"]).name for row in done]


def test_wrong_calls_are_refused_before_a_cluster_is_asked(tmp_path: Path, folder: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="without files that a medium reads"):
        encode_files(empty, "out", manifest="m.parquet")
    with pytest.raises(UnknownModelError):
        encode_files("in", "out", manifest="m.parquet", model="nowhere")
    assert not Path("out").exists()
    wrong: list[dict[str, Any]] = [{"actors": 0}, {"batch_size": 1.5}]
    for options in wrong:
        with pytest.raises(InputError, match=f"{next(iter(options))} must be a whole number"):
            encode_dataset(None, **options)
        with pytest.raises(InputError, match=f"{next(iter(options))} must be a whole number"):
            encode_files("in", "out", manifest="m.parquet", **options)


def test_without_ray_it_says_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tiny_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vqcodec\[ray\]'"):
        encode_files("in", "out", manifest="m.parquet", model=tiny_path)
