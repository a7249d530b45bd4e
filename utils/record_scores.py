"""The scorer of records: form, quote, value, kind and source, each checked exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from utils.citations import without_citations
from utils.handbook import Answer
from utils.matching import normalise
from utils.record import Finding, read_record
from utils.sentences import sentences


def score_records(answers: Sequence[Answer], kinds: Mapping[str, str]) -> pd.DataFrame:
    """One row per answer: id, category, parses, quoted, value_right, kind_right, source_right, right, complete.

    kinds: relation id to kind of value.
    parses: the text is a record.  quoted: every quote is a sentence of the passage that the record names.
    value_right: the bare values are the gold ones, no more and no less.  kind_right: so are their kinds.
    source_right: every source is a gold article.  right: value_right, or an abstention where the handbook does not say.
    complete: all of it.  For unanswerable questions the columns between parses and right are missing (NaN).
    Raises ValueError without answers.
    """
    if not answers:
        raise ValueError("there are no answers to score")
    return pd.DataFrame([_row(answer, kinds) for answer in answers])


def _row(answer: Answer, kinds: Mapping[str, str]) -> dict[str, object]:
    question, found = answer.question, read_record(answer.text)
    row: dict[str, object] = {"id": question.id, "category": question.category, "parses": found is not None}
    if not question.answerable:
        nothing = dict.fromkeys(("quoted", "value_right", "kind_right", "source_right"), np.nan)
        return row | nothing | {"right": found == [], "complete": found == []}
    found = found or []
    checks = {
        "quoted": bool(found) and all(_is_quoted(item, answer) for item in found),
        "value_right": _same([item.value for item in found], question.values),
        "kind_right": _same([item.kind for item in found], [kinds[relation] for relation in question.relations]),
        "source_right": bool(found) and all(_article(item, answer) in question.articles for item in found),
    }
    return row | checks | {"right": checks["value_right"], "complete": all(checks.values())}


def _same(given: Sequence[str], gold: Sequence[str]) -> bool:
    return Counter(map(normalise, given)) == Counter(map(normalise, gold))


def _is_quoted(item: Finding, answer: Answer) -> bool:
    if not 1 <= item.cite <= len(answer.passages):
        return False
    passage = without_citations(answer.passages[item.cite - 1].text)
    return normalise(item.quote) in map(normalise, sentences(passage))


def _article(item: Finding, answer: Answer) -> str:
    shown = answer.passages
    return shown[item.cite - 1].article_id if 1 <= item.cite <= len(shown) else "?"
