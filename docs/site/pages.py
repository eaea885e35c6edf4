"""What the site has beside docs/*.md as they stand: its order, a front page, the reference.

Pages are written for readers of the repository. What they link outside of docs/ becomes a page of
the site where there is one, and plain words where there is none.
"""

import re
from pathlib import Path

import mkdocs_gen_files
from mkdocs.structure.files import InclusionLevel

import vqcodec
import vqcodec_kernels

ROOT = Path(__file__).resolve().parents[2]

# Pages in the order of the menu; any other page of docs/ comes after those of its folder.
MENU = {
    "": ["index.md", "tutorial.md"],
    "How to": ["using.md", "models.md", "own_pictures.md", "sound.md", "arrays.md"],
    "Reference": [],
    "How it works": ["format.md", "design.md", "experiments.md", "benchmarks.md"],
    "Project": ["contributing.md", "kernels.md", "changelog.md"],
}
# Where pages go that nobody has put into the menu.
OTHERS = "How to"

# Documents outside of docs/, and the pages that they become.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "kernels/README.md": "kernels.md",
}

# Parts of the reference, with the names that are public beside those of `import vqcodec`.
MODULES = {
    "batch": ("Columns of files", "vqcodec.batch"),
    "dataset": ("Training on codes", "vqcodec.dataset"),
    "ray": ("Clusters", "vqcodec.ray"),
    "training": ("Training", "vqcodec.training"),
    "evaluation": ("Evaluation", "vqcodec.evaluation"),
    "bitstream": ("Streams", "vqcodec.bitstream"),
    "medium": ("A medium", "vqcodec.media.base"),
    "workshop": ("Its workshop", "vqcodec.media.workshop"),
    "recipe": ("A recipe", "vqcodec.media.recipe"),
    "transform": ("A transform", "vqcodec.transforms.base"),
    "prior": ("A prior", "vqcodec.priors.base"),
}

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)


def main() -> None:
    """Write every page that is not there as it stands, and the menu."""
    pages = {path.relative_to(ROOT / "docs").as_posix(): path for path in _pages_of_docs()}
    pages |= {page: ROOT / name for name, page in ELSEWHERE.items()}
    for page, path in pages.items():
        text = path.read_text(encoding="utf-8")
        _write(page, _for_the_site(text, path, pages))
    reference = _write_reference()
    _write("SUMMARY.md", _menu(pages, reference))
    _leave_out("SUMMARY.md")


def _pages_of_docs() -> list[Path]:
    folders = ROOT / "docs", ROOT / "docs/site"
    found = sorted(folders[0].rglob("*.md"))
    return [path for path in found if folders[1] not in path.parents]


def _for_the_site(text: str, path: Path, pages: dict[str, Path]) -> str:
    """A document with links that lead somewhere on the site, without what is not for readers."""
    at = {place.resolve(): page for page, place in pages.items()}
    page = at[path.resolve()]
    up = "../" * page.count("/")

    def link(match: re.Match[str]) -> str:
        mark, words, target = match.groups()
        name, hash, heading = target.partition("#")
        if not name or re.match(r"[a-z]+:", name):
            return match[0]
        place = (path.parent / name).resolve()
        if place in at:
            return f"{mark}[{words}]({up}{at[place]}{hash}{heading})"
        if place.is_relative_to(ROOT / "docs") and place.is_file():
            return f"{mark}[{words}]({up}{place.relative_to(ROOT / 'docs').as_posix()})"
        if not place.exists():
            raise FileNotFoundError(f"{path.name} links {target}")
        return words

    # Code is no prose: what looks like a link there is none.
    pieces = re.split(r"(^```.*?^```$)", _COMMENT.sub("", text), flags=re.MULTILINE | re.DOTALL)
    return "".join(piece if piece.startswith("```") else _LINK.sub(link, piece) for piece in pieces)


def _write_reference() -> list[tuple[str, str]]:
    """Pages of the public names; gives them with their titles, for the menu."""
    _write("reference/index.md", _page("import vqcodec", _names("vqcodec", vqcodec)))
    kernels = _names("vqcodec_kernels", vqcodec_kernels)
    _write("reference/kernels.md", _page("import vqcodec_kernels", kernels))
    found = [("vqcodec", "reference/index.md"), ("vqcodec_kernels", "reference/kernels.md")]
    for name, (title, module) in MODULES.items():
        page = f"reference/{name}.md"
        _write(page, f"# {title}\n\n::: {module}\n")
        found.append((title, page))
    return found


def _names(package: str, module: object) -> list[str]:
    """Where each public name of a package is defined, its errors last."""
    names = getattr(module, "__all__")  # noqa: B009
    where = [(name, getattr(getattr(module, name), "__module__", package)) for name in names]
    where.sort(key=lambda pair: pair[0].endswith("Error"))
    return [f"{home}.{name}" for name, home in where]


def _page(title: str, names: list[str]) -> str:
    return "\n\n".join([f"# {title}", *(f"::: {name}" for name in names), ""])


def _menu(pages: dict[str, Path], reference: list[tuple[str, str]]) -> str:
    known = {page for group in MENU.values() for page in group}
    lines = []
    for group, listed in MENU.items():
        more = sorted(set(pages) - known) if group == OTHERS else []
        entries = [(_title(pages[page]), page) for page in [*listed, *more]]
        if group == "Reference":
            entries = reference
        if group:
            lines.append(f"* {group}")
        indent = "    " if group else ""
        lines += [f"{indent}* [{title}]({page})" for title, page in entries]
    return "\n".join(lines) + "\n"


def _title(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    found = re.search(r"^# (.*)$", text, flags=re.MULTILINE)
    return found[1] if found else path.stem


def _write(page: str, text: str) -> None:
    with mkdocs_gen_files.open(page, "w") as file:
        file.write(text)


def _leave_out(page: str) -> None:
    """Keep what only the menu is made of from becoming a page of its own."""
    files = mkdocs_gen_files.FilesEditor.current().files
    files.src_uris[page].inclusion = InclusionLevel.EXCLUDED


main()
