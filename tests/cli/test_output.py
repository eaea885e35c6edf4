"""Outputs appear whole or not at all."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vqcodec_cli.failure import RefusedError
from vqcodec_cli.output import check_output, write_file

OLD, NEW = b"old" * 1000, b"new" * 2000


def leftovers(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".vqcodec-")]


def test_new_file_has_the_bytes_and_the_usual_rights(tmp_path: Path) -> None:
    path = tmp_path / "a.vqc"
    mask = os.umask(0o027)
    try:
        write_file(path, NEW, force=False)
    finally:
        os.umask(mask)
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.vqc"]


def test_existing_file_is_kept_without_force_and_replaced_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.vqc"
    path.write_bytes(OLD)
    path.chmod(0o604)
    with pytest.raises(RefusedError, match="exists already"):
        write_file(path, NEW, force=False)
    assert path.read_bytes() == OLD
    write_file(path, NEW, force=True)
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_other_hard_links_keep_the_old_content(tmp_path: Path) -> None:
    path, other = tmp_path / "a.vqc", tmp_path / "b.vqc"
    path.write_bytes(OLD)
    os.link(path, other)
    write_file(path, NEW, force=True)
    assert (path.read_bytes(), other.read_bytes()) == (NEW, OLD)


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/a.vqc")
    write_file(tmp_path / "link", OLD, force=False)
    assert (tmp_path / "real/a.vqc").read_bytes() == OLD
    write_file(tmp_path / "link", NEW, force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/a.vqc").read_bytes() == NEW


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing/a.vqc", "no folder"),
        ("file/a.vqc", "[Nn]ot a directory"),
        ("folder", "is a folder"),
        ("x" * 256, "File name too long"),
        ("loop", "symbolic links"),
    ],
)
def test_impossible_output_is_refused_before_the_work(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match=why):
        check_output(tmp_path / name, force=True)


def test_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_file(path, NEW, force=False)
    assert path.read_bytes() == NEW


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(RefusedError, match="not writable"):
            check_output(tmp_path / "a.vqc", force=False)
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failing_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.vqc"
    path.write_bytes(OLD)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space"):
        write_file(path, NEW, force=True)
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["a.vqc"]


def test_devices_are_written_and_stay_devices() -> None:
    before = os.stat(os.devnull)
    write_file(Path(os.devnull), NEW, force=False)
    assert os.stat(os.devnull).st_rdev == before.st_rdev


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_device_is_an_error() -> None:
    with pytest.raises(OSError, match="No space") as caught:
        write_file(Path("/dev/full"), NEW, force=False)
    assert caught.value.errno == errno.ENOSPC


def test_pipe_by_name_gets_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_file(path, NEW, force=False)
    reader.join()
    assert read == [NEW]


def test_many_writers_of_one_file_leave_one_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "a.vqc"
    contents = [bytes([number]) * 100_000 for number in range(8)]
    threads = [
        threading.Thread(target=write_file, args=(path, content), kwargs={"force": True})
        for content in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert os.listdir(tmp_path) == ["a.vqc"]


WRITE_FOREVER = """
import signal
import sys
from pathlib import Path
from vqcodec_cli.main import main
import vqcodec_cli.main as command
from vqcodec_cli.output import write_file

def run(_):
    print("ready", flush=True)
    while True:
        write_file(Path(sys.argv[1]), b"new" * 400_000, force=True)

# Children of a shell's background job inherit that it ignores this one.
signal.signal(signal.SIGINT, signal.default_int_handler)
command.run = run
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signal_in_the_middle_of_a_write_leaves_a_whole_file(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "a.vqc"
    old, new = b"old" * 400_000, b"new" * 400_000
    for delay in (0.0, 0.011, 0.023, 0.037):
        path.write_bytes(old)
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOREVER, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(number)
        _, said = process.communicate()
        assert process.returncode == -number
        assert said == b""
        assert path.read_bytes() in (old, new)
        if number != signal.SIGKILL:
            assert leftovers(tmp_path) == []
