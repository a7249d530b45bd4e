"""Checker of notebook 04."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

TEXTS = {"prices": "Delivery costs $12.", "hours": "We close at 6:00 pm."}
IDS = ("hours", "parking", "prices", "returns", "Wi-Fi")
SENTENCES = ("We close at 6:00 pm.", "It is free of charge.", "Ask at the desk", "Delivery costs $9.")


def diagnose(attempt: Attempt) -> str | None:
    """The first mistake in a learner's apply_change, or None."""
    replaced = _texts(attempt, "replace", "prices", "Delivery costs $9.")
    now = replaced.get("prices")
    if now != "Delivery costs $9.":
        return f'After "replace" the article prices should hold the new text, and it holds {shown(now)}.'
    if set(replaced) != set(TEXTS):
        return f'"replace" should leave the other articles as they are: now there are {shown(sorted(replaced))}.'
    added = _texts(attempt, "add", "parking", "We have 20 places.")
    if added != TEXTS | {"parking": "We have 20 places."}:
        return f'After "add" there should be three articles with the new one among them: you returned {shown(added)}.'
    withdrawn = _texts(attempt, "withdraw", "hours", None)
    if "hours" in withdrawn:
        kept = "an empty text" if not withdrawn["hours"] else "its text"
        return f'After "withdraw" the article hours is still there, with {kept}: remove the whole entry.'
    if set(withdrawn) != {"prices"}:
        return f'"withdraw" should remove one article and keep the rest: now there are {shown(sorted(withdrawn))}.'
    return None


def _texts(attempt: Attempt, kind: str, article_id: str, text: str | None) -> dict[str, str]:
    return handbook(attempt(texts=TEXTS, kind=kind, article_id=article_id, text=text))


def handbook(result: Any) -> dict[str, str]:
    """The returned handbook.  Raises Stopped when it is not a dictionary."""
    if not isinstance(result, dict):
        raise Stopped(f"Return the handbook as a dictionary from id to text, not {shown(result)}.")
    return result


def draw_change(draws: random.Random) -> dict[str, Any]:
    """A small handbook, perhaps with two articles that say the same, and one change."""
    there = draws.sample(IDS, draws.randint(0, 4))
    kind = draws.choice(["add", "replace", "withdraw"]) if there else "add"
    article_id = draws.choice([name for name in IDS if name not in there] if kind == "add" else there)
    text = None if kind == "withdraw" else draws.choice(SENTENCES)
    texts = {name: draws.choice(SENTENCES) for name in there}
    return {"texts": texts, "kind": kind, "article_id": article_id, "text": text}


apply_change = Exercise(
    name="apply_change",
    difficulty=1,
    minutes=5,
    diagnose=diagnose,
    read=handbook,
    draw=draw_change,
    praise="Add, replace and withdraw: an index needs these three changes and no others.",
    clue="Copy first: new = dict(texts). Then new[article_id] = text, or new.pop(article_id).",
    sources=(references.apply_change,),
)
