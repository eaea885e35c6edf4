import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import vqcodec_kernels
from vqcodec_kernels.errors import BackendError, InvalidInputError
from vqcodec_kernels.search import custom_ops, reference
from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search.backend import find_operator
from vqcodec_kernels.search.level import LEVELS

X, CODEBOOK, BIAS = torch.randn(6, 4), torch.randn(5, 4), torch.rand(5)
BOOKS, CODES = torch.randn(3, 5, 4), torch.randint(5, (6,))

CALLS: dict[str, tuple[Any, ...]] = {
    "nearest_code": (X, CODEBOOK, BIAS, True, None),
    "nearest_code_fast": (X, CODEBOOK, BIAS, None),
    "nearest_codes": (X, CODEBOOK, BIAS, 3, None),
    "residual_codes": (X, BOOKS, None, 2, None),
    "beam_codes": (X, BOOKS, BIAS, 3, None),
    "quantize_vectors": (X, CODEBOOK, BIAS, None),
    "code_statistics": (X, CODES, 5, None),
}

# What is wrong, the call, and what the message must show.
BAD_CALLS: list[tuple[str, Callable[[], object], str]] = [
    ("dtype", lambda: vqcodec_kernels.nearest_code(X.double(), CODEBOOK), "float64"),
    ("codebook dtype", lambda: vqcodec_kernels.nearest_code(X, CODEBOOK.long()), "int64"),
    ("k", lambda: vqcodec_kernels.nearest_code(X, CODEBOOK, k=2.0), "a whole number in .* got 2.0"),  # type: ignore[call-overload]
    ("stages", lambda: vqcodec_kernels.residual_codes(X, BOOKS, stages=2.0), "stages .* got 2.0"),  # type: ignore[call-overload]
    ("stages as bool", lambda: vqcodec_kernels.residual_codes(X, BOOKS, stages=True), "got True"),
    ("beams", lambda: vqcodec_kernels.beam_codes(X, BOOKS, beams=2.5), "beams .* got 2.5"),  # type: ignore[arg-type]
    ("codebook_size", lambda: vqcodec_kernels.code_statistics(X, CODES, 5.0), "K .* got 5.0"),  # type: ignore[arg-type]
    (
        "codebook_axes",
        lambda: vqcodec_kernels.code_statistics(X[None], CODES[None], 5, codebook_axes=1.0),  # type: ignore[arg-type]
        "codebook_axes .* got 1.0",
    ),
    ("not a tensor", lambda: vqcodec_kernels.nearest_code([[1.0]], CODEBOOK), "list"),  # type: ignore[call-overload]
    ("rank", lambda: vqcodec_kernels.nearest_code(X[0], CODEBOOK), r"\(4,\)"),
    ("D", lambda: vqcodec_kernels.nearest_code(X, CODEBOOK[:, :3]), r"\(6, 4\) and \(5, 3\)"),
    ("D = 0", lambda: vqcodec_kernels.nearest_code(X[:, :0], CODEBOOK[:, :0]), r"\(6, 0\)"),
    (
        "D too large",
        lambda: vqcodec_kernels.nearest_code(torch.ones(1, 1025), torch.ones(1, 1025)),
        "1025",
    ),
    ("K = 0", lambda: vqcodec_kernels.nearest_code(X, CODEBOOK[:0]), "got 0"),
    (
        "K too large",
        lambda: vqcodec_kernels.nearest_code(X, torch.ones(1, 4).expand(2**20 + 1, 4)),
        "1048577",
    ),
    ("batch", lambda: vqcodec_kernels.nearest_code(X, BOOKS), r"\(6, 4\).*\(3, 5, 4\)"),
    ("bias shape", lambda: vqcodec_kernels.nearest_code(X, CODEBOOK, BIAS[:2]), r"\(2,\)"),
    ("bias NaN", lambda: vqcodec_kernels.nearest_code(X, CODEBOOK, BIAS * torch.nan), "nan"),
    ("device", lambda: vqcodec_kernels.nearest_code(X, CODEBOOK.to("meta")), "meta"),
    ("backend", lambda: vqcodec_kernels.nearest_code(X, CODEBOOK, backend="numpy"), "numpy"),
    ("stages", lambda: vqcodec_kernels.residual_codes(X, BOOKS, stages=4), r"\[0, 3\], got 4"),
    ("books rank", lambda: vqcodec_kernels.residual_codes(X, CODEBOOK), r"\(5, 4\)"),
    ("biases shape", lambda: vqcodec_kernels.residual_codes(X, BOOKS, BIAS[:1]), r"\(1,\)"),
    ("codes dtype", lambda: vqcodec_kernels.code_statistics(X, CODES.int(), 5), "int32"),
    ("codes shape", lambda: vqcodec_kernels.code_statistics(X, CODES[:2], 5), r"\(2,\)"),
]


@pytest.mark.parametrize(
    ("call", "shown"), [bad[1:] for bad in BAD_CALLS], ids=[bad[0] for bad in BAD_CALLS]
)
def test_bad_arguments_are_named(call: Callable[[], object], shown: str) -> None:
    with pytest.raises(InvalidInputError, match=shown):
        call()


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("where", ["x", "codebook"])
@pytest.mark.parametrize(
    "operator",
    [
        vqcodec_kernels.nearest_code,
        vqcodec_kernels.nearest_code_fast,
        vqcodec_kernels.quantize_vectors,
    ],
)
def test_values_that_are_not_finite(
    operator: Callable[..., object], where: str, value: float, backend: str
) -> None:
    arguments = {"x": torch.randn(700, 20), "codebook": torch.randn(130, 20)}
    arguments[where][97, 13] = value
    with pytest.raises(InvalidInputError, match=f"{where} must be finite, got {value}.*97"):
        operator(**arguments, backend=backend)


def test_the_first_bad_row_is_named_whatever_the_threads() -> None:
    x = torch.randn(9000, 16)
    x[[8000, 513], 3] = torch.nan
    for threads in (1, 4):
        with pytest.raises(InvalidInputError, match="row 513"):
            native_search.nearest_code(x, torch.randn(64, 16), threads=threads)


def test_a_missing_backend_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match="'meta'"):
        find_operator("nearest_code", "native", torch.device("meta"))
    monkeypatch.setenv("VQCODEC_CPU_LEVEL", "sse9")
    with pytest.raises(BackendError, match="sse9"):
        vqcodec_kernels.nearest_code(X, CODEBOOK)


def test_level_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = reference.nearest_code(X, CODEBOOK)
    for level in LEVELS:
        monkeypatch.setenv("VQCODEC_CPU_LEVEL", level)
        assert torch.equal(vqcodec_kernels.nearest_code(X, CODEBOOK), expected)


@pytest.mark.parametrize("name", custom_ops.OPERATORS)
def test_opcheck(name: str) -> None:
    arguments = tuple(
        value.clone().requires_grad_()
        if name == "quantize_vectors" and isinstance(value, torch.Tensor)
        else value
        for value in CALLS[name]
    )
    operator = getattr(torch.ops.vqcodec, name).default
    results = torch.library.opcheck(operator, arguments)
    assert set(results.values()) == {"SUCCESS"}


@pytest.mark.parametrize("name", custom_ops.OPERATORS)
def test_fake_tensors_have_the_real_shapes(name: str) -> None:
    operator = getattr(torch.ops.vqcodec, name)
    real = operator(*CALLS[name])
    with FakeTensorMode() as mode:
        fake = operator(
            *(mode.from_tensor(v) if isinstance(v, torch.Tensor) else v for v in CALLS[name])
        )
    if isinstance(real, torch.Tensor):
        real, fake = (real,), (fake,)
    assert [(f.shape, f.dtype) for f in fake] == [(r.shape, r.dtype) for r in real]


def test_compiles_as_one_graph() -> None:
    def step(x: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
        result = vqcodec_kernels.quantize_vectors(x * 2, codebook)
        codes = vqcodec_kernels.nearest_code(result.values, codebook)
        return result.squared_error.mean() + (codes != result.codes).sum()

    compiled = torch.compile(step, fullgraph=True, backend="aot_eager", dynamic=True)
    for rows in (6, 9):
        x = torch.randn(rows, 4, requires_grad=True)
        loss = compiled(x, CODEBOOK)
        assert torch.equal(loss, step(x, CODEBOOK))
        (found,) = torch.autograd.grad(loss, x)
        (expected,) = torch.autograd.grad(step(x, CODEBOOK), x)
        assert torch.equal(found, expected)


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, vqcodec_kernels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_public_face_is_complete() -> None:
    for name in vqcodec_kernels.__all__:
        assert getattr(vqcodec_kernels, name).__name__ == name
    assert vqcodec_kernels.__all__ == sorted(vqcodec_kernels.__all__)
    with pytest.raises(AttributeError, match="furthest_code"):
        vqcodec_kernels.furthest_code  # noqa: B018
