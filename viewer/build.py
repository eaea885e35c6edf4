"""Builds the viewer: a page that decodes pictures in the browser, and the models beside it.

    python viewer/build.py -o viewer/dist

The folder can be put on any static host, or its `index.html` be opened as a file. Needs clang, lld
and libc++ for wasm32, and esbuild; in Debian:

    apt-get install clang lld libc++-dev-wasm32 libclang-rt-dev-wasm32 esbuild
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors import safe_open
from safetensors.numpy import save

from vqcodec.model.catalog import locate_model
from vqcodec.model.file import read_card

HERE = Path(__file__).resolve().parent
MODELS = ("photo", "photo-psnr")
# What only an encoder needs, and the fingerprint leaves out.
_ENCODERS = ("analysis.", "search.")


class MissingToolError(Exception):
    """A program that the build needs is not installed."""


def find_compiler() -> list[str]:
    """The newest clang++ that has the C and C++ library for wasm32, as the start of a command.

    Raises:
        MissingToolError: there is none.
    """
    found = sorted(glob.glob("/usr/lib/llvm-*/bin/clang++"), key=_version, reverse=True)
    for compiler in found:
        llvm = Path(compiler).parents[1]
        library = sorted(glob.glob(f"{llvm}/lib/wasm32-wasi/libc++.a"))
        headers = [
            place
            for place in (llvm / "include/wasm32-wasi/c++/v1", llvm / "include/c++/v1")
            if (place / "vector").exists()
        ]
        if library and headers and (llvm / "bin/wasm-ld").exists():
            return [compiler]
    raise MissingToolError(
        "needs clang, lld and libc++ for wasm32: apt-get install clang lld libc++-dev-wasm32 "
        "libclang-rt-dev-wasm32"
    )


def find_bundler() -> str:
    """The path of esbuild. Raises: MissingToolError if there is none."""
    found = shutil.which("esbuild")
    if found is None:
        raise MissingToolError("needs esbuild: apt-get install esbuild, or npm install -g esbuild")
    return found


def build_module(target: Path) -> None:
    """Compile the decoders to WebAssembly with SIMD."""
    sources = sorted((HERE / "csrc").glob("*.cpp"))
    flags = [
        *("--target=wasm32-wasi", "-mexec-model=reactor", "-msimd128", "-std=c++17", "-O3"),
        *("-fexceptions", "-fno-threadsafe-statics", "-fvisibility=hidden", "-Wall", "-Wextra"),
        *("-Wl,--export-dynamic", "-Wl,--gc-sections", "-Wl,--strip-all"),
    ]
    _run([*find_compiler(), *flags, *map(str, sources), "-o", str(target)])


def build_page(target: Path, module: Path, models: list[dict[str, object]]) -> None:
    """Write the page with all its parts in it."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(module, work / "decoder.wasm")
        (work / "models.json").write_text(json.dumps(models))
        _bundle("worker.js", work / "worker.txt", work)
        _bundle("page.js", work / "page.txt", work)
        page = (HERE / "src/page.html").read_text("utf-8")
        style = (HERE / "src/style.css").read_text("utf-8")
        page = page.replace("/* style */", style)
        page = page.replace("/* script */", (work / "page.txt").read_text("utf-8"))
    target.write_text(page, "utf-8")


def strip_model(name: str, folder: Path) -> dict[str, object]:
    """Write what decoding needs of a model, under its own fingerprint; what the page says of it."""
    path = locate_model(name)
    card = read_card(path)
    with safe_open(path, framework="numpy") as file:
        names = [key for key in file.keys() if not key.startswith(_ENCODERS)]  # noqa: SIM118
        tensors = {key: file.get_tensor(key) for key in names}
        facts = file.metadata()
    target = folder / f"{card.name}-{card.fingerprint}.safetensors"
    target.write_bytes(save(tensors, facts))
    return {
        "name": card.name,
        "fingerprint": card.fingerprint,
        "file": f"{folder.name}/{target.name}",
        "bytes": target.stat().st_size,
    }


def build(folder: Path, models: list[str]) -> None:
    """Build all of it into a folder."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    entries = [strip_model(name, folder / "models") for name in models]
    with tempfile.TemporaryDirectory() as work:
        module = Path(work) / "decoder.wasm"
        build_module(module)
        build_page(folder / "index.html", module, entries)


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the viewer.")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "dist", help="folder to fill")
    parser.add_argument(
        "--models", default=",".join(MODELS), help="names or files of models, with commas"
    )
    parser.add_argument("--module", type=Path, help="write the WebAssembly module alone")
    args = parser.parse_args()
    try:
        if args.module:
            build_module(args.module)
        else:
            find_bundler()
            build(args.output, [name for name in args.models.split(",") if name])
    except MissingToolError as error:
        print(f"viewer: {error}", file=sys.stderr)
        return 4
    print(args.module or args.output)
    return 0


def _bundle(name: str, target: Path, work: Path) -> None:
    _run(
        [
            *(find_bundler(), str(HERE / "src" / name), "--bundle", "--minify", "--charset=utf8"),
            *("--format=iife", "--loader:.wasm=binary", "--loader:.txt=text"),
            f"--outfile={target}",
            *("--log-level=warning", "--target=es2022"),
        ],
        path=work,
    )


def _run(command: list[str], path: Path | None = None) -> None:
    """Run a program; what it says goes to stderr. path: where bare names are imported from."""
    environment = dict(os.environ) if path is None else {**os.environ, "NODE_PATH": str(path)}
    subprocess.run(command, check=True, env=environment)


def _version(path: str) -> int:
    return int("".join(filter(str.isdigit, path.split("/llvm-")[1].split("/")[0])) or 0)


if __name__ == "__main__":
    sys.exit(main())
