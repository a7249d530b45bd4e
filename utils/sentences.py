"""Where one sentence ends and the next begins: one rule for chunks and for the scorer."""

from __future__ import annotations

import re

# A small letter after a full stop is more likely "e.g. this" than a new sentence.
_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s])")


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order.  A line break ends a sentence too; empty ones are left out."""
    found = (sentence.strip() for line in text.splitlines() for sentence in _END.split(line))
    return [sentence for sentence in found if sentence]
