"""The README's picture of the headline result: the arms of notebook 09, from the table that its solution stores.

The picture and its words in the README hold no figure of their own.  `python -m utils.authoring headline` makes both
again, and with `--check` it says what is out of step.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.course.notebook_files import code_cells, read_notebook
from utils.errors import CourseError
from utils.paths import ROOT, SOLUTIONS, write_atomically
from utils.plots import FILLS

NOTEBOOK = SOLUTIONS / "09_hybrid.ipynb"
TABLE_CELL, COUNT_CELL = "nb09-08", "nb09-a1"
PICTURE, README = ROOT / "docs" / "headline.svg", ROOT / "README.md"
IN_README = re.compile(r"!\[[^\]]*\]\(docs/headline\.svg\)")

# The columns of notebook 09's table, and what they are called here.
ALL_AT_ONCE = "right, cited, in format"
MEASURES = {"right": "right", "in format": "in format", ALL_AT_ONCE: "all at once"}
WIDTH, HEIGHT = 8.0, 4.4
# Opaque, so that the dark text is readable on light and on dark pages.
PAPER, INK = "#fbfaf6", "#1b2421"
# Text stays text, and ids and bytes are the same each time.
STYLE = {"svg.hashsalt": "headline", "svg.fonttype": "none", "font.family": "sans-serif", "text.color": INK}


@dataclass(frozen=True)
class Headline:
    """What the picture shows: a row of whole percentages for each arm, most complete answers first."""

    shares: pd.DataFrame
    questions: int

    @property
    def title(self) -> str:
        """The arm with the most complete answers, in a sentence."""
        best = self.shares.index[0]
        return f"Most complete answers: {best}, {self.shares.loc[best, 'all at once']} %"

    @property
    def words(self) -> str:
        """All the figures, for readers who cannot see the picture."""
        rows = (f"{arm} {', '.join(str(share) for share in row)}" for arm, *row in self.shares.itertuples())
        return (
            f"{self.title}. Bars for {len(self.shares)} arms and {self.questions} test questions. "
            f"In percent right, in format, and all at once (right, cited and in format): {'; '.join(rows)}."
        )


def read_headline(notebook: Path = NOTEBOOK) -> Headline:
    """The arms as notebook 09 last measured them.

    Raises CourseError when the notebook does not store the table or the number of questions.
    """
    outputs = {cell.id: cell.outputs for cell in code_cells(read_notebook(notebook))}
    html = "".join(one.get("data", {}).get("text/html", "") for one in outputs.get(TABLE_CELL, ()))
    counted = re.search(r"(\d+) questions", "".join(one.get("text", "") for one in outputs.get(COUNT_CELL, ())))
    if "<table" not in html or not counted:
        raise _not_there(notebook)
    table = pd.read_html(io.StringIO(html), index_col=0)[0]
    if not set(MEASURES) <= set(table.columns):
        raise _not_there(notebook)
    shares = table[list(MEASURES)].rename(columns=MEASURES).map(lambda share: int(share.removesuffix("%")))
    return Headline(shares.sort_values(["all at once", "right"], ascending=False, kind="stable"), int(counted[1]))


def _not_there(notebook: Path) -> CourseError:
    return CourseError(
        f"{notebook.name} stores no table of its arms in the cells {COUNT_CELL} and {TABLE_CELL}: "
        "run python -m utils.authoring refresh 09 first."
    )


def draw(headline: Headline) -> str:
    """The picture as SVG, the same text each time."""
    figure = Figure(figsize=(WIDTH, HEIGHT), facecolor=PAPER)
    with matplotlib.rc_context(STYLE):
        axes = figure.subplots(1, len(MEASURES), sharey=True)
        for column, (each, (colour, _)) in enumerate(zip(axes, FILLS, strict=False)):
            _draw_bars(each, headline.shares, headline.shares.columns[column], colour)
        figure.subplots_adjust(left=0.285, right=0.96, top=0.79, bottom=0.09, wspace=0.22)
        figure.text(0.02, 0.94, headline.title, fontsize=13, weight="bold")
        what = f"Notebook 09, {headline.questions} test questions. All at once: right, cited, in format."
        figure.text(0.02, 0.02, f"{what} One tiny model, one invented handbook.", fontsize=9)
        return _with_words(_svg(figure), headline)


def _draw_bars(axes: Axes, shares: pd.DataFrame, measure: str, colour: str) -> None:
    """One column of the picture: a bar and its percentage for each arm."""
    bars = axes.barh(shares.index, shares[measure], color=colour, height=0.66)
    for row, (bar, share) in enumerate(zip(bars, shares[measure], strict=True)):
        bar.set_gid(f"bar-{measure.replace(' ', '-')}-{row}")
        axes.text(share + 3, row, f"{share} %", va="center", fontsize=9)
    axes.set_title(measure, fontsize=11, weight="bold", loc="left", color=INK)
    axes.set(xlim=(0, 125), facecolor=PAPER, xticks=[])
    axes.tick_params(length=0, labelsize=9.5, labelcolor=INK)
    axes.spines[:].set_visible(False)
    # The axes share the arms, so turning one turns all; an axis that is turned already stays.
    axes.set_ylim(len(shares) - 0.5, -0.5)


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", facecolor=PAPER, metadata={"Date": None, "Creator": None})
    return "".join(line.rstrip() + "\n" for line in file.getvalue().splitlines())


def _with_words(svg: str, headline: Headline) -> str:
    """The same picture, with a title and a description that screen readers find."""
    words = f'<title id="t">{headline.title}</title>\n <desc id="d">{headline.words}</desc>\n'
    head, tag, rest = svg.partition("<svg ")
    opening, end, inside = rest.partition(">\n")
    return f'{head}{tag}role="img" aria-labelledby="t d" {opening}{end} {words}{inside}'


def shown(svg: str) -> tuple[list[str], list[int]]:
    """What a picture says: its texts, and the lengths of its bars in whole units.

    Bytes are not compared: another system's fonts move a text by a hair.
    """
    root = ElementTree.fromstring(svg)
    texts = [element.text for element in root.iter() if element.tag.endswith(("}text", "}title", "}desc"))]
    groups = [group for group in root.iter("{http://www.w3.org/2000/svg}g") if group.get("id", "").startswith("bar-")]
    return texts, [_length(group[0].get("d")) for group in groups]


def _length(path: str) -> int:
    across = [float(x) for x in re.findall(r"[ML] (-?[\d.]+) ", path)]
    return round(max(across) - min(across))


def in_readme(headline: Headline) -> str:
    """The line of the README that shows the picture."""
    return f"![{headline.words}](docs/headline.svg)"


def stale(picture: Path = PICTURE, readme: Path = README) -> list[str]:
    """What is out of step with notebook 09, a sentence for each.  Raises CourseError as `read_headline` does."""
    headline, again = read_headline(), "run python -m utils.authoring headline."
    current = picture.exists() and shown(picture.read_text(encoding="utf-8")) == shown(draw(headline))
    problems = [] if current else [f"{picture.name} does not show what notebook 09 stores: {again}"]
    if in_readme(headline) not in readme.read_text(encoding="utf-8"):
        problems.append(f"{readme.name} does not say what {picture.name} shows: {again}")
    return problems


def write(picture: Path = PICTURE, readme: Path = README) -> list[str]:
    """Makes the picture, and its words in the README.  Returns the names of the files that changed.

    Raises CourseError as `read_headline` does, and when the README shows no such picture.
    """
    headline, text = read_headline(), readme.read_text(encoding="utf-8")
    if not IN_README.search(text):
        raise CourseError(
            f"{readme.name} does not show docs/headline.svg: write ![](docs/headline.svg) where it belongs."
        )
    wanted = {picture: draw(headline), readme: IN_README.sub(lambda _: in_readme(headline), text)}
    changed = [path for path, new in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != new]
    for path in changed:
        write_atomically(path, wanted[path])
    return [path.name for path in changed]
