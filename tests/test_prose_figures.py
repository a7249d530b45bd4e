"""Percentages and points in a notebook's sentences come from its stored outputs, or from a source that is named."""

import re

import pytest

from utils.course.notebook_files import code_cells, notebook_paths, read_notebook
from utils.paths import SOLUTIONS

# A cell that names a publication may quote it.
PUBLISHED = re.compile(r"arxiv|https?://|case study", re.IGNORECASE)
IN_PROSE = re.compile(r"(?<![\d.,`])(\d[\d,]*(?:\.\d+)?) ?(?:%|points?\b)")
IN_OUTPUTS = re.compile(r"(\d+(?:\.\d+)?)(?: ?%| points| to |\))")
SHARES = re.compile(r"(?<![\d.])0\.\d+")


def figures(text):
    """The percentages and points that an output shows, shares among them, as prose would write them."""
    shares = [100 * float(share) for share in SHARES.findall(text)]
    shown = IN_OUTPUTS.findall(text.replace(",", ""))
    return set(shown) | {f"{float(figure):.{digits}f}" for figure in [*shares, *shown] for digits in (0, 1)}


def outputs(notebook):
    """All that the cells print or show as plain text."""
    found = [output for cell in code_cells(notebook) for output in cell.outputs]
    return "\n".join(one.get("text", "") + one.get("data", {}).get("text/plain", "") for one in found)


def unproven(notebook):
    """Figures in prose that no stored output shows, each with its cell's id."""
    shown = figures(outputs(notebook))
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown" and not PUBLISHED.search(cell.source)]
    return [
        f"{cell.id}: {found[0]}"
        for cell in prose
        for found in IN_PROSE.finditer(cell.source)
        if found[1].replace(",", "") not in shown
    ]


@pytest.mark.parametrize("path", notebook_paths(SOLUTIONS), ids=lambda path: path.stem)
def test_every_percentage_in_prose_is_in_a_stored_output(path):
    assert unproven(read_notebook(path)) == []


def test_a_figure_that_nothing_shows_is_found():
    notebook = read_notebook(next(path for path in notebook_paths(SOLUTIONS) if path.stem.startswith("09")))
    assert len([found for cell in notebook.cells for found in IN_PROSE.findall(cell.source)]) > 15
    cell = next(cell for cell in notebook.cells if cell.cell_type == "markdown")
    cell.source += "\n\nIt gains 37.4 points, or 91.7 %."
    assert unproven(notebook) == [f"{cell.id}: 37.4 points", f"{cell.id}: 91.7 %"]
