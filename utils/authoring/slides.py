"""Slides of each part of the course, made by nbconvert from the executed solutions.

A rule chooses what is shown: the headings with the beginning of their text, figures, verdicts and the questions to vote
on; where a section has none of these, its table.  No code is shown.  The slides load reveal.js from a copy in their own
folder, which npm fetched, and nothing from the network.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils.course.notebook_files import notebook_number, notebook_paths, read_notebook, tags
from utils.errors import CourseError
from utils.paths import SOLUTIONS, write_atomically
from utils.sentences import sentences

REVEAL_VERSION = "5.2.1"
INSTALL = f"npm install --prefix build/slides --no-save reveal.js@{REVEAL_VERSION}"
THEME = "white"
TEMPLATE = Path(__file__).with_name("slides.html.j2")
VERDICT = "nbval-check-output"
LONGEST_TEXT = 60  # words of a section's beginning
LONGEST_VERDICT = 14  # lines on one slide
SHORT_VERDICT = 5
HEADING = re.compile(r"(?m)^(?=#{1,3} )")
QUESTION_END = re.compile(r"\n+Answer with `quiz\.answer\(.*?(?:\n|\Z)\s*", re.DOTALL)
FORMULA = re.compile(r"(?<![\\$])\$([^$\n]+?)(?<!\\)\$(?!\$)")


@dataclass(frozen=True)
class Deck:
    """One part of the course: the file's stem, the title on the first slide, and its notebooks in order."""

    stem: str
    title: str
    notebooks: tuple[Path, ...]


@dataclass(frozen=True)
class Slide:
    """One cell on the slides, and where it goes.

    kind: "slide" begins a notebook, to the right; "subslide" is a slide below; "-" is on the same slide.
    """

    cell: NotebookNode
    kind: str


PARTS = {
    "part-1": "Part I · Retrieval",
    "part-2": "Part II · Fine-tuning, and both together",
    "part-3": "Part III · The choice",
}


def decks(solutions: Path = SOLUTIONS) -> list[Deck]:
    """The parts of the course with the notebooks that there are: 00 to 04, 05 to 09, and all others."""
    by_part = groupby(sorted(notebook_paths(solutions), key=lambda path: (_part(path), path.name)), key=_part)
    return [Deck(part, PARTS[part], tuple(paths)) for part, paths in by_part]


def make_decks(out: Path, node_modules: Path, solutions: Path = SOLUTIONS) -> list[Path]:
    """Write one page of slides for each part into a folder, with a copy of reveal.js, and return the pages.

    node_modules: where npm put reveal.js.  Raises CourseError when it is not there, and says how to get it.
    """
    reveal = _reveal(node_modules)
    made = [(deck, deck_notebook(deck)) for deck in decks(solutions)]
    if not made:
        raise CourseError(f"{solutions} holds no notebooks: restore it with `git checkout -- {solutions.name}`.")
    _copy_reveal(reveal, out)
    paths = []
    for deck, notebook in made:
        paths.append(out / f"{deck.stem}.html")
        write_atomically(paths[-1], _as_page(notebook, deck))
    return paths


def deck_notebook(deck: Deck) -> NotebookNode:
    """The slides of a part as a notebook, each cell with its `slide_type`."""
    cells = [_typed(new_markdown_cell(f"# {deck.title}", id="title"), "slide")]
    for path in deck.notebooks:
        for slide in slides_of(read_notebook(path)):
            cells.append(_typed(slide.cell, slide.kind))
    for number, cell in enumerate(cells):
        cell["id"] = f"slide-{number}"
    return new_notebook(cells=cells, metadata={"title": deck.title, "language_info": {"name": "python"}})


def slides_of(notebook: NotebookNode) -> Iterator[Slide]:
    """The slides of one notebook, in order."""
    for place, (text, codes) in enumerate(_sections(notebook)):
        told, outputs = _beginning(text), _shown(codes)
        if "\n" not in told and not outputs:
            continue  # a heading alone says nothing
        yield Slide(new_markdown_cell(_with_formulas(told)), "subslide" if place else "slide")
        for number, output in enumerate(outputs):
            joins = number == 0 and _is_short(output)
            yield Slide(new_code_cell("", outputs=[output]), "-" if joins else "subslide")


def _part(path: Path) -> str:
    number = notebook_number(path)
    return "part-3" if not number.isdigit() or int(number) >= 10 else "part-2" if int(number) >= 5 else "part-1"


def _typed(cell: NotebookNode, kind: str) -> NotebookNode:
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


# Which cells


def _sections(notebook: NotebookNode) -> list[tuple[str, list[NotebookNode]]]:
    """Every heading with the text under it, and the code cells up to the next heading."""
    found: list[tuple[str, list[NotebookNode]]] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found += [(part, []) for part in HEADING.split(cell.source) if part.startswith("#")]
        elif cell.cell_type == "code" and found:
            found[-1][1].append(cell)
    return found


def _beginning(text: str) -> str:
    """The heading, as many whole sentences of its first paragraph as fit, and what the notebook lets you decide.

    All of a short list, such as a recap.  A table or a folded hint after the heading is left out.
    """
    heading, _, rest = text.partition("\n")
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", rest) if part.strip()]
    told = [part for part in paragraphs if not part.startswith("**Difficulty")]
    goals = [part for part in told[1:] if part.startswith("**By the end")]
    first = told[0] if told and not told[0].startswith(("<", "|")) else ""
    if not re.match(r"[-*] ", first):
        first = _first_sentences(first)
    return "\n\n".join(filter(None, [heading, first, *goals]))


def _first_sentences(paragraph: str) -> str:
    kept: list[str] = []
    for sentence in sentences(" ".join(paragraph.split())):
        if "`quiz." in sentence:  # how to answer in the notebook
            continue
        if kept and len(" ".join([*kept, sentence]).split()) > LONGEST_TEXT:
            break
        kept.append(sentence)
    return " ".join(kept)


def _shown(codes: Sequence[NotebookNode]) -> list[NotebookNode]:
    """The outputs of a section that become slides: questions, verdicts and figures, else its last table."""
    chosen = [part for cell in codes for output in cell.outputs for part in _chosen(output, VERDICT in tags(cell))]
    tables = [output for cell in codes for output in cell.outputs if "<table" in _html(output)]
    return chosen or [_only(one, "text/html") for one in tables[-1:]]


def _is_short(output: NotebookNode) -> bool:
    """Whether an output fits under the text that begins its section."""
    return output.output_type == "stream" and len(output.text.splitlines()) <= SHORT_VERDICT


def _chosen(output: NotebookNode, verdict: bool) -> Iterable[NotebookNode]:
    if "<img" in _html(output):
        return [_only(output, "text/html")]
    if not verdict:
        return []
    if output.output_type == "stream" and output.name == "stdout":
        return [new_output("stream", name="stdout", text=part) for part in _cut(output.text)]
    questions = "".join(output.get("data", {}).get("text/markdown", ""))
    return [new_output("display_data", data={"text/markdown": one}) for one in _questions(questions)]


def _html(output: NotebookNode) -> str:
    return "".join(output.get("data", {}).get("text/html", ""))


def _only(output: NotebookNode, kind: str) -> NotebookNode:
    """The output in one form: the others, such as widgets, would need scripts."""
    return new_output("display_data", data={kind: "".join(output.data[kind])})


def _cut(text: str) -> list[str]:
    lines = text.strip("\n").splitlines()
    return ["\n".join(lines[start : start + LONGEST_VERDICT]) for start in range(0, len(lines), LONGEST_VERDICT)]


def _questions(markdown: str) -> list[str]:
    """The plain-text twins of quiz cards, one each, without the line on how to answer in the notebook."""
    parts = QUESTION_END.split(f"{markdown}\n")
    return [part.strip() for part in parts[:-1] if part.strip()]


# Formulas


def _with_formulas(text: str) -> str:
    """A text whose formulas are pictures with the formula as their alternative text, so that no script sets them."""
    return FORMULA.sub(lambda found: _formula(found[1]), text)


def _formula(tex: str) -> str:
    from matplotlib.mathtext import math_to_image

    drawn = io.BytesIO()
    try:
        math_to_image(f"${tex}$", drawn, format="svg")
    except ValueError:  # a formula that matplotlib cannot read is shown as it is written
        return f"<code>{escape(tex)}</code>"
    picture = base64.b64encode(drawn.getvalue()).decode()
    return f'<img class="formula" alt="{escape(tex)}" src="data:image/svg+xml;base64,{picture}">'


# Files


def _reveal(node_modules: Path) -> Path:
    folder = node_modules / "reveal.js"
    try:
        found = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(f"There is no reveal.js in {node_modules}: run `{INSTALL}`, once and with network.") from None
    if found != REVEAL_VERSION:
        raise CourseError(f"reveal.js in {node_modules} is version {found}: run `{INSTALL}`.")
    return folder


def _copy_reveal(reveal: Path, out: Path) -> None:
    target = out / "reveal.js"
    try:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copytree(reveal / "dist", target / "dist", dirs_exist_ok=True, ignore=_not_needed)
        shutil.copyfile(reveal / "LICENSE", target / "LICENSE")
    except OSError as problem:
        raise CourseError(f"The slides were not written ({problem}): name a folder of yours.") from None


def _not_needed(folder: str, names: list[str]) -> list[str]:
    """What the slides do not load.  Some of the other themes fetch their fonts from elsewhere."""
    themes = [
        name for name in names if name.endswith(".css") and Path(folder).name == "theme" and name != f"{THEME}.css"
    ]
    return themes + [name for name in names if name.endswith(".map")]


def _as_page(notebook: NotebookNode, deck: Deck) -> str:
    """The notebook as one page of slides.  Raises CourseError, with nbconvert's last line, when that fails."""
    with tempfile.TemporaryDirectory(prefix="course-slides-") as folder:
        source = Path(folder) / f"{deck.stem}.ipynb"
        source.write_text(nbformat.writes(notebook, version=4), encoding="utf-8")
        # Somebody's own settings of nbconvert must not change the slides.
        environment = os.environ | {"JUPYTER_NO_CONFIG": "1"}
        done = subprocess.run(_command(source), env=environment, capture_output=True, text=True, encoding="utf-8")
        page = source.with_suffix(".slides.html")
        if done.returncode or not page.exists():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise CourseError(f"nbconvert made no slides of {deck.stem}: {last}")
        return page.read_text(encoding="utf-8")


def _command(source: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "nbconvert", "--to", "slides", "--no-input", "--no-prompt"),
        *(f"--template-file={TEMPLATE}", "--SlidesExporter.reveal_url_prefix=reveal.js"),
        *(f"--SlidesExporter.reveal_theme={THEME}", str(source)),
    ]
