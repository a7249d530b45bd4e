"""Notebooks that a screen reader can follow: headings in order, words for every picture and link, headed tables."""

import re

import pytest

from utils.course.notebook_files import notebook_paths, read_notebook
from utils.paths import SOLUTIONS

PATHS = notebook_paths(SOLUTIONS)  # the copies of learners have the same prose and no outputs
FENCED = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^(#{1,6})\s*(.*?)\s*#*$", re.MULTILINE)
PICTURE = re.compile(r"!\[(.*?)\]\(")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\([^)]+\)")
HTML_PICTURE = re.compile(r"<img\b(?![^>]*\balt=\"[^\"]{5,}\")", re.IGNORECASE)
EMPTY_LINKS = {"here", "link", "click here", "this", "more", "read more", ""}

every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")


def prose(path):
    """The Markdown of a notebook, code left out."""
    cells = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "markdown"]
    return FENCED.sub("code", "\n\n".join(cells))


def heading_problems(text):
    headings = [(len(marks), words) for marks, words in HEADING.findall(text)]
    levels = [level for level, _ in headings]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield "it must begin with its only heading of the first level"
    yield from (f"a heading of level {level} has no words" for level, words in headings if not words)
    for before, (level, words) in zip(levels, headings[1:], strict=False):
        if level > before + 1:
            yield f'"{words}" jumps from level {before} to {level}'


def wording_problems(text):
    yield from ("a picture has no words in its place" for alt in PICTURE.findall(text) if len(alt) < 5)
    yield from ("a picture in HTML has no words in its place" for _ in HTML_PICTURE.findall(text))
    yield from (f'a link says only "{words}"' for words in LINK.findall(text) if words.strip().lower() in EMPTY_LINKS)


@every_notebook
def test_headings_and_words(path):
    text = prose(path)
    assert [*heading_problems(text), *wording_problems(text)] == []


@every_notebook
def test_tables_in_outputs_have_headings(path):
    outputs = [output for cell in read_notebook(path).cells for output in cell.get("outputs", [])]
    tables = [html for output in outputs if "<table" in (html := output.get("data", {}).get("text/html", ""))]
    assert [table[:60] for table in tables if "<th" not in table] == []


@every_notebook
def test_pictures_in_outputs_have_words(path):
    """JupyterLab shows an image/png output without words in its place, so pictures come as HTML with an alt text."""
    outputs = [output.get("data", {}) for cell in read_notebook(path).cells for output in cell.get("outputs", [])]
    assert not any(kind.startswith("image/") for data in outputs for kind in data)
    assert [html[:60] for data in outputs for html in HTML_PICTURE.findall(data.get("text/html", ""))] == []


@pytest.mark.parametrize(
    "text, problem",
    [
        ("## A\n# B", "only heading of the first level"),
        ("# A\n# B", "only heading of the first level"),
        ("# A\n### B", '"B" jumps from level 1 to 3'),
        ("# A\n## ", "a heading of level 2 has no words"),
        ("# A\n![](a.png)", "a picture has no words"),
        ('# A\n<img src="a.png">', "a picture in HTML has no words"),
        ("# A\nLook [here](b.md).", 'a link says only "here"'),
    ],
)
def test_what_is_wrong_is_found(text, problem):
    assert any(problem in line for line in [*heading_problems(text), *wording_problems(text)])


def test_what_is_right_is_passed():
    text = (
        '# A\n\n## B\n\n### C\n\n## D\n\n![A bar for each arm](a.png) [the data card](c.md) <img alt="A bar" src="x">'
    )
    assert [*heading_problems(text), *wording_problems(text)] == []
