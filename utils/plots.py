"""The course's figures.  Each has markers or hatching as well as colours, and says in words what it shows.

JupyterLab shows matplotlib's pictures without alternative text, so figures are displayed as HTML that has one.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import pandas as pd
from IPython.display import HTML, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.errors import CourseError

# Okabe and Ito's palette, which most colour-blind readers can tell apart; hatching and markers repeat the distinction.
FILLS = [("#009E73", ""), ("#E69F00", "//"), ("#CC79A7", "xx"), ("#56B4E9", ".."), ("#999999", "--")]
MARKERS = "os^D*"
SMALLEST_LABEL = 0.06
DOTS_PER_INCH = 100


def plot_outcomes(shares: pd.DataFrame, title: str) -> None:
    """One stacked bar per row of shares (0 to 1), one part per column; parts of at least 6 % show their percentage.

    Raises CourseError when there are more than five columns.
    """
    _check_fits(len(shares.columns), "outcomes", title)
    figure, axes = canvas(7, 0.6 * len(shares) + 1.4)
    left = pd.Series(0.0, index=shares.index)
    for column, (colour, hatch) in zip(shares.columns, FILLS, strict=False):
        axes.barh(shares.index, shares[column], left=left, color=colour, hatch=hatch, edgecolor="white", label=column)
        for row, (start, width) in enumerate(zip(left, shares[column], strict=True)):
            if width >= SMALLEST_LABEL:
                label = axes.text(start + width / 2, row, f"{width:.0%}", ha="center", va="center", fontsize=8)
                label.set_bbox({"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5})
        left = left + shares[column]
    axes.invert_yaxis()
    axes.set(title=title, xlim=(0, 1), xlabel="share of questions")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    _show(figure, f"Stacked bars. {title}. {_rows_in_words(shares)}")


def plot_losses(losses: Sequence[float], title: str) -> None:
    """The training loss, step by step."""
    figure, axes = canvas(5, 2.6)
    axes.plot(range(1, len(losses) + 1), losses)
    axes.set(title=title, xlabel="step", ylabel="loss per token", ylim=(0, None))
    _show(figure, f"A line. {title}: from {losses[0]:.2f} at step 1 to {losses[-1]:.2f} at step {len(losses)}.")


def plot_map(points: pd.DataFrame, title: str) -> None:
    """Texts as points of a plane: columns x, y and group, each group with a colour and a marker.

    Raises CourseError when there are more than five groups.
    """
    groups = points.groupby("group", sort=False)
    _check_fits(len(groups), "groups", title)
    figure, axes = canvas(6.5, 4)
    for (name, group), (colour, _), marker in zip(groups, FILLS, MARKERS, strict=False):
        size = 170 if marker == "*" else 36
        axes.scatter(group["x"], group["y"], color=colour, marker=marker, s=size, edgecolor="black", label=name)
    axes.set(title=title, xlabel="first direction", ylabel="second direction")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    middles = groups[["x", "y"]].mean().round(2)
    places = "; ".join(f"{name} around ({x}, {y})" for name, x, y in middles.itertuples())
    _show(figure, f"A map of {len(points)} points. {title}. {places}.")


def plot_by_day(shares: pd.DataFrame, title: str) -> None:
    """One line per column of shares (0 to 1) over the days of the index.

    Raises CourseError when there are more than five columns.
    """
    _check_fits(len(shares.columns), "lines", title)
    figure, axes = canvas(6.5, 3.2)
    for name, (colour, _), marker in zip(shares.columns, FILLS, MARKERS, strict=False):
        axes.plot(shares.index, shares[name], color=colour, marker=marker, label=name)
    axes.set(title=title, ylabel="share of questions", ylim=(0, 1))
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    _show(figure, f"Lines. {title}. {_rows_in_words(shares, zeros=True)}")


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty white figure, in inches.  Without pyplot, which would show it a second time under the cell."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    return figure, figure.subplots()


def png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    return file.getvalue()


def image_html(picture: bytes, words: str) -> str:
    """A PNG as an HTML image, with words for readers who cannot see it."""
    data = base64.b64encode(picture).decode()
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{data}">'


def _check_fits(number: int, things: str, title: str) -> None:
    """Raises CourseError when a figure has more parts than there are colours, rather than dropping the last ones."""
    if number > len(FILLS):
        raise CourseError(
            f'A figure shows at most {len(FILLS)} {things} that can be told apart, and "{title}" has {number}: '
            "choose fewer of them, or draw two figures."
        )


def _show(figure: Figure, words: str) -> None:
    display(HTML(image_html(png(figure), words)))


def _rows_in_words(shares: pd.DataFrame, zeros: bool = False) -> str:
    rows = (
        f"{name}: " + ", ".join(f"{column} {share:.0%}" for column, share in row.items() if zeros or share > 0)
        for name, row in shares.iterrows()
    )
    return "; ".join(rows) + "."
