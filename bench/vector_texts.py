"""Sentences of English from texts that packages of Debian ship, for bench/vector_embeddings.py.

    apt-get install wordnet-base perl-doc
    python -m bench.vector_texts WORDNET PERL -o sentences.txt

WORDNET: the folder of WordNet's data.noun and its like (/usr/share/wordnet; WordNet's licence):
definitions and examples. PERL: that of perl's pod pages (/usr/share/perl, a version; Artistic or
GPL). Each sentence once, 5 to 60 words, in an order that is mixed and always the
same.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


def of_wordnet(folder: Path) -> Iterator[str]:
    """Definitions of the senses of words, and what stands in quotes behind them."""
    for path in sorted(folder.glob("data.*")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(" ") or "|" not in line:
                continue
            gloss = line.partition("|")[2].strip()
            yield from re.findall(r'"([^"]+)"', gloss)
            yield re.sub(r'"[^"]*"', "", gloss).strip(" ;")


def of_pod(folder: Path) -> Iterator[str]:
    """Paragraphs of plain text in pod, without its marks."""
    for path in sorted(folder.rglob("*.pod")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for paragraph in re.split(r"\n\s*\n", text):
            if paragraph[:1] in ("=", " ", "\t", "\n", ""):
                continue
            for _ in range(4):
                paragraph = re.sub(r"[A-Z]<+\s?([^<>]*?)\s?>+", r"\1", paragraph)
            yield from _ENDS.split(" ".join(paragraph.split()))


def is_sentence(text: str) -> bool:
    """5 to 60 words, of which most of the text consists."""
    words = _WORD.findall(text)
    return 5 <= len(words) <= 60 and sum(map(len, words)) > 0.7 * len(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("wordnet", "perl"):
        parser.add_argument(name, type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    sources = {
        "wordnet": of_wordnet(args.wordnet),
        "perl": of_pod(args.perl),
    }
    kept: dict[str, str] = {}
    for name, texts in sources.items():
        before = len(kept)
        for text in texts:
            if is_sentence(text):
                kept.setdefault(hashlib.sha256(text.lower().encode()).hexdigest(), text)
        print(f"{name}: {len(kept) - before} sentences")
    lines = [kept[key].replace("\n", " ") for key in sorted(kept)]
    args.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
