"""How facts are stated and asked: the topics and relations of `phrasings/*.yaml`, typed and checked.

python -m utils.authoring.world.phrasing [FILE ...]     checks the files and counts what they hold
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

PHRASINGS = Path(__file__).parent / "phrasings"

Trade = Literal[
    "any", "shop", "clinic", "city_office", "airline", "hotel", "bank", "software", "library", "gym", "university"
]
Subject = Literal["company", "product", "branch", "plan", "room", "vehicle", "course", "account", "route", "dish"]
Audience = Literal["public", "staff", "managers"]
ValueKind = Literal[
    "money", "days", "weeks", "months", "years", "hours", "minutes", "percent", "number", "weight", "length",
    "distance", "temperature", "date", "clock", "weekday", "person", "town", "street", "code", "colour", "phone",
    "email", "choice", "pair", "verdict",
]  # fmt: skip
RANGED = {
    "money", "days", "weeks", "months", "years", "hours", "minutes", "percent", "number", "weight", "length",
    "distance", "temperature", "clock",
}  # fmt: skip
LISTED = {"choice": 6, "pair": 6, "verdict": 4}

PLACEHOLDER = re.compile(r"\{(\w*)\}")


def has_foreign_signs(text: str, placeholders: set[str]) -> bool:
    """Whether a wording holds another placeholder than these, a digit, or a sign that is not ASCII."""
    return bool(set(PLACEHOLDER.findall(text)) - placeholders or re.search(r"\d", text)) or not text.isascii()


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Relation(_Strict):
    """One kind of fact, with the ways to state it and to ask about it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    value: ValueKind
    range: tuple[float, float] | None = None
    options: tuple[str, ...] = ()
    statements: tuple[str, ...] = Field(min_length=4)
    questions: tuple[str, ...] = Field(min_length=4)
    distant: tuple[str, ...] = Field(min_length=1)
    untidy: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Relation:
        if (self.value in RANGED) != (self.range is not None):
            raise ValueError(f"{self.id}: `range` goes with numeric values, and only with them")
        if self.range and self.range[0] >= self.range[1]:
            raise ValueError(f"{self.id}: the range {self.range} is empty")
        if (self.value in LISTED) != bool(self.options):
            raise ValueError(f"{self.id}: `options` goes with choice, pair and verdict, and only with them")
        if self.options and len(set(self.options)) < LISTED[self.value]:
            raise ValueError(f"{self.id}: {self.value} needs {LISTED[self.value]} different options")
        for text in self.statements:
            if PLACEHOLDER.findall(text).count("value") != 1:
                raise ValueError(f"{self.id}: needs {{value}} exactly once: {text!r}")
            if not text.endswith(".") or re.search(r"[.!?]\s+[A-Z]", text):
                raise ValueError(f"{self.id}: a statement is one sentence with a full stop: {text!r}")
        for text in self.all_questions:
            if "{value}" in text:
                raise ValueError(f"{self.id}: a question must not hold {{value}}: {text!r}")
        for text in (*self.statements, *self.all_questions):
            if has_foreign_signs(text, {"value", "entity", "company"}):
                raise ValueError(f"{self.id}: unknown placeholder, digit or non-ASCII sign: {text!r}")
        if sum("{company}" in text for text in self.statements) * 2 > len(self.statements):
            raise ValueError(f"{self.id}: more than half of the statements name {{company}}")
        return self

    @property
    def all_questions(self) -> tuple[str, ...]:
        """Every wording of the question: the common ones, then those in other words, then the untidy ones."""
        return (*self.questions, *self.distant, *self.untidy)


class Topic(_Strict):
    """One kind of article: what it is about, who may read it, and the facts it states."""

    topic: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    trades: tuple[Trade, ...] = Field(min_length=1)
    section: str
    audience: Audience
    subject: Subject
    titles: tuple[str, ...] = Field(min_length=3)
    openers: tuple[str, ...] = Field(min_length=3)
    closers: tuple[str, ...] = Field(min_length=3)
    relations: tuple[Relation, ...] = Field(min_length=3, max_length=8)

    @model_validator(mode="after")
    def _check(self) -> Topic:
        if self.subject != "company":
            texts = [*self.titles, *(t for r in self.relations for t in (*r.statements, *r.all_questions))]
            for text in texts:
                if "{entity}" not in text:
                    raise ValueError(f"{self.topic}: is about a {self.subject}, so needs {{entity}}: {text!r}")
        elif "{entity}" in str(self):
            raise ValueError(f"{self.topic}: is about the company, so {{entity}} has no meaning")
        return self


def read_topics(path: Path) -> list[Topic]:
    """Topics of one YAML file.  Raises ValueError naming the file and the rule that is broken."""
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        return [Topic.model_validate(row) for row in rows or []]
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise ValueError(f"{path.name}: {error}") from error


@cache
def all_topics() -> tuple[Topic, ...]:
    """Every topic of `phrasings/`, in file order.  Raises ValueError on a repeated topic, relation or question."""
    topics = [topic for path in sorted(PHRASINGS.glob("*.yaml")) for topic in read_topics(path)]
    _refuse_repeats("topic", [topic.topic for topic in topics])
    _refuse_repeats("relation", [relation.id for topic in topics for relation in topic.relations])
    for relation in (relation for topic in topics for relation in topic.relations):
        _refuse_repeats(f"wording of {relation.id}", [*relation.statements, *relation.all_questions])
    return tuple(topics)


def topics_for(trade: str) -> list[Topic]:
    """Topics that a company of this trade has: its own and the ones every company has."""
    return [topic for topic in all_topics() if trade in topic.trades or "any" in topic.trades]


def handbook_sentences() -> list[str]:
    """What all handbooks' articles are made of, with its placeholders: openers, closers and statements."""
    return [
        text
        for topic in all_topics()
        for text in (*topic.openers, *topic.closers, *(s for relation in topic.relations for s in relation.statements))
    ]


@cache
def handbook_words() -> list[str]:
    """The shorter words of all handbooks' sentences, in alphabetical order."""
    return sorted({word for text in handbook_sentences() for word in re.findall(r"\b[a-z]{2,9}\b", text)})


def _refuse_repeats(what: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{what} given twice in phrasings/: {', '.join(repeated)}")


def main(files: list[str]) -> int:
    """Prints the counts; returns 1 when a file breaks a rule."""
    try:
        topics = [t for f in files for t in read_topics(Path(f))] if files else list(all_topics())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    relations = [relation for topic in topics for relation in topic.relations]
    kinds = sorted({relation.value for relation in relations})
    print(f"{len(topics)} topics, {len(relations)} relations, {len(kinds)} value kinds: {', '.join(kinds)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
