"""Checker of notebook 04."""

from __future__ import annotations

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

TEXTS = {"prices": "Delivery costs $12.", "hours": "We close at 6:00 pm."}


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
        return f'After "add" there should be three articles with the new one among them: yours are {shown(added)}.'
    withdrawn = _texts(attempt, "withdraw", "hours", None)
    if "hours" in withdrawn:
        kept = "an empty text" if not withdrawn["hours"] else "its text"
        return f'After "withdraw" the article hours is still there, with {kept}: take the whole entry out.'
    if set(withdrawn) != {"prices"}:
        return f'"withdraw" should take out one article and leave the rest: now there are {shown(sorted(withdrawn))}.'
    return None


def _texts(attempt: Attempt, kind: str, article_id: str, text: str | None) -> dict[str, str]:
    result = attempt(texts=TEXTS, kind=kind, article_id=article_id, text=text)
    if not isinstance(result, dict):
        raise Stopped(f"Return the handbook as a dictionary from id to text, not {shown(result)}.")
    return result


apply_change = Exercise(
    name="apply_change",
    difficulty=1,
    minutes=5,
    diagnose=diagnose,
    praise="Add, replace and withdraw: that is all the upkeep that an index needs.",
    clue="Copy first: new = dict(texts). Then new[article_id] = text, or new.pop(article_id).",
    sources=(references.apply_change,),
)
