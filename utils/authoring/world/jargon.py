"""The course company's own jargon: its terms, the ticket queues, and questions put in it (`jargon.yaml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

JARGON = Path(__file__).parent / "jargon.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Term(_Strict):
    """A word that means something else in this company."""

    term: str
    means: str
    topics: tuple[str, ...] = Field(min_length=1)


class Queue(_Strict):
    """Where tickets on these topics go; named by a colour."""

    queue: str
    means: str
    topics: tuple[str, ...] = Field(min_length=1)


class Jargon(_Strict):
    """All of it.  questions: three for each relation, by the relation's id."""

    terms: tuple[Term, ...]
    queues: tuple[Queue, ...]
    questions: dict[str, tuple[str, str, str]]

    def queue_of(self, topic: str) -> str:
        """The colour of the queue for a topic."""
        return next(queue.queue for queue in self.queues if topic in queue.topics)


@cache
def jargon() -> Jargon:
    """The jargon as read from its file."""
    return Jargon.model_validate(yaml.safe_load(JARGON.read_text(encoding="utf-8")))
