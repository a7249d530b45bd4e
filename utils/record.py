"""The record: an answer as JSON for Tarnwick's ticket system (notebooks 06 and 09).

Unlike the letter of `utils.house_format`, it holds the bare value, so no template can fill it: something has to read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

KEYS = ("quote", "value", "kind", "cite")
KINDS = (
    "amount", "choice", "code", "colour", "contact", "date", "duration", "measure", "number", "percentage", "person",
    "place", "time", "weekday",
)  # fmt: skip
INSTRUCTION = (
    'Answer in JSON with the keys "quote" for the sentence, "value" for the bare value, "kind" for the kind of value '
    'and "cite" for the number of the passage.'
)


@dataclass(frozen=True)
class Finding:
    """What answers a question: a passage's sentence, the value in it, the value's kind, and the passage's number."""

    quote: str
    value: str
    kind: str
    cite: int


def format_record(findings: Sequence[Finding], order: Sequence[str] = KEYS) -> str:
    """The record of an answer: one finding, several as lists, or null everywhere when the passages do not say.

    order: the keys in the order wished for.  Raises ValueError when they are not the four of KEYS.
    """
    if sorted(order) != sorted(KEYS):
        raise ValueError(f"a record has the keys {', '.join(KEYS)}, each once")
    rows = [asdict(found) for found in findings]
    values = {key: [row[key] for row in rows] for key in order}
    return json.dumps({key: _unlisted(value) for key, value in values.items()}, ensure_ascii=False)


def _unlisted(values: list[str | int]) -> list[str | int] | str | int | None:
    return values if len(values) > 1 else values[0] if values else None


def read_record(text: str) -> list[Finding] | None:
    """The findings of a record, none for an abstention; None when the text is not a record of this form.

    A record is one JSON object with the four keys, in any order.  All are null, or all hold one value each, or all
    hold lists of one length.
    """
    try:
        fields = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    if not isinstance(fields, dict) or sorted(fields) != sorted(KEYS):
        return None
    columns = [fields[key] for key in KEYS]
    if all(column is None for column in columns):
        return []
    if not all(isinstance(column, list) for column in columns):
        columns = [[column] for column in columns]
    if len({len(column) for column in columns}) > 1 or not columns[0]:
        return None
    rows = list(zip(*columns, strict=True))
    return [Finding(*row) for row in rows] if all(map(_is_finding, rows)) else None


def _is_finding(row: tuple[object, ...]) -> bool:
    *texts, number = row
    return all(isinstance(text, str) for text in texts) and type(number) is int
