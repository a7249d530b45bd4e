"""All pages of the site, as Sphinx reads them: the executed solutions, the documents, and the hand-written pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbformat import NotebookNode

from utils.authoring.site.links import Places, local_targets, rewrite
from utils.authoring.site.notebooks import decision_of, notebook_page, stems_of, title_of
from utils.course.notebook_files import notebook_paths, notebook_text, read_notebook
from utils.errors import CourseError
from utils.front_matter import split_front_matter
from utils.paths import ROOT

HAND_WRITTEN = "docs/site"
# Every document to which one of these links, directly or not, has a page as well.
FIRST_DOCUMENTS = ("README.md", "CONTRIBUTING.md", "datasets/README.md")
LIST_OF_NOTEBOOKS, CONTENTS = "<!-- notebooks -->", "<!-- contents -->"
SECTION = re.compile(r"^## (?P<title>[^\n]+)\n(?P<body>.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
CLAIMS_TABLE = re.compile(r"^\|[^\n]*\bclaim\b[^\n]*\|\n\|[-:| ]+\|\n", re.IGNORECASE | re.MULTILINE)

PICTURE_LINE = re.compile(r"^!\[[^\n]*\]\([^\n)]*\)\n+", re.MULTILINE)  # the front page has the pictures
LOCAL_LINK = re.compile(r"\]\((?![a-z][a-z0-9+.-]*:)(?P<here>#)?")


def site_pages(address: str = "", root: Path = ROOT) -> dict[str, str | bytes]:
    """The files that Sphinx reads, by their paths: pages in Markdown, notebooks, and the pictures they show.

    address: of the repository on the web, to which links to files without a page lead; such links become plain text
    where it is empty.  root: the repository's folder.
    Raises CourseError for a link to something that is not there, and for a card without its question.
    """
    notebooks = {f"solutions/{path.name}": read_notebook(path) for path in notebook_paths(root / "solutions")}
    documents = _documents(root)
    if claims := _claims(documents["README.md"]):
        documents[f"{HAND_WRITTEN}/claims.md"] = claims
    places = Places({path: _page(path) for path in [*notebooks, *documents]}, address.rstrip("/"), root)
    files: dict[str, str | bytes] = dict(_notebook_files(notebooks, places))
    for source, text in documents.items():
        text = text.replace(LIST_OF_NOTEBOOKS, _list(notebooks)).replace(CONTENTS, _contents(places, notebooks))
        files[places.pages[source]] = rewrite(text, source, places)
    return files | {path: (root / path).read_bytes() for path in sorted(places.copied)}


def _documents(root: Path) -> dict[str, str]:
    """The text of each document that has a page, by its path in the repository."""
    found: dict[str, str] = {}
    waiting = [
        *FIRST_DOCUMENTS,
        *(f"{HAND_WRITTEN}/{path.name}" for path in sorted((root / HAND_WRITTEN).glob("*.md"))),
    ]
    while waiting:
        source = waiting.pop(0)
        if source not in found and source.endswith(".md") and not source.startswith("../"):
            found[source] = _read(root / source, source)
            waiting += local_targets(found[source], source)
    return found


def _read(path: Path, name: str) -> str:
    if not path.is_file():
        raise CourseError(f"{name} is not there, and another document links to it: fix the link.")
    return split_front_matter(path.read_text(encoding="utf-8"))[1]


def _page(source: str) -> str:
    return source.removeprefix(f"{HAND_WRITTEN}/")


def _claims(readme: str) -> str:
    """The sections of the README that list claims in a table, as a page of their own; empty where none does."""
    sections = [found for found in SECTION.finditer(readme) if CLAIMS_TABLE.search(found["body"])]
    if not sections:
        return ""
    body = "\n\n".join(f"## {section['title']}\n\n{section['body'].strip()}" for section in sections)
    # The page lies where the hand-written ones do; the section's links begin at the root, or in the README itself.
    body = LOCAL_LINK.sub(lambda link: "](../../" + ("README.md#" if link["here"] else ""), PICTURE_LINE.sub("", body))
    return f"# Claims and verdicts\n\n{body}\n"


def _notebook_files(notebooks: dict[str, NotebookNode], places: Places) -> Iterator[tuple[str, str]]:
    stems = stems_of([Path(name) for name in notebooks])
    for path, notebook in notebooks.items():
        page = notebook_page(notebook, Path(path).name, stems)
        for cell in page.cells[2:]:
            if cell.cell_type == "markdown":
                cell.source = rewrite(cell.source, path, places)
        yield path, notebook_text(page)


def _list(notebooks: dict[str, NotebookNode]) -> str:
    rows = [
        f"| [{title_of(notebook)}](../../{path}) | {decision_of(notebook)} |" for path, notebook in notebooks.items()
    ]
    return "\n".join(["| notebook | by the end you can decide |", "|---|---|", *rows])


def _contents(places: Places, notebooks: dict[str, NotebookNode]) -> str:
    """The navigation: the notebooks, pages about the course, and a part for each folder below docs/."""
    others = [path for path in places.pages if path not in notebooks and path != f"{HAND_WRITTEN}/index.md"]
    parts: dict[str, list[str]] = {"Notebooks": list(notebooks)}
    # What a visitor is likely to want first: the hand-written pages, then the documents as they are linked.
    for path in sorted(others, key=lambda path: not path.startswith(HAND_WRITTEN)):
        parts.setdefault(_part_of(path), []).append(path)
    return "\n\n".join(
        _toctree(caption, [_entry(places.pages[path]) for path in paths]) for caption, paths in parts.items()
    )


def _part_of(source: str) -> str:
    folder = re.match(r"docs/(?!site/)(\w+)/", source)
    return folder[1].capitalize() if folder else "About the course"


def _entry(page: str) -> str:
    # The README's heading is the course's name, which the site has already.
    return "Get the course <README>" if page == "README.md" else _docname(page)


def _docname(page: str) -> str:
    return page.rpartition(".")[0]


def _toctree(caption: str, entries: Sequence[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```"])
