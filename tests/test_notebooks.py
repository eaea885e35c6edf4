"""The notebooks of the docs run from top to bottom, and what they print says what the text does."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"


@pytest.mark.slow
def test_the_digits_of_the_article(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(FOLDER / "digits.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=110, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    printed = "".join(
        output.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    decoded, mean = map(float, re.findall(r"([\d.]+) dB", printed))
    assert decoded > mean + 4
    used, perplexity = re.search(
        r"(\d+) of 64 codes are used, perplexity ([\d.]+)", printed
    ).groups()  # type: ignore[union-attr]
    assert int(used) > 40
    assert float(perplexity) > 20
    learned, fitted, one = map(float, re.findall(r"([\d.]+) (?:learned|by|with one)", printed))
    assert fitted <= learned < 2 * fitted < one
    pictures = [
        o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "data" in o
    ]
    assert sum("image/png" in output["data"] for output in pictures) == 5
