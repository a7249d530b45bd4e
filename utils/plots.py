"""The course's figures.  Each has hatching and labels beside its colours, and a table or sentence in the notebook."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd

# Okabe and Ito's palette, which most colour-blind readers can tell apart; hatching says the same again.
FILLS = [("#009E73", ""), ("#E69F00", "//"), ("#CC79A7", "xx"), ("#56B4E9", ".."), ("#999999", "--")]
MARKERS = "os^D*"
SMALLEST_LABEL = 0.06


def plot_outcomes(shares: pd.DataFrame, title: str) -> None:
    """One stacked bar per row of shares (0 to 1); parts of at least 6 % carry their percentage."""
    figure, axes = plt.subplots(figsize=(7, 0.6 * len(shares) + 1.4), layout="constrained")
    left = pd.Series(0.0, index=shares.index)
    for column, (colour, hatch) in zip(shares.columns, FILLS, strict=False):
        axes.barh(shares.index, shares[column], left=left, color=colour, hatch=hatch, edgecolor="white", label=column)
        for row, (start, width) in enumerate(zip(left, shares[column], strict=True)):
            if width >= SMALLEST_LABEL:
                label = axes.text(start + width / 2, row, f"{100 * width:.0f} %", ha="center", va="center", fontsize=8)
                label.set_bbox({"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5})
        left = left + shares[column]
    axes.invert_yaxis()
    axes.set(title=title, xlim=(0, 1), xlabel="share of questions")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    plt.show()


def plot_losses(losses: Sequence[float], title: str) -> None:
    """The training loss, step by step."""
    _, axes = plt.subplots(figsize=(5, 2.6), layout="constrained")
    axes.plot(range(1, len(losses) + 1), losses)
    axes.set(title=title, xlabel="step", ylabel="loss per token", ylim=(0, None))
    plt.show()


def plot_map(points: pd.DataFrame, title: str) -> None:
    """Texts as points of a plane: columns x, y and group.  Up to five groups, each with a colour and a marker."""
    figure, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
    groups = points.groupby("group", sort=False)
    for (name, group), (colour, _), marker in zip(groups, FILLS, MARKERS, strict=False):
        size = 170 if marker == "*" else 36
        axes.scatter(group["x"], group["y"], color=colour, marker=marker, s=size, edgecolor="black", label=name)
    axes.set(title=title, xlabel="first direction", ylabel="second direction")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    plt.show()
