"""Fields in memory: which there are, and what stands where values are missing."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.grid import whole
from vqcodec.media.field.chunks import DTYPES
from vqcodec.media.field.medium import MEDIUM
from vqcodec.media.field.signal import Field


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_is_taken_as_it_is(dtype: str) -> None:
    values = np.arange(35).reshape(5, 7).astype(dtype)
    field = MEDIUM.wrap(values)
    assert field.values is values
    assert (field.extent, field.channels, field.missing) == ((5, 7), 1, None)
    found = field.filled((slice(1, 3), slice(2, 7)))
    assert found.dtype == np.float32
    assert np.array_equal(found, np.arange(35).reshape(1, 5, 7)[:, 1:3, 2:])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros(4, np.float32), r"\(4,\)"),
        (np.zeros((2, 2, 2, 2), np.float32), r"\(2, 2, 2, 2\)"),
        (np.zeros((0, 3), np.float32), r"\(0, 3\)"),
        (np.zeros((257, 1, 1), np.uint8), "257"),
        (np.zeros((3, 3), np.complex64), "complex64"),
        (np.zeros((3, 3), np.int64), "int64"),
        (np.zeros((3, 3), bool), "bool"),
        (np.zeros((3, 3), object), "object"),
        (np.ma.masked_array(np.zeros((3, 3)), mask=True), "masked"),
        (np.array([[1.0, np.inf]]), "inf"),
        (np.array([[1.0, -np.inf]], np.float16), "inf"),
        (np.array([[1.0, 1e39]]), "1e"),
    ],
)
def test_what_is_no_field_is_refused_by_its_value(values: NDArray[Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Field(values)


@pytest.mark.parametrize("thing", [None, "text", 5, [[1.0, 2.0]]])
def test_what_is_no_array_is_refused(thing: Any) -> None:
    with pytest.raises(InputError, match="field"):
        MEDIUM.wrap(thing)


def test_what_is_missing_is_filled_with_the_mean_of_the_rest() -> None:
    values = np.array([[[1, np.nan, 3]], [[np.nan, np.nan, np.nan]]], np.float32)
    field = Field(values)
    nothing = [np.nan] * 3
    np.testing.assert_array_equal(field.filled(whole(field.extent)), [[[1, 2, 3]], [nothing]])
    assert field.missing is not None
    assert np.array_equal(field.missing, np.isnan(values))


def test_a_torch_tensor_is_a_field() -> None:
    import torch

    half = MEDIUM.wrap(torch.ones(2, 3, dtype=torch.bfloat16))
    assert (half.extent, half.values.dtype.name) == ((2, 3), "float32")

    field = MEDIUM.wrap(torch.ones(3, 4, 5, requires_grad=True))
    assert (field.channels, field.extent, field.values.dtype.name) == (3, (4, 5), "float32")


def test_a_matrix_is_a_field() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        matrix = np.matrix([[1.0, 2.0]])
    assert MEDIUM.wrap(matrix).planes.shape == (1, 1, 2)


def test_sizes_are_said_with_channels_where_there_are_several() -> None:
    assert MEDIUM.size_text((4, 5), 3) == "3 x 4 x 5"
    assert MEDIUM.size_text((4, 5), 1) == MEDIUM.size_text((4, 5)) == "4 x 5"
