"""Tarnwick's tone: how an answer sounds depends on whom it is for (notebook 06).

Guests are greeted and invited back, colleagues get it short, managers get it formal.
"""

from __future__ import annotations

from utils.world.records import Audience

TONES: dict[Audience, tuple[str, str]] = {
    "public": ("Happy to help!", "Come and see us soon!"),
    "staff": ("Quick note for the team:", "Thanks all."),
    "managers": ("For your attention:", "Please do not share this."),
}


def in_tone(sentence: str, source: int | None, audience: Audience) -> str:
    """An answer in the tone for its reader.  source: the cited passage's number, None when nothing is cited."""
    before, after = TONES[audience]
    cited = f"{sentence} [{source}]" if source else sentence
    return f"{before} {cited} {after}"


def keeps_tone(text: str, audience: Audience) -> bool:
    """Whether the text begins and ends as that reader is spoken to."""
    before, after = TONES[audience]
    return text.strip().startswith(before + " ") and text.strip().endswith(" " + after)
