"""Files appear whole or not at all, and reads take no more than they may."""

import errno
import mmap
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from vqcodec.content import content_of
from vqcodec.errors import InputError
from vqcodec.files import read_bounded, whole_file, write_whole

OLD, NEW = b"old" * 1000, b"new" * 2000


def test_new_file_has_the_bytes_and_the_usual_rights(tmp_path: Path) -> None:
    path = tmp_path / "a.vqc"
    mask = os.umask(0o027)
    try:
        write_whole(path, NEW)
    finally:
        os.umask(mask)
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.vqc"]


def test_older_file_is_replaced_and_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "a.vqc"
    path.write_bytes(OLD)
    path.chmod(0o604)
    write_whole(path, NEW)
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_other_hard_links_keep_the_old_content(tmp_path: Path) -> None:
    path, other = tmp_path / "a.vqc", tmp_path / "b.vqc"
    path.write_bytes(OLD)
    os.link(path, other)
    write_whole(path, NEW)
    assert (path.read_bytes(), other.read_bytes()) == (NEW, OLD)


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/a.vqc")
    for content in (OLD, NEW):  # a new target, then one that is there
        write_whole(tmp_path / "link", content)
        assert (tmp_path / "real/a.vqc").read_bytes() == content
    assert (tmp_path / "link").is_symlink()
    assert os.listdir(tmp_path / "real") == ["a.vqc"]


def test_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_whole(path, NEW)
    assert path.read_bytes() == NEW


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
        write_whole(path, NEW)
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["a.vqc"]


def test_content_is_on_the_disk_before_it_has_the_name_and_the_name_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    sync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append(os.fstat(descriptor).st_ino)
        sync(descriptor)

    def replaced(source: Path, target: str) -> None:
        done.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_whole(tmp_path / "a.vqc", NEW)
    assert done == [(tmp_path / "a.vqc").stat().st_ino, "replace", tmp_path.stat().st_ino]


def test_folder_that_cannot_be_flushed_has_the_file_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some network file systems, and where a folder may be written but not read."""
    sync = os.fsync

    def synced(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    write_whole(tmp_path / "a.vqc", NEW)
    assert (tmp_path / "a.vqc").read_bytes() == NEW
    assert os.listdir(tmp_path) == ["a.vqc"]


@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt])
def test_block_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "a.vqc"
    path.write_bytes(OLD)

    def fail() -> None:
        with whole_file(path) as partial:
            assert partial.parent == tmp_path
            partial.write_bytes(NEW)
            raise failure

    with pytest.raises(failure):
        fail()
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["a.vqc"]


def test_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a.vqc"):
        pass
    assert os.listdir(tmp_path) == []


def test_devices_are_written_and_stay_devices() -> None:
    before = os.stat(os.devnull)
    write_whole(Path(os.devnull), NEW)
    assert os.stat(os.devnull).st_rdev == before.st_rdev


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_device_is_an_error() -> None:
    with pytest.raises(OSError, match="No space") as caught:
        write_whole(Path("/dev/full"), NEW)
    assert caught.value.errno == errno.ENOSPC


def test_pipe_by_name_gets_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_whole(path, NEW)
    reader.join()
    assert read == [NEW]


def test_many_writers_of_one_file_leave_one_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "a.vqc"
    contents = [bytes([number]) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write_whole, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert os.listdir(tmp_path) == ["a.vqc"]


def test_bounded_read_gives_what_is_allowed_and_refuses_more(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(NEW)
    for limit in (len(NEW), len(NEW) + 1):
        assert read_bounded(path, limit, "numbers") == NEW
    with pytest.raises(InputError, match=rf"a\.json: more than {len(NEW) - 1} bytes of numbers"):
        read_bounded(path, len(NEW) - 1, "numbers")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero here")
def test_bounded_read_ends_where_the_file_does_not() -> None:
    with pytest.raises(InputError, match="more than 1000 bytes"):
        read_bounded("/dev/zero", 1000, "zeros")


def test_bounded_read_of_what_is_not_there_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bounded(tmp_path / "missing", 10, "anything")


def test_old_leftovers_of_killed_processes_are_removed_and_nothing_else(tmp_path: Path) -> None:
    ours, young = (tmp_path / f".vqcodec-{digit * 16}.tmp" for digit in "0a")
    others = [".vqcodec-notes.tmp", f".vqcodec-{'0' * 16}.tmp.png", f"vqcodec-{'0' * 16}.tmp"]
    hours_ago = time.time() - 2 * 3600
    for path in (ours, young, *(tmp_path / name for name in others)):
        path.write_bytes(OLD)
        if path != young:
            os.utime(path, (hours_ago, hours_ago))
    (tmp_path / f".vqcodec-{'b' * 16}.tmp").mkdir()
    os.utime(tmp_path / f".vqcodec-{'b' * 16}.tmp", (hours_ago, hours_ago))
    write_whole(tmp_path / "a.vqc", NEW)
    left = {young.name, *others, "a.vqc", f".vqcodec-{'b' * 16}.tmp"}
    assert set(os.listdir(tmp_path)) == left


def test_what_cannot_be_written_is_named_as_it_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "a.bin"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, b"data")
    assert caught.value.filename == str(path)


def test_a_memory_map_is_read_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"all of it")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for _ in range(2):
            with content_of(mapped) as view:
                assert bytes(view) == b"all of it"
