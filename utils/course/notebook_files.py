"""Notebooks as files: read, brought into one canonical form, and written as the same bytes everywhere."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from utils.errors import CourseError
from utils.paths import write_atomically

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {"name": "python"}
# What editors and runs leave behind in a cell; it differs each time.
PASSING_METADATA = ("ExecuteTime", "collapsed", "execution", "scrolled", "trusted")


class NotebookError(CourseError, ValueError):
    """A notebook that breaks a rule of the course: the message names it and the cell."""


def notebook_paths(folder: Path) -> list[Path]:
    """The notebooks of a folder, ordered by name."""
    return sorted(folder.glob("*.ipynb"))


def notebook_number(path: Path) -> str:
    """The number at the beginning of a notebook's file name: "02", "A2"."""
    return path.name.partition("_")[0]


def run_seconds(path: Path) -> int:
    """How many seconds a whole run takes, as the notebook's first cell says; 0 where it says nothing."""
    found = re.search(r"A whole run takes about (\d+) seconds", path.read_text(encoding="utf-8"))
    return int(found[1]) if found else 0


def label(path: Path) -> str:
    """A notebook's path as people write it: `solutions/02_rag_pipeline.ipynb`."""
    return f"{path.parent.name}/{path.name}"


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook in which every cell has an id of its own.  Raises NotebookError for any other file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    # Checked before nbformat reads it, because nbformat gives random ids to cells that have none.
    ids = [cell.get("id") for cell in _raw_cells(text, path)]
    if None in ids or len(set(ids)) < len(ids):
        raise NotebookError(f"{label(path)} has cells without an id of their own: save it once with JupyterLab 4.")
    return nbformat.reads(text, as_version=4)


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Remove from a notebook, in place, what differs from computer to computer; cell ids and tags stay.  Returns it."""
    notebook.metadata = NotebookNode(kernelspec=dict(KERNELSPEC), language_info=dict(LANGUAGE_INFO))
    notebook.nbformat_minor = 5
    for cell in notebook.cells:
        for key in PASSING_METADATA:
            cell.metadata.pop(key, None)
    return notebook


def notebook_text(notebook: NotebookNode) -> str:
    """The notebook as it is written to disk.  Raises ValidationError when it is not a valid notebook."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4) + "\n"


def write_notebook(path: Path, notebook: NotebookNode) -> bool:
    """Write a notebook if its text differs from the file's.  Returns whether it was written."""
    text = notebook_text(notebook)
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
        return False
    write_atomically(path, text)
    return True


def tags(cell: NotebookNode) -> list[str]:
    """A cell's tags."""
    return list(cell.metadata.get("tags", []))


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The code cells of a notebook, in order."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def _raw_cells(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        raw = json.loads(text)
        if raw["nbformat"] == 4 and all(isinstance(cell, dict) for cell in raw["cells"]):
            return raw["cells"]
    except (ValueError, KeyError, TypeError):
        pass
    raise NotebookError(f"{label(path)} is not a notebook that can be read: restore it with git.")
