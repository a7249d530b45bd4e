"""The report's figure: the share of right answers of each arm, with its interval and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from utils.compare.results import in_percent
from utils.evaluation import Interval
from utils.plots import canvas, png


class Figure(NamedTuple):
    """A PNG file, and what it shows in words."""

    picture: bytes
    words: str


def shares_figure(shares: Mapping[str, Interval], bar: float) -> Figure:
    """A dot for each arm with a line for its interval; a dashed line is the bar.  Black on white: no colour matters."""
    figure, axes = canvas(7, 0.5 * len(shares) + 1.4)
    for row, share in enumerate(shares.values()):
        axes.plot([share.low, share.high], [row, row], color="black", linewidth=2)
        axes.plot(share.mean, row, "o", color="black", markersize=8)
        axes.annotate(f"{share.mean:.0%}", (share.mean, row), (0, 8), textcoords="offset points", ha="center")
    axes.axvline(bar, color="black", linestyle="--")
    axes.set(title="Right answers, with 95 % intervals", xlim=(0, 1), ylim=(len(shares) - 0.4, -0.6))
    axes.set(xlabel="share of the test questions; dashed: the bar", yticks=range(len(shares)))
    axes.set_yticklabels(list(shares))
    rows = "; ".join(f"{name}: {in_percent(share)}" for name, share in shares.items())
    return Figure(png(figure), f"Dots with lines. Right answers of each arm. {rows}. The bar is {bar:.0%}.")
