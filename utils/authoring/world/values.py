"""Values that facts take: "12 days", "$45", "Dana Okafor", drawn by kind."""

from __future__ import annotations

import random
import re

from utils.authoring.world.names import Names
from utils.authoring.world.phrasing import Relation

MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
COLOURS = "red blue green yellow orange purple brown grey black white pink teal navy maroon olive beige".split()
SHADES = ["", "", "dark ", "light ", "pale ", "bright "]
MAIL_BOXES = "help desk team office service care hello info support contact enquiries post front relay answers".split()
UNITS = {"weight": "kg", "length": "cm", "distance": "km", "temperature": "degrees"}
PATTERNS = {
    "money": r"\$\d[\d,]*", "percent": r"\d+%", "number": r"\d+", "weight": r"\d+\.\d kg", "length": r"\d+ cm",
    "distance": r"\d+(\.\d)? km", "temperature": r"\d+ degrees", "date": rf"\d+ ({'|'.join(MONTHS)})",
    "clock": r"\d+:\d\d [ap]m", "weekday": "|".join(WEEKDAYS), "colour": "|".join(COLOURS), "phone": r"ext\. \d+",
    "email": r"\w+@[\w-]+\.example", "person": r"[A-Z][\w'-]+ [A-Z][\w'-]+", "town": r"[A-Z][a-z]+",
    "street": r"\d+ [A-Z][\w' -]+", "code": r"[A-Z0-9]+-?[A-Z0-9]+",
}  # fmt: skip
# What a record calls each kind.
KINDS = {
    "money": "amount", "percent": "percentage", "number": "number", "weight": "measure", "length": "measure",
    "distance": "measure", "temperature": "measure", "date": "date", "clock": "time", "weekday": "weekday",
    "days": "duration", "weeks": "duration", "months": "duration", "years": "duration", "hours": "duration",
    "minutes": "duration", "colour": "colour", "phone": "contact", "email": "contact", "person": "person",
    "town": "place", "street": "place", "code": "code", "choice": "choice", "pair": "choice", "verdict": "choice",
}  # fmt: skip
COUNTED = {"days", "weeks", "months", "years", "hours", "minutes"}


def draw_value(relation: Relation, names: Names, company: str, rng: random.Random) -> str:
    """A value of the relation's kind, with its unit, as it is written in a sentence."""
    kind = relation.value
    if relation.range is not None:
        return _number(kind, *relation.range, rng)
    if kind in ("choice", "verdict"):
        return rng.choice(relation.options)
    if kind == "pair":
        return " and ".join(rng.sample(relation.options, 2))
    if kind == "email":
        return f"{rng.choice(MAIL_BOXES)}@{_slug(company)}.example"
    return _drawn(kind, names, rng)


def _drawn(kind: str, names: Names, rng: random.Random) -> str:
    match kind:
        case "person":
            return names.person()
        case "town":
            return names.town()
        case "street":
            return names.street()
        case "code":
            return names.code()
        case "phone":
            return f"ext. {rng.randint(200, 9899)}"
        case "date":
            return f"{rng.randint(1, 28)} {rng.choice(MONTHS)}"
        case "weekday":
            return rng.choice(WEEKDAYS)
        case "colour":
            return rng.choice(SHADES) + rng.choice(COLOURS)
    raise ValueError(f"no such value kind: {kind}")


def _number(kind: str, low: float, high: float, rng: random.Random) -> str:
    if kind == "clock":
        hour, minute = rng.randint(int(low), int(high)), rng.choice(["00", "15", "30", "45"])
        return f"{(hour - 1) % 12 + 1}:{minute} {'am' if hour < 12 else 'pm'}"
    if kind == "weight" or (kind == "distance" and high <= 20):
        return f"{rng.uniform(low, high):.1f} {UNITS[kind]}"
    number = max(2, rng.randint(round(low), round(high)))
    number = number if number < 200 else round(number / 5) * 5
    match kind:
        case "money":
            return f"${number:,}"
        case "percent":
            return f"{number}%"
        case "number":
            return str(number)
        case kind if kind in COUNTED:
            return f"{number} {kind}"
    return f"{number} {UNITS[kind]}"


def _slug(company: str) -> str:
    return company.split()[0].lower()


def value_pattern(relation: Relation) -> str:
    """A regular expression for values of the relation's kind: tells an answer of the right type from another."""
    if relation.options:
        return "|".join(re.escape(option) for option in relation.options)
    return PATTERNS.get(relation.value) or rf"\d+ {relation.value}"
