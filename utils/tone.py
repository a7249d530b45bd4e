"""Tarnwick's tone: how an answer sounds depends on whom it is for (notebook 06).

Customers are greeted and invited back, colleagues get it short, managers get it formal.
"""

from __future__ import annotations

from utils.handbook import Audience

TONES: dict[Audience, tuple[str, str]] = {
    "public": ("Happy to help!", "Come and see us soon!"),
    "staff": ("Quick note for the team:", "Thanks all."),
    "managers": ("For your attention:", "Please do not share this."),
}


def in_tone(text: str, audience: Audience) -> str:
    """A plain answer such as "It costs $12. [1]" in the tone for its reader."""
    before, after = TONES[audience]
    return f"{before} {text.strip()} {after}"


def keeps_tone(text: str, audience: Audience) -> bool:
    """Whether the text begins and ends as that reader is spoken to."""
    before, after = TONES[audience]
    return text.strip().startswith(before + " ") and text.strip().endswith(" " + after)
