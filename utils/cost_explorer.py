"""Number fields over the cost model: the figure and the sentence follow each change (used in notebook 08).

Where widgets don't render, the card's Markdown holds the sentence; `break_even_sentence` gives it for any numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
import pandas as pd

from utils.costs import (
    APPROACHES,
    DAYS,
    Approach,
    Circumstances,
    bill,
    break_even,
    break_even_sentence,
    fixed_and_each,
    yearly,
)
from utils.plots import costs_image
from utils.prices import Prices
from utils.widgets import STYLE, FixedReprBox

VOLUMES = (10, 100, 1000, 10_000, 100_000, 1_000_000)
TITLE = "The first year's bill"
# Name of the circumstance, its label, and the least and the most that can be entered.
INPUTS = (
    ("questions_per_day", "Questions a day", 1, 1_000_000),
    ("updates_per_year", "Updates a year", 0, 365),
    ("answer_tokens", "Tokens of an answer", 5, 1000),
    ("tuning_days", "Days to tune a model", 1, 60),
)


class CostExplorer(FixedReprBox):
    """Four number fields, the figure of the yearly costs, and the sentence on the break-even of two approaches.

    `sentence` and `figure` hold what is shown now.
    """

    def __init__(
        self,
        circumstances: Circumstances,
        prices: Prices,
        approaches: Sequence[Approach] = APPROACHES,
        one: str = "RAG",
        other: str = "LoRA",
    ) -> None:
        self._circumstances, self._prices, self._approaches = circumstances, prices, approaches
        by_name = {approach.name: approach for approach in approaches}
        self._pair = by_name[one], by_name[other]
        long = {"style": {"description_width": "initial"}, "layout": {"width": "34em", "max_width": "100%"}}
        # Number fields and not sliders: the handle of an ipywidgets slider has no name for a screen reader.
        self.inputs: dict[str, widgets.Widget] = {
            name: widgets.BoundedIntText(
                round(getattr(circumstances, name)), min=low, max=high, description=label, **long
            )
            for name, label, low, high in INPUTS
        }
        self._image, self._words = widgets.HTML(), widgets.HTML()
        self._draw()
        children = [widgets.HTML(STYLE), *self.inputs.values(), self._words, self._image]
        super().__init__("Cost explorer", f"**{TITLE}**\n\n{self.sentence}", children)
        self.add_class("course-card")
        for field in self.inputs.values():
            field.observe(lambda _: self._draw(), names="value")

    @property
    def circumstances(self) -> Circumstances:
        """The circumstances as the fields say now."""
        moved = {name: float(field.value) for name, field in self.inputs.items()}
        return self._circumstances.model_copy(update=moved)

    def _draw(self) -> None:
        now = self.circumstances
        self.sentence = break_even_sentence(now, self._prices, *self._pair)
        costs = costs_by_volume(self._approaches, now, self._prices)
        self.figure = costs_image(costs, TITLE, break_even_a_day(*self._pair, now, self._prices))
        self._words.value = f'<div role="status">{escape(self.sentence)}</div>'
        self._image.value = self.figure

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        self.markdown = f"**{TITLE}**\n\n{self.sentence}"
        return super()._repr_mimebundle_(**kwargs)


def costs_by_volume(
    approaches: Sequence[Approach],
    circumstances: Circumstances,
    prices: Prices,
    volumes: Sequence[float] = VOLUMES,
    users: bool = False,
) -> pd.DataFrame:
    """First-year totals in dollars: a row for each number of questions a day, a column for each approach."""
    columns = {}
    for approach in approaches:
        found = bill(approach, circumstances, prices)
        at = [circumstances.model_copy(update={"questions_per_day": float(volume)}) for volume in volumes]
        columns[approach.name] = [yearly(found, now, users) for now in at]
    return pd.DataFrame(columns, index=pd.Index(volumes, name="questions a day"))


def break_even_a_day(one: Approach, other: Approach, circumstances: Circumstances, prices: Prices) -> float:
    """Questions a day from which on the other approach costs no more; infinite when it never does."""
    pair = [fixed_and_each(bill(approach, circumstances, prices), circumstances) for approach in (one, other)]
    return break_even(*pair[0], *pair[1]) / DAYS
