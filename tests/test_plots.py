"""Figures come as pictures with words that say what they show."""

import base64
import re

import pandas as pd
import pytest

from utils import plots
from utils.errors import CourseError


@pytest.fixture
def shown(monkeypatch):
    """What the figures displayed: pairs of the words and the PNG bytes."""
    found = []

    def keep(output):
        words, data = re.fullmatch(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)">', output.data).groups()
        found.append((words, base64.b64decode(data)))

    monkeypatch.setattr(plots, "display", keep)
    return found


SHARES = pd.DataFrame({"right": [0.25, 1.0], "wrong": [0.75, 0.0]}, index=["memory", "RAG"])
# Squares 16, 9, 4, 1 of 30: the first three make 97 %.  And nine in ten of 1 needs the one.
SPECTRA = {"full": [4.0, 3.0, 2.0, 1.0], "LoRA": [1.0, 0.0, 0.0, 0.0]}
COSTS = pd.DataFrame({"RAG": [10.0, 110.0, 1010.0], "LoRA": [500.0, 500.0, 500.0]}, index=[1, 100, 1000])
TIMES = pd.DataFrame({"Flat": [0.06, 6.123], "HNSW": [0.1, 0.4]}, index=[1000, 100_000])
POINTS = pd.DataFrame({"x": [0.0, 1.0, 5.0], "y": [1.0, 1.0, 2.0], "group": ["Loans", "Loans", "Desk"]})


@pytest.mark.parametrize(
    "draw, words",
    [
        (lambda: plots.plot_outcomes(SHARES, "Outcomes"), "memory: right 25%, wrong 75%; RAG: right 100%."),
        (lambda: plots.plot_map(POINTS, "Map"), "Loans around (0.5, 1.0); Desk around (5.0, 2.0)."),
        (lambda: plots.plot_by_day(SHARES, "Days"), "memory: right 25%, wrong 75%; RAG: right 100%, wrong 0%."),
        (
            lambda: plots.plot_spectrum(SPECTRA, "Updates"),
            "full: 3 of 4 directions carry 90% of the squared norm; "
            "LoRA: 1 of 4 directions carry 90% of the squared norm.",
        ),
        (
            lambda: plots.plot_costs(COSTS, "Bills", 250),
            "RAG: $10 at 1, $1,010 at 1,000; LoRA: $500 at 1, $500 at 1,000. "
            "A dashed line marks the break-even at 250.",
        ),
        (lambda: plots.plot_costs(COSTS, "Bills", 5000), "$500 at 1,000. No break-even is in this range."),
        (lambda: plots.plot_costs(COSTS, "Bills"), "$500 at 1,000. No break-even is in this range."),
        (
            lambda: plots.plot_growth(TIMES, "Latency", "milliseconds"),
            "Latency, milliseconds: Flat 0.06 at 1,000, 6.12 at 100,000; HNSW 0.1 at 1,000, 0.4 at 100,000.",
        ),
        (
            lambda: plots.plot_growth(TIMES, "Latency", "milliseconds", 2 * TIMES),
            "Dashed, the fitted lines: Flat 0.12 at 1,000, 12.2 at 100,000; HNSW 0.2 at 1,000, 0.8 at 100,000.",
        ),
    ],
)
def test_each_figure_is_a_picture_and_says_what_it_shows(draw, words, shown):
    draw()
    ((said, picture),) = shown
    assert said.endswith(words)
    assert picture.startswith(b"\x89PNG")


def wide(columns):
    return pd.DataFrame({f"arm {number}": [0.1, 0.2] for number in range(columns)}, index=["one", "two"])


def grouped(groups):
    return pd.DataFrame({"x": range(groups), "y": range(groups), "group": [f"arm {n}" for n in range(groups)]})


@pytest.mark.parametrize(
    "draw, things",
    [
        (lambda number: plots.plot_outcomes(wide(number), "Outcomes"), "outcomes"),
        (lambda number: plots.plot_by_day(wide(number), "Days"), "lines"),
        (lambda number: plots.plot_map(grouped(number), "Map"), "groups"),
        (lambda number: plots.plot_costs(wide(number).set_axis([1, 2]), "Bills"), "lines"),
        (lambda number: plots.plot_growth(wide(number).set_axis([1, 2]), "Latency", "ms"), "lines"),
        (lambda number: plots.plot_spectrum({f"arm {n}": [2.0, 1.0] for n in range(number)}, "Updates"), "spectra"),
    ],
)
def test_five_are_drawn_and_a_sixth_is_refused_rather_than_dropped(draw, things, shown):
    draw(5)
    ((words, _),) = shown
    assert all(f"arm {number}" in words for number in range(5))
    with pytest.raises(CourseError, match=f"at most 5 {things} .* has 6: .*\\.$"):
        draw(6)
    assert len(shown) == 1


def test_a_line_at_zero_is_in_the_words_too(shown):
    plots.plot_by_day(pd.DataFrame({"frozen": [0.5, 0.0]}, index=["day 0", "day 30"]), "Days")
    assert shown[0][0].endswith("day 0: frozen 50%; day 30: frozen 0%.")


def test_words_with_quotes_stay_one_attribute():
    html = plots.image_html(b"", 'the "hutch" & <others>')
    assert html.startswith('<img alt="the &quot;hutch&quot; &amp; &lt;others&gt;" src="')


@pytest.mark.parametrize(
    "values, share, count",
    [
        ([4, 3, 2, 1], 0.5, 1), ([4, 3, 2, 1], 16 / 30, 1), ([4, 3, 2, 1], 0.54, 2), ([4, 3, 2, 1], 0.9, 3),
        ([4, 3, 2, 1], 1.0, 4), ([1, 1, 1, 1], 0.5, 2), ([5], 0.9, 1),
    ],
)  # fmt: skip
def test_the_directions_that_carry_a_share_are_counted_from_the_largest(values, share, count):
    assert plots.directions_carrying(values, share) == count


@pytest.mark.parametrize("costs", [COSTS.set_axis([0, 1, 2]), COSTS.replace(500.0, 0.0), COSTS.iloc[:0]])
def test_what_a_logarithmic_axis_cannot_show_is_refused(costs, shown):
    with pytest.raises(CourseError, match='"Bills" has logarithmic axes: give volumes and costs above zero'):
        plots.plot_costs(costs, "Bills")
    with pytest.raises(CourseError, match='"Times" has logarithmic axes: give vectors and measurements above zero'):
        plots.plot_growth(costs, "Times", "milliseconds")
    assert shown == []
