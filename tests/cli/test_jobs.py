"""Many files: several processes, runs that are taken up again, manifests, interruptions."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

RunCli = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("tiny_model")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pixels: NDArray[np.uint8]) -> None:
    """Five pictures of different sizes in two folders, one of which is cut."""
    monkeypatch.chdir(tmp_path)
    Path("in/sub").mkdir(parents=True)
    for number, name in enumerate(["a", "b", "c", "sub/d", "sub/e"]):
        Image.fromarray(pixels[: 37 - 5 * number]).save(f"in/{name}.png")
    whole = Path("in/c.png").read_bytes()
    Path("in/c.png").write_bytes(whole[:-30])


def tree(folder: str) -> dict[str, bytes]:
    """All files below a folder, with what they hold."""
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def rows(path: str) -> list[dict[str, Any]]:
    if path.endswith(".jsonl"):
        return [json.loads(line) for line in Path(path).read_text("ascii").splitlines()]
    parquet = pytest.importorskip("pyarrow.parquet")
    found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return found


def test_several_processes_do_what_one_does(run_cli: RunCli) -> None:
    encode = ("encode", "in", "-m", "tiny", "--json")
    one = run_cli(*encode, "-o", "one")
    two = run_cli(*encode, "-o", "two", "--jobs", 2)
    assert (one.code, two.code) == (1, 1)
    assert one.err == two.err
    assert len(tree("one")) == 4
    assert tree("one") == tree("two")
    names = [json.loads(line)["input"] for line in two.out.splitlines()]
    assert names == [json.loads(line)["input"] for line in one.out.splitlines()]
    Path("two/b.vqc").write_bytes(b"no stream")
    back = run_cli("decode", "two", "-o", "back", "--jobs", 3)
    assert (back.code, back.err.splitlines()[-1]) == (1, "vqcodec: 1 of 4 files failed")
    assert [line.split(":")[0] for line in back.out.splitlines()] == [
        f"back/{name}.png" for name in ("a", "sub/d", "sub/e")
    ]
    run_cli("decode", "one", "-o", "alone")
    assert tree("back") == {name: data for name, data in tree("alone").items() if name != "b.png"}


@pytest.mark.parametrize(("name", "jobs"), [("m.jsonl", 1), ("made/m.jsonl", 2), ("m.parquet", 1)])
def test_a_manifest_has_a_row_for_every_file(run_cli: RunCli, name: str, jobs: int) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    run_cli("encode", "in", "-m", "tiny", "-o", "out", "--manifest", name, "--jobs", jobs)
    found = rows(name)
    names = ["a", "b", "c", "sub/d", "sub/e"]
    assert [row["input"] for row in found] == [f"in/{name}.png" for name in names]
    assert [row["output"] for row in found] == [f"out/{name}.vqc" for name in names]
    assert all(set(row) == set(found[0]) for row in found)
    bad = found.pop(2)
    assert "damaged or cut" in bad["error"]
    assert (bad["exit_code"], bad["bytes"], bad["sha256"], bad["bpp"]) == (1, None, None, None)
    for row in found:
        data = Path(row["output"]).read_bytes()
        assert (row["bytes"], row["error"]) == (len(data), None)
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["bpp"] == 8 * len(data) / (row["height"] * row["width"])
        assert row["seconds"] > 0


def test_decoding_has_a_manifest_too(run_cli: RunCli) -> None:
    run_cli("encode", "in/a.png", "-m", "tiny", "-o", "a.vqc")
    run_cli("decode", "a.vqc", "-o", "a.png", "--manifest", "m.jsonl")
    (row,) = rows("m.jsonl")
    data = Path("a.png").read_bytes()
    assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(("name", "jobs"), [("m.jsonl", 2), ("m.parquet", 1)])
def test_a_run_is_taken_up_again(
    run_cli: RunCli, name: str, jobs: int, pixels: NDArray[np.uint8]
) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    encode = ("encode", "in", "-m", "tiny", "-o", "out", "--manifest", name)
    assert run_cli(*encode).code == 1
    first = rows(name)
    os.unlink("out/sub/d.vqc")
    Path("out/b.vqc").write_bytes(b"of another run")
    Image.fromarray(pixels).save("in/c.png")
    assert run_cli(*encode).code == 4  # the manifest exists already
    again = run_cli(*encode, "--skip-existing", "--jobs", jobs)
    assert (again.code, again.err) == (0, "")
    assert [
        line.split(": ")[1] == "exists already, skipped" for line in again.out.splitlines()
    ] == [
        *(True, True, False),
        *(False, True),
    ]
    second = rows(name)
    assert [row["input"] for row in second] == [row["input"] for row in first]
    # What the first run wrote down is kept, unless the file is another one now.
    assert (second[0]["seconds"], second[0]["bpp"]) == (first[0]["seconds"], first[0]["bpp"])
    assert [row["skipped"] for row in second] == [True, True, None, None, True]
    assert (second[1]["bytes"], second[1]["seconds"]) == (14, None)
    assert second[3]["sha256"] == first[3]["sha256"]
    assert all(row["error"] is None for row in second)


def test_what_is_there_is_skipped_without_a_manifest_too(run_cli: RunCli) -> None:
    run_cli("encode", "in/a.png", "-m", "tiny", "-o", "x.vqc")
    run_cli("decode", "x.vqc", "-o", "x.png")
    Path("x.png").write_bytes(b"")
    again = run_cli("decode", "x.vqc", "-o", "x.png", "--skip-existing", "--json")
    assert json.loads(again.out) == {"input": "x.vqc", "output": "x.png", "skipped": True}
    assert Path("x.png").read_bytes() == b""


def test_times_are_kept(run_cli: RunCli) -> None:
    os.utime("in/a.png", ns=(10**18 + 1, 10**18 + 7))
    for command, name, output in (("encode", "in/a.png", "a.vqc"), ("decode", "a.vqc", "a.png")):
        options = ["-m", "tiny"] if command == "encode" else []
        assert run_cli(command, name, *options, "-o", output, "--keep-times").code == 0
        assert os.stat(output).st_mtime_ns == 10**18 + 7
    assert run_cli("encode", "in/b.png", "-m", "tiny", "-o", "b.vqc").code == 0
    assert abs(os.stat("b.vqc").st_mtime - time.time()) < 3600


REFUSED = {
    "other suffix": (2, ["--manifest", "m.csv"], ".jsonl or .parquet"),
    "an output": (2, ["--manifest", "x.jsonl", "-o", "x.jsonl"], "is an input or output"),
    "exists": (4, ["--manifest", "old.jsonl"], "exists already"),
    "a folder": (4, ["--manifest", "in.jsonl"], "is a folder"),
    "below a file": (4, ["--manifest", "old.jsonl/m.jsonl"], "ot a director"),
    "no manifest": (4, ["--manifest", "old.jsonl", "--skip-existing"], "is no manifest"),
    "force and skip": (2, ["-f", "--skip-existing"], "give one of them"),
    "times of stdout": (2, ["-o", "-", "--keep-times"], "--keep-times needs files"),
    "no threads": (2, ["--threads", "0"], "--threads: 0 is not 1 or more"),
    "half a thread": (2, ["--threads", "0.5"], "0.5 is not a whole number"),
    "too many threads": (2, ["--threads", "100000"], "100000 is more than 1,024"),
    "no jobs": (2, ["--jobs", "0"], "--jobs: 0 is not 1 or more"),
    "fewer than none": (2, ["--jobs", "-2"], "--jobs: -2 is not 1 or more"),
}


@pytest.mark.parametrize(("code", "options", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_before_the_work(
    run_cli: RunCli, code: int, options: list[str], says: str
) -> None:
    Path("old.jsonl").write_text("not what it says\n")
    Path("in.jsonl").mkdir()
    before = tree(".")
    outcome = run_cli("encode", "in/a.png", "-m", "tiny", *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1)
    assert says in outcome.err
    assert tree(".") == before


def test_parquet_without_its_package_is_refused(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    outcome = run_cli("encode", "in", "-m", "tiny", "-o", "out", "--manifest", "m.parquet")
    assert outcome.code == 4
    assert "pip install 'vqcodec[parquet]'" in outcome.err
    assert not Path("out").exists()


def test_the_output_folder_inside_the_input_is_no_input(run_cli: RunCli) -> None:
    os.unlink("in/c.png")
    encode = ("encode", "in", "-m", "tiny", "-o", "in/out")
    assert run_cli(*encode).err == ""
    shutil.copy("in/a.png", "in/out/sub/x.png")
    again = run_cli(*encode, "-f")
    assert (again.code, again.out.count("\n")) == (0, 4)
    assert again.err == "vqcodec: in/out: is the output folder: 1 of its files are no input\n"
    assert not Path("in/out/out").exists()
    # One folder for both is none inside the other: outputs stand beside their inputs.
    assert run_cli("encode", "in/sub", "-m", "tiny", "-o", "in/sub").code == 0
    assert Path("in/sub/d.vqc").exists()


def is_gone(group: int) -> bool:
    """Whether nothing of a group of processes is left; what tracks their resources goes last."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(os.name != "posix", reason="needs groups of processes")
@pytest.mark.parametrize(
    ("number", "to_all"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, True)],
    ids=["ctrl-c", "kill", "hang-up"],
)
def test_a_signal_ends_all_and_what_was_done_is_written_down(
    pixels: NDArray[np.uint8], number: signal.Signals, to_all: bool
) -> None:
    for index in range(300):
        Image.fromarray(np.roll(pixels, index, axis=1)).save(f"in/{index:03}.png")
    reset = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = f"{reset}from vqcodec_cli.main import main; main()"
    options = ["-o", "out", "-m", "tiny", "--jobs", "2", "--manifest", "m.jsonl"]
    process = subprocess.Popen(
        [sys.executable, "-c", command, "encode", "in", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while len(list(Path("out").glob("*.vqc"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert process.poll() is None
    os.killpg(process.pid, number) if to_all else process.send_signal(number)
    _, said = process.communicate(timeout=300)
    assert process.returncode == -number
    told = re.fullmatch(rb"vqcodec: interrupted: (\d+) of 305 files done\n", said)
    assert told, said
    assert is_gone(process.pid)
    done = tree("out")
    assert 5 <= len(done) < 304
    assert [name for name in done if not name.endswith(".vqc")] == []
    written = {row["output"] for row in rows("m.jsonl") if row["error"] is None}
    assert written <= {f"out/{name}" for name in done}
    assert int(told[1]) == len(written)
    # Each process may have written one more whose outcome had not been taken.
    assert len(done) - len(written) <= 2
