"""Outputs: what is refused before the work, and a command that is stopped in the middle."""

import io
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from vqcodec_cli.failure import RefusedError
from vqcodec_cli.output import check_output, write_file, write_stdout

OLD, NEW = b"old" * 1000, b"new" * 2000


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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(RefusedError, match="not writable"):
            check_output(tmp_path / "a.vqc", force=False)
    finally:
        tmp_path.chmod(0o755)


def test_devices_are_there_already_and_written_all_the_same() -> None:
    before = os.stat(os.devnull)
    write_file(Path(os.devnull), NEW, force=False)
    assert os.stat(os.devnull).st_rdev == before.st_rdev


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
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
            assert os.listdir(tmp_path) == ["a.vqc"]


def test_hang_up_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As under nohup."""
    path = tmp_path / "a.vqc"
    quiet = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); {WRITE_FOREVER}"
    process = subprocess.Popen(
        [sys.executable, "-c", quiet, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    assert process.poll() is None
    process.terminate()
    process.communicate()
    assert process.returncode == -signal.SIGTERM


def test_standard_output_that_takes_a_part_at_a_time_gets_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a pipe does, and a disk that fills up, where output is not buffered."""

    class Slow(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(data[:7])

    class Out:
        buffer = Slow()

    monkeypatch.setattr("sys.stdout", Out)
    write_stdout(bytes(range(100)))
    assert Out.buffer.getvalue() == bytes(range(100))
