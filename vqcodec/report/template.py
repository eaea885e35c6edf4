"""The frame of a page, with everything in it that it needs: no network is asked for anything."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import Any

__all__ = ["as_data", "fill_page", "table"]


def fill_page(title: str, body: str, *, scripts: tuple[str, ...]) -> str:
    """A whole page, in HTML.

    Args:
        title: of the page, as text.
        body: HTML.
        scripts: names of the files beside this one that the page runs, in order.

    >>> page = fill_page("a < b", "<p>so it is</p>", scripts=())
    >>> "<h1>a &lt; b</h1>" in page, page.count("<p>so it is</p>")
    (True, 1)
    """
    parts = {
        "title": escape(title),
        "style": _file("page.css"),
        "body": body,
        "script": "\n".join(map(_file, scripts)),
    }
    # Each piece is split once, so that what is filled in is never taken for a place to fill.
    first, *rest = _file("page.html").split("{{")
    pieces = [first]
    for piece in rest:
        name, _, after = piece.partition("}}")
        pieces += [parts[name], after]
    return "".join(pieces)


def as_data(name: str, content: Any) -> str:
    """An element that holds data for scripts, which find it by its name.

    >>> as_data("sizes", {"a</script>": 1})
    '<script type="application/json" id="sizes">{"a\\\\u003c/script>": 1}</script>'
    """
    text = json.dumps(content).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def table(head: list[str], rows: list[list[str]], *, caption: str, sort: str = "") -> str:
    """A table that a click on a head sorts; cells are HTML, the first of a row names it.

    sort: the head that it is sorted by already, if any.

    >>> table(["codec", "bytes"], [["a", "12"]], caption="Sizes")[:49]
    '<table class="sortable"><caption>Sizes</caption><'
    """
    tops = (
        f'<th scope="col"{" aria-sort=" + chr(34) + "ascending" + chr(34) if name == sort else ""}>'
        f'<button type="button">{escape(name)}</button></th>'
        for name in head
    )
    lines = (
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    return (
        f'<table class="sortable"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{''.join(tops)}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _file(name: str) -> str:
    return (files("vqcodec.report") / name).read_text("utf-8")
