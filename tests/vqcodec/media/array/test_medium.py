"""What every medium keeps, as far as it needs no model; the command on arrays."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vqcodec
from vqcodec.bitstream import Limits
from vqcodec.errors import BadModelError, InputError, LimitError
from vqcodec.media.array.medium import MEDIUM as ARRAYS
from vqcodec.media.array.signal import Array
from vqcodec.media.registry import find_coder, find_medium, find_workshop, medium_of

MEDIUM: Any = ARRAYS


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    values = np.add.outer(np.sin(np.arange(40) / 7), np.arange(50) / 30).astype(np.float32)
    np.save("field.npy", values)
    return values


def test_it_is_found_and_has_a_coder_and_no_models() -> None:
    assert find_medium("array") is MEDIUM
    assert find_coder(MEDIUM) is not None
    assert find_coder(find_medium("picture")) is None
    with pytest.raises(BadModelError, match="no models"):
        find_workshop("array")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">i2", "?", "<c16"])
def test_files_are_read_as_they_were_written(tmp_path: Path, order: Any, dtype: str) -> None:
    values = np.asarray(np.arange(35).reshape(5, 7) % 11, dtype, order=order)
    np.save(tmp_path / "a.npy", values)
    data = (tmp_path / "a.npy").read_bytes()
    assert medium_of(data) is MEDIUM
    read = MEDIUM.read(data, Limits())
    np.testing.assert_array_equal(read.values, values)
    np.testing.assert_array_equal(
        MEDIUM.read(MEDIUM.write(read, format="npy"), Limits()).values, values
    )
    opened = MEDIUM.open(str(tmp_path / "a.npy"), Limits())
    assert opened is not None
    assert isinstance(opened.values, np.memmap)
    with pytest.raises(LimitError):
        MEDIUM.read(data, Limits(max_samples=34))
    with pytest.raises(LimitError):
        MEDIUM.open(str(tmp_path / "a.npy"), Limits(max_samples=34))
    for cut in (data[:9], data[:60], data[:-1], data + b"\0"):
        with pytest.raises(InputError):
            MEDIUM.read(cut, Limits())


def test_files_of_objects_are_refused(tmp_path: Path) -> None:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"cos\nsystem\n"
    with pytest.raises(InputError):
        MEDIUM.read(data, Limits())
    (tmp_path / "a.npy").write_bytes(data)
    assert MEDIUM.open(str(tmp_path / "a.npy"), Limits()) is None


def test_the_face(field: Any, tmp_path: Path) -> None:
    data = vqcodec.encode_array("field.npy", max_error=0.01)
    assert vqcodec.encode_array(field, max_error=0.01) == data
    np.testing.assert_array_equal(vqcodec.decode(data), vqcodec.decode_array(data))
    vqcodec.decode_file(data, tmp_path / "back.npy", region=(slice(3), slice(4)))
    np.testing.assert_array_equal(np.load("back.npy"), vqcodec.decode_array(data)[:3, :4])
    info = vqcodec.inspect(data)
    assert (info.medium, info.prior, info.extent) == (
        "array",
        "bounded",
        {"axis_0": 40, "axis_1": 50},
    )
    assert info.facts["reached"] <= info.facts["bound"] == 0.01
    assert Array(np.zeros(())).extent == (1,)


def test_no_torch_is_loaded(field: Any) -> None:
    code = (
        "import sys, numpy, vqcodec; from vqcodec_cli.main import main\n"
        "for line in (['encode', 'field.npy', '--max-error', '0.01'], ['info', 'field.vqc'],\n"
        "    ['decode', 'field.vqc', '-o', 'b.npy'], "
        "['verify', 'field.vqc', '--against', 'field.npy']):\n"
        "    assert main(line) == 0, line\n"
        "vqcodec.decode_array('field.vqc')\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
