"""Where one sentence ends and the next begins: one rule for chunks and for the scorer."""

from __future__ import annotations

import re

# A small letter after a full stop is more likely "e.g. this" than a new sentence, and so are a number after "No." and a
# name after "Dr.".  Chinese and Japanese put no space behind a sentence.
_BEFORE_NUMBERS = ("approx", "ca", "No", "Nr", "p", "pp", "Art", "Abs", "Fig", "Tel")
_BEFORE_NAMES = ("Dr", "Mr", "Mrs", "Ms", "Prof")
# The space behind a sentence, as a pattern.
SPACE_BEHIND = (
    r"(?<=[.!?])"
    + "".join(rf"(?<!\b{short}\.(?=\s+\d))" for short in _BEFORE_NUMBERS)
    + "".join(rf"(?<!\b{short}\.)" for short in _BEFORE_NAMES)
    + r"\s+(?=[^a-z\s])"
)
_END = re.compile(SPACE_BEHIND + r"|(?<=[。！？])(?=[^」』）”’】》。！？\s])")


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order.  A line break ends a sentence too; empty ones are left out."""
    found = (sentence.strip() for line in text.splitlines() for sentence in _END.split(line))
    return [sentence for sentence in found if sentence]
