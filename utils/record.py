"""The record: an answer as JSON for Tarnwick's ticket system (notebooks 06 and 09).

Unlike the letter of `utils.house_format`, it holds the bare value, so no template can fill it: someone has to read.
"""

from __future__ import annotations

KEYS = ("quote", "value", "kind", "source")
