"""Does a text hold a value?  One rule for the scorer and for the learner's own exercise."""

from __future__ import annotations

import re


def contains_whole(text: str, value: str) -> bool:
    """True when `text` holds `value` as a whole, in capitals or not.

    "15 days" is not in "115 days", nor "$45" in "$45.50".
    """
    pattern = rf"(?<![\w.,]){re.escape(value)}(?!\w|[.,:]\d)"
    return re.search(pattern, text, re.IGNORECASE) is not None
