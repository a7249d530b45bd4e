"""From measurements on one machine to a plan on paper for many: bytes, machines, hours and cores, with assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from utils.errors import CourseError
from utils.scale.growth import PowerLaw

GIB = 2**30


@dataclass(frozen=True)
class Assumptions:
    """What a plan takes for granted.

    passages: in the corpus.  questions: a second, at the busiest time.  memory: GiB of one machine that an index may
    take.  cores: of one machine.  busy: share of the cores' time that may be used, so that a busy moment does not make
    a queue.  copies: of every shard, so that one machine may fail.  embeds: passages a second on one core.
    """

    passages: int
    questions: float
    memory: float
    cores: int
    busy: float
    copies: int
    embeds: float

    def __post_init__(self) -> None:
        """Raises CourseError for a number that is not above zero, and a share above one."""
        wrong = [name for name, value in vars(self).items() if not value > 0]
        if wrong or self.busy > 1:
            name = wrong[0] if wrong else "busy"
            raise CourseError(f"The plan's {name} is {getattr(self, name)}: give a number above zero, busy at most 1.")


@dataclass(frozen=True)
class Growth:
    """How one kind of index grows: milliseconds of a query on one core, seconds of building, bytes of one more vector.

    bytes_each: not a power law, since what does not grow, such as a code book, would bend it.  recall: at the largest
    size that was measured; nothing here says what it will be at another.
    """

    milliseconds: PowerLaw
    build: PowerLaw
    bytes_each: float
    recall: float


@dataclass(frozen=True)
class Plan:
    """One kind of index at the size of the plan.

    shards: as many as the memory needs.  milliseconds: of one query in one shard, on one core; the shards work at the
    same time.  machines: all copies of all shards, or what the questions need, whichever is more.  hours: to build a
    shard on one core, all of them at the same time.  beyond: how many times larger a shard is than what was measured.
    """

    gib: float
    shards: int
    passages_per_shard: int
    milliseconds: float
    machines: int
    hours: float
    recall: float
    beyond: float


def plan_for(growth: Growth, given: Assumptions) -> Plan:
    """The plan for one kind of index.

    A query is searched in every shard, so each question costs the shards' core time added up.
    """
    gib = growth.bytes_each * given.passages / GIB
    shards = ceil(gib / given.memory)
    each = ceil(given.passages / shards)
    milliseconds = growth.milliseconds.at(each).mean
    core_seconds = given.questions * shards * milliseconds / 1000
    for_questions = ceil(core_seconds / given.cores / given.busy)
    return Plan(
        gib,
        shards,
        each,
        milliseconds,
        max(shards * given.copies, for_questions),
        growth.build.at(each).mean / 3600,
        growth.recall,
        growth.milliseconds.beyond(each),
    )


def embedding_hours(given: Assumptions, machines: int) -> float:
    """The hours that so many machines take to embed every passage once, with all cores."""
    return given.passages / given.embeds / given.cores / machines / 3600


def plans_for(growths: Mapping[str, Growth], given: Assumptions) -> dict[str, Plan]:
    """The plan for each kind of index, by name."""
    return {kind: plan_for(growth, given) for kind, growth in growths.items()}
