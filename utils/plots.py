"""The course's figures.  Each has markers or hatching as well as colours, and says in words what it shows.

JupyterLab shows matplotlib's pictures without alternative text, so figures are displayed as HTML that has one.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
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
    _draw_lines(axes, shares)
    axes.set(title=title, ylabel="share of questions", ylim=(0, 1))
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    _show(figure, f"Lines. {title}. {_rows_in_words(shares, zeros=True)}")


def plot_spectrum(spectra: Mapping[str, Sequence[float]], title: str, share: float = 0.9) -> None:
    """Singular values of matrices, largest first: one line each, relative to its largest (used in notebook 05).

    share: of the squared norm; a marker shows how many directions carry that much.  Raises CourseError when there are
    more than five matrices.
    """
    _check_fits(len(spectra), "spectra", title)
    figure, axes = canvas(6.5, 3.4)
    words = []
    for (name, values), (colour, _), marker in zip(spectra.items(), FILLS, MARKERS, strict=False):
        relative, count = np.asarray(values, dtype=float) / values[0], directions_carrying(values, share)
        axes.plot(range(1, len(relative) + 1), relative, color=colour, label=name, marker=marker, markevery=[count - 1])
        words.append(f"{name}: {count} of {len(relative)} directions carry {share:.0%} of the squared norm")
    axes.set(title=title, xlabel="direction, the largest first", ylabel="singular value, largest = 1", ylim=(0, 1.05))
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    _show(figure, f"Lines that fall. {title}. {'; '.join(words)}.")


def directions_carrying(values: Sequence[float], share: float) -> int:
    """How many singular values, the largest first, make up at least this share of the sum of all their squares."""
    carried = np.cumsum(np.square(np.asarray(values, dtype=float)))
    return min(int(np.searchsorted(carried, share * carried[-1])) + 1, len(carried))


def plot_costs(costs: pd.DataFrame, title: str, break_even: float | None = None) -> None:
    """One line per column of yearly costs in dollars, over the questions a day of the index, both on log scales.

    break_even: where two lines cross, drawn as a dashed line.  Raises CourseError as `costs_image` does.
    """
    display(HTML(costs_image(costs, title, break_even)))


def costs_image(costs: pd.DataFrame, title: str, break_even: float | None = None) -> str:
    """The figure of `plot_costs` as an HTML image with its words.

    Raises CourseError when there are more than five columns, and for volumes or costs that are not above zero.
    """
    _check_fits(len(costs.columns), "lines", title)
    _check_logarithmic(costs, title, "volumes and costs")
    figure, axes = canvas(6.5, 3.6)
    _draw_lines(axes, costs)
    axes.set(title=title, xlabel="questions a day", ylabel="dollars in the first year", xscale="log", yscale="log")
    crossing = break_even is not None and costs.index[0] <= break_even <= costs.index[-1]
    if crossing:
        axes.axvline(break_even, color="black", linestyle="--", label="break-even")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    ends = [costs.index[0], costs.index[-1]]
    lines = (f"{name}: " + ", ".join(f"${costs[name][end]:,.0f} at {end:,.0f}" for end in ends) for name in costs)
    where = f"A dashed line marks the break-even at {break_even:,.0f}" if crossing else "No break-even is in this range"
    words = f"Lines, both axes logarithmic. {title}, by questions a day. {'; '.join(lines)}. {where}."
    return image_html(png(figure), words)


def plot_growth(measured: pd.DataFrame, title: str, ylabel: str, lines: pd.DataFrame | None = None) -> None:
    """One line with markers per column of measurements, over the vectors of the index, both on log scales.

    lines: fitted values under the same columns, drawn dashed; may go on beyond what they were fitted to.  Raises
    CourseError when there are more than five columns, and for numbers that are not above zero.
    """
    _check_fits(len(measured.columns), "lines", title)
    _check_logarithmic(measured, title, "vectors and measurements")
    figure, axes = canvas(6.5, 3.8)
    _draw_lines(axes, measured)
    if lines is not None:
        for name, (colour, _) in zip(measured.columns, FILLS, strict=False):
            axes.plot(lines.index, lines[name], color=colour, linestyle="--")
    axes.set(title=title, xlabel="vectors", ylabel=ylabel, xscale="log", yscale="log")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    dashed = "" if lines is None else f" Dashed, the fitted lines: {_ends_in_words(lines)}."
    _show(figure, f"Lines, both axes logarithmic. {title}, {ylabel}: {_ends_in_words(measured)}.{dashed}")


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


def _draw_lines(axes: Axes, table: pd.DataFrame) -> None:
    """A line with markers per column, over the index."""
    for name, (colour, _), marker in zip(table.columns, FILLS, MARKERS, strict=False):
        axes.plot(table.index, table[name], color=colour, marker=marker, label=name)


def _check_logarithmic(numbers: pd.DataFrame, title: str, things: str) -> None:
    if numbers.empty or min(numbers.index) <= 0 or numbers.to_numpy().min() <= 0:
        raise CourseError(f'The figure "{title}" has logarithmic axes: give {things} above zero.')


def _show(figure: Figure, words: str) -> None:
    display(HTML(image_html(png(figure), words)))


def _rows_in_words(shares: pd.DataFrame, zeros: bool = False) -> str:
    rows = (
        f"{name}: " + ", ".join(f"{column} {share:.0%}" for column, share in row.items() if zeros or share > 0)
        for name, row in shares.iterrows()
    )
    return "; ".join(rows) + "."


def _ends_in_words(numbers: pd.DataFrame) -> str:
    """Each column at its smallest and at its largest size."""
    ends = [numbers.index[0], numbers.index[-1]]
    return "; ".join(
        f"{name} " + ", ".join(f"{numbers[name][end]:,.3g} at {end:,.0f}" for end in ends) for name in numbers
    )
