"""Figures come as pictures with words that say what they show."""

import base64
import re

import pandas as pd
import pytest

from utils import plots


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
POINTS = pd.DataFrame({"x": [0.0, 1.0, 5.0], "y": [1.0, 1.0, 2.0], "group": ["Loans", "Loans", "Desk"]})


@pytest.mark.parametrize(
    "draw, words",
    [
        (lambda: plots.plot_outcomes(SHARES, "Outcomes"), "memory: right 25%, wrong 75%; RAG: right 100%."),
        (lambda: plots.plot_losses([2.0, 1.0, 0.5], "Loss"), "from 2.00 at step 1 to 0.50 at step 3."),
        (lambda: plots.plot_map(POINTS, "Map"), "Loans around (0.5, 1.0); Desk around (5.0, 2.0)."),
        (lambda: plots.plot_by_day(SHARES, "Days"), "memory: right 25%, wrong 75%; RAG: right 100%."),
    ],
)
def test_each_figure_is_a_picture_and_says_what_it_shows(draw, words, shown):
    draw()
    ((said, picture),) = shown
    assert said.endswith(words)
    assert picture.startswith(b"\x89PNG")


def test_words_with_quotes_stay_one_attribute():
    html = plots.image_html(b"", 'the "hutch" & <others>')
    assert html.startswith('<img alt="the &quot;hutch&quot; &amp; &lt;others&gt;" src="')
